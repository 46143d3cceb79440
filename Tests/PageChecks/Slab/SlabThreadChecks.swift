import CSysMem
import CTestSystem
import PageAlloc
import Synchronization

/// Slabs in threads, and in the handlers of signals.
package let slabThreadChecks: [Check] = [
  Check("slab: four threads exchange frames") { recorder in
    for caching in [true, false] {
      guard let arena = makeArena(&recorder, byteCount: 64 << 20, caching: caching),
        let slab = makeSlab(1024, in: arena, &recorder)
      else { return }
      let market = FrameMarket()
      let traders = (1...4).map { FrameTrader(slab, market, seed: UInt64($0)) }
      runThreads(traders) { $0.trade(isEmulated ? 1500 : 6000) }
      for trader in traders {
        recorder.expectEqual(trader.faults.load(ordering: .relaxed), 0, "faults in a thread")
      }
      recorder.expectEqual(slab.statistics.framesInUse, market.frameCount, "in use")
      market.empty(into: slab, &recorder)
      let left = slab.statistics
      recorder.expectEqual(left.framesInUse, 0, "in use at the end")
      recorder.expect(left.framesCached <= 33, "\(left.framesCached) at hand for this thread")
      recorder.expect(slab.brokenInvariant() == nil, "invariants")
      recorder.expect((try? slab.releaseFreeMemory()) != nil, "released")
      recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use of the arena")
      recorder.expect(arena.brokenInvariant() == nil, "the arena's invariants")
    }
  },

  Check("slab: a thread that ends gives back what it has at hand") { recorder in
    guard let arena = makeArena(&recorder, byteCount: 64 << 20),
      let slab = makeSlab(512, in: arena, &recorder),
      let other = makeSlab(512, in: arena, &recorder)
    else { return }
    // More threads one after another than there are magazines, then many at a time.
    for count in [Int](repeating: 1, count: isEmulated ? 20 : 300) + [20] {
      let users = (0..<count).map { _ in FrameUser([slab, other]) }
      runThreads(users) { $0.use(150) }
      for user in users {
        recorder.expectEqual(user.faults.load(ordering: .relaxed), 0, "faults in a thread")
      }
    }
    for slab in [slab, other] {
      let statistics = slab.statistics
      recorder.expectEqual(statistics.framesInUse, 0, "in use")
      recorder.expectEqual(statistics.framesCached, 0, "at hand")
      recorder.expectEqual(statistics.runs, 1, "runs")
      recorder.expect(slab.brokenInvariant() == nil, "invariants")
    }
  },

  Check("slab: what a thread uses in the last round of its destructors is not lost") { recorder in
    if ctest_sanitizer() == 1 {
      return recorder.leaveOut("ThreadSanitizer ends before a thread's last round of destructors")
    }
    guard let arena = makeArena(&recorder, byteCount: 64 << 20),
      let slab = makeSlab(512, in: arena, &recorder)
    else { return }
    let user = FrameUser([slab])
    runThreads([user]) { user in
      user.use(40)
      user.useInDestructors()
    }
    recorder.expectEqual(user.faults.load(ordering: .relaxed), 0, "faults in the thread")
    recorder.expect(user.rounds.load(ordering: .relaxed) >= 4, "rounds of destructors")
    recorder.expectEqual(slab.statistics.framesCached, 0, "at hand for a thread that has ended")
    recorder.expect(slab.brokenInvariant() == nil, "invariants")
  },
]

/// Slabs in the handlers of signals, one of which ends a child.
package let slabSignalChecks: [Check] = [
  Check("slab: calls from a signal's handler in the middle of another are refused") { recorder in
    guard let arena = makeArena(&recorder, byteCount: 64 << 20),
      let slab = makeSlab(512, in: arena, &recorder),
      let other = makeSlab(512, in: arena, &recorder), let frame = slab.take(&recorder),
      let foreign = other.take(&recorder)
    else { return }
    other.give(foreign, &recorder)
    let before = slab.statistics
    var errors: [PageArenaError?] = []
    let isServed = slab.insideOwnMagazine {
      errors = [
        slab.errorOfTaking(), slab.errorOfGiving(frame),
        error { () throws(PageArenaError) in try slab.releaseFreeMemory() },
      ]
      // Another slab is not in the middle of anything.
      if let taken = other.take(&recorder) { other.give(taken, &recorder) }
    }
    recorder.expect(isServed, "it has a magazine")
    func makeOne() throws(PageArenaError) { _ = try PageSlab(frameByteCount: 512, in: arena) }
    func underLocks() {
      errors += [error { () throws(PageArenaError) in try slab.releaseFreeMemory() }]
      errors += [error { () throws(PageArenaError) in try makeOne() }]
    }
    slab.underLock { underLocks() }
    arena.underHeapLock { underLocks() }
    recorder.expectEqual(errors.count, 7, "calls")
    for (index, error) in errors.enumerated() {
      recorder.expect(error == .reentered, "call \(index): \(error?.description ?? "no error")")
    }
    recorder.expect(slab.statistics == before, "nothing changed")
    slab.give(frame, &recorder)
    recorder.expect(slab.brokenInvariant() == nil, "invariants")
    // What cannot throw traps, rather than to wait for ever.
    let end = inHeardChild(&recorder) { slab.underLock { _ = slab.statistics } }
    recorder.expect(end.isTrap, "status \(end.status)")
    end.expect("PageArenaError.reentered", &recorder)
  }
]

/// Slabs in children.
package let slabForkChecks: [Check] = [
  Check("slab: a child of a fork has what was in use, and all the rest is free") { recorder in
    if leavesOutFork(&recorder) { return }
    guard let arena = makeArena(&recorder, byteCount: 64 << 20),
      let slab = makeSlab(1024, in: arena, &recorder)
    else {
      return
    }
    let kept = slab.take(200, &recorder)
    for (index, frame) in kept.enumerated() { frame.stamp(UInt64(index), 1024) }
    let user = FrameUser([slab])
    var worst = 0
    runThreads(
      [user],
      meanwhile: {
        for _ in 0..<(isEmulated ? 3 : 30) where worst == 0 {
          worst = inChild { useInChild(slab, kept) }
          sleep(milliseconds: 1)
        }
        user.isStopping.store(true, ordering: .relaxed)
      }
    ) { $0.useForLong() }
    recorder.expectEqual(worst, 0, "a child's status")
    recorder.expectEqual(user.faults.load(ordering: .relaxed), 0, "faults in the thread")
    for (index, frame) in kept.enumerated() {
      recorder.expect(frame.isStamped(UInt64(index), 1024), "the parent's frames")
      slab.give(frame, &recorder)
    }
    recorder.expectEqual(slab.statistics.framesInUse, 0, "in use")
    recorder.expect(slab.brokenInvariant() == nil, "invariants in the parent")
  }
]

/// What a call throws.
private func error(_ body: () throws(PageArenaError) -> Void) -> PageArenaError? {
  do throws(PageArenaError) {
    try body()
    return nil
  } catch { return error }
}

/// What a child does whose parent had a thread that used the slab.
///
/// - Returns: 0 where all is well, else what is wrong.
private func useInChild(_ slab: PageSlab, _ kept: [Frame]) -> Int32 {
  let before = slab.statistics
  // The other thread had up to 150 frames, and frames that it was just taking or freeing.
  if before.framesInUse < 200 || before.framesInUse > 352 { return 2 }
  if slab.brokenInvariant() != nil { return 3 }
  var frames: [Frame] = []
  for index in 0..<500 {
    guard let frame = try? slab.frame() else { return 4 }
    frame.stamp(UInt64(1000 + index), 1024)
    frames.append(frame)
  }
  for index in 0..<500 where !frames[index].isStamped(UInt64(1000 + index), 1024) { return 5 }
  for index in 0..<200 where !kept[index].isStamped(UInt64(index), 1024) { return 6 }
  for frame in frames + kept where slab.errorOfGiving(frame) != nil { return 7 }
  if slab.statistics.framesInUse != before.framesInUse - 200 { return 8 }
  if slab.brokenInvariant() != nil { return 9 }
  return (try? slab.releaseFreeMemory()) == nil ? 10 : 0
}

/// A thread that takes frames of some slabs, and frees them.
private final class FrameUser: Sendable {
  let slabs: [PageSlab]
  let faults = Atomic<Int>(0)
  let isStopping = Atomic<Bool>(false)
  let rounds = Atomic<Int>(0)

  init(_ slabs: [PageSlab]) { self.slabs = slabs }

  /// A key whose destructor uses slabs, and wants to be called again as long as it is.
  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    _ = unsafe pthread_key_create(&key) { value in
      guard let value = unsafe value else { return }
      let user = unsafe Unmanaged<FrameUser>.fromOpaque(value).takeUnretainedValue()
      user.rounds.add(1, ordering: .relaxed)
      user.use(40)
      user.useInDestructors()
    }
    return key
  }()

  /// Has this thread's destructors use the slabs in every round, the last one included.
  func useInDestructors() {
    // The check has it until the thread was joined.
    _ = unsafe pthread_setspecific(Self.key, Unmanaged.passUnretained(self).toOpaque())
  }

  func use(_ count: Int) {
    for slab in slabs {
      var frames: [Frame] = []
      for _ in 0..<count { if let frame = try? slab.frame() { frames.append(frame) } }
      if frames.count != count { faults.add(1, ordering: .relaxed) }
      for frame in frames where slab.errorOfGiving(frame) != nil {
        faults.add(1, ordering: .relaxed)
      }
    }
  }

  func useForLong() {
    while !isStopping.load(ordering: .relaxed) { use(150) }
  }
}

/// Where threads leave frames for one another.
private final class FrameMarket: Sendable {
  static let count = 64
  private let places: [Place]

  private final class Place: Sendable {
    let address = Atomic<UInt>(0)
  }

  init() { places = (0..<Self.count).map { _ in Place() } }

  func exchange(_ index: Int, _ address: UInt) -> UInt {
    places[index].address.exchange(address, ordering: .acquiringAndReleasing)
  }

  var frameCount: Int { places.count { $0.address.load(ordering: .relaxed) != 0 } }

  func empty(into slab: PageSlab, _ recorder: inout Recorder) {
    for index in 0..<Self.count {
      if let frame = Frame(address: exchange(index, 0)) { slab.give(frame, &recorder) }
    }
  }
}

/// A thread that puts frames into places and frees what was there, by whomever.
private final class FrameTrader: Sendable {
  let slab: PageSlab
  let market: FrameMarket
  let seed: UInt64
  let faults = Atomic<Int>(0)

  init(_ slab: PageSlab, _ market: FrameMarket, seed: UInt64) {
    self.slab = slab
    self.market = market
    self.seed = seed
  }

  func trade(_ steps: Int) {
    var random = SplitMix64(seed: seed)
    for _ in 0..<steps {
      let index = random.below(FrameMarket.count)
      var new: UInt = 0
      if random.below(3) != 0 {
        guard let frame = try? slab.frame() else { return fault() }
        frame.stamp(UInt64(frame.address), 1024)
        new = frame.address
      }
      if let old = Frame(address: market.exchange(index, new)) {
        if !old.isStamped(UInt64(old.address), 1024) { fault() }
        if slab.errorOfGiving(old) != nil { fault() }
      }
    }
  }

  private func fault() { faults.add(1, ordering: .relaxed) }
}
