import CSysMem
import CTestSystem
import PageAlloc
import Synchronization
import SysMem

/// Calls that come from the handler of a signal.
package let signalChecks: [Check] = [
  Check("signals: what a call needs that its own thread is in the middle of is refused") {
    recorder in
    let calls = HookedCalls()
    guard let arena = makeArena(&recorder, calls: calls, caching: false),
      let run = arena.take(100, &recorder), let part = arena.take(8, &recorder),
      let other = try? arena.allocateRun(pages: 4)
    else { return }
    let owned = RunBox(other)
    let before = arena.statistics
    var errors: [PageArenaError?] = []
    calls.interrupt {
      errors = [
        arena.errorOfTaking(1), arena.errorOfGiving(part),
        error { () throws(PageArenaError) in _ = try arena.allocateRun(pages: 1) },
        error { () throws(PageArenaError) in _ = try arena.allocateGuardedRun(pages: 2) },
        error { () throws(PageArenaError) in
          _ = try arena.allocateRun(pages: 2, access: .none)
        },
        error { () throws(PageArenaError) in
          // Refused, or an owner of a run that has none.
          unsafe try arena.adopt(part.pointer, pages: 8).deallocate()
        },
        error { () throws(PageArenaError) in _ = try arena.makeCache() },
        error { () throws(PageArenaError) in try arena.setMemoryLimit(.none) },
        error { () throws(PageArenaError) in try arena.scavenge(byteCount: 1) },
        error { () throws(PageArenaError) in try arena.releaseFreeMemory() },
        error { () throws(PageArenaError) in try arena.releaseFreeMemoryLazily() },
        error { () throws(PageArenaError) in try arena.collapse() },
        error { () throws(PageArenaError) in _ = try arena.measureResident() },
        error { () throws(PageArenaError) in _ = try PageArena(reserving: 64 << 20) },
        error { () throws(PageArenaError) in _ = try PageRegion(reserving: 1 << 20) },
        error { () throws(PageArenaError) in try owned.run.protect(.readOnly) },
        error { () throws(PageArenaError) in try owned.run.discard() },
        error { () throws(PageArenaError) in try owned.run.lock() },
        error { () throws(PageArenaError) in try owned.run.excludeFromCoreDumps() },
        error { () throws(PageArenaError) in try owned.run.preferHugePages() },
        error { () throws(PageArenaError) in try owned.run.resize(to: 5) },
        owned.run.grow(to: 5) ? nil : .reentered,
      ]
    }
    // In the middle of growth.
    guard let more = arena.take(512, &recorder) else { return }
    recorder.expectEqual(errors.count, 22, "calls")
    for (index, error) in errors.enumerated() {
      recorder.expect(error == .reentered, "call \(index): \(error?.description ?? "no error")")
    }
    owned.end()
    arena.give(more, &recorder)
    recorder.expectEqual(arena.statistics.inUseBytes + 4 * 8192, before.inUseBytes, "in use")
    // In the middle of giving back; what only looks is served.
    arena.give(run, &recorder)
    var refusal: PageArenaError?
    var inUse: UInt64 = 0
    calls.interrupt {
      refusal = arena.errorOfTaking(1)
      inUse = arena.statistics.inUseBytes
    }
    recorder.expect((try? arena.releaseFreeMemory()) != nil, "given back")
    recorder.expect(refusal == .reentered, "refused")
    recorder.expectEqual(inUse, arena.statistics.inUseBytes, "what a reading says")
    recorder.expect(arena.errorOfTaking(1) == nil, "afterwards")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("signals: what a decommitted run needs is refused in the middle of its thread's call") {
    recorder in
    let calls = HookedCalls()
    guard let arena = makeArena(&recorder, calls: calls, caching: false),
      var run = try? arena.allocateRun(pages: 4), (try? run.decommit(in: 0..<1)) != nil
    else { return recorder.fail("no run") }
    let owned = RunBox(run)
    var errors: [PageArenaError?] = []
    calls.interrupt {
      errors = [
        error { () throws(PageArenaError) in try owned.run.lock() },
        error { () throws(PageArenaError) in try owned.run.prefault() },
        error { () throws(PageArenaError) in try owned.run.commit(in: 0..<1) },
      ]
    }
    recorder.expect(arena.errorOfTaking(512) == nil, "growth")
    recorder.expect(errors == [.reentered, .reentered, .reentered], "\(errors)")
    owned.end()
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("signals: a reading inside of the thread's own cache has it tell nothing") { recorder in
    guard let arena = makeArena(&recorder), let first = arena.take(3, &recorder),
      let second = arena.take(5, &recorder)
    else { return }
    arena.give(first, &recorder)
    arena.give(second, &recorder)
    var readings: [UInt64] = []
    for _ in 0..<2 {
      let isServed = arena.insideOwnCache { readings.append(arena.statistics.cachedBytes) }
      recorder.expect(isServed, "it has one")
    }
    let exact = arena.statistics.cachedBytes
    for reading in readings { recorder.expectEqual(reading, exact - 40_960, "as it was told") }
  },

  Check("signals: under the heap lock the thread's own cache is out of reach, too") { recorder in
    guard let arena = makeArena(&recorder), let run = arena.take(1, &recorder),
      let hot = arena.take(2, &recorder), var owned = try? arena.allocateRun(pages: 1)
    else { return }
    arena.give(hot, &recorder)
    arena.underHeapLock {
      recorder.expect(arena.errorOfTaking(2) == .reentered, "a run at hand")
      recorder.expect(arena.errorOfGiving(run) == .reentered, "a run for the cache")
      let error = error { () throws(PageArenaError) in _ = try arena.allocateRun(pages: 2) }
      recorder.expect(error == .reentered, "an owned run")
      recorder.expect(!owned.grow(to: 2), "to grow")
    }
    recorder.expect(arena.take(2, &recorder) == hot, "at hand, afterwards")
    arena.give(run, &recorder)
    // What cannot throw traps, rather than to wait for ever.
    let end = inHeardChild(&recorder) { arena.underHeapLock { _ = arena.statistics } }
    recorder.expect(end.isTrap, "status \(end.status)")
    end.expect("PageArenaError.reentered", &recorder)
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("signals: a run that ends in the middle of a call of its thread's traps by name") {
    recorder in
    let end = inHeardChild(&recorder) {
      let calls = HookedCalls()
      var options = PageArena.Options.stepped(FakeClock())
      options.calls = calls
      guard let arena = try? PageArena(options) else { return }
      guard let run = try? arena.allocateRun(pages: 4) else { return }
      let box = RunBox(run)
      calls.interrupt { box.end() }
      _ = arena.errorOfTaking(512)
    }
    recorder.expect(end.isTrap, "status \(end.status)")
    end.expect("PageArenaError.reentered", &recorder)
  },

  Check("signals: a storm of them, whose handler is served rightly or refused") { recorder in
    // What the handler does in another arena may come between two looks at a slot.
    guard let arena = makeArena(&recorder), let other = makeArena(&recorder) else { return }
    SignalStorm.begin(arena, other)
    guard ctest_handle_signal({ _ in SignalStorm.handle() }) == 0 else {
      return recorder.fail("no handler")
    }
    let worker = BusyWorker(arena)
    runThreads(
      [worker],
      meanwhile: {
        while worker.thread.load(ordering: .acquiring) == 0 { csm_yield() }
        let thread = pthread_t(worker.thread.load(ordering: .acquiring))
        let start = Moment.now
        while Moment.now.elapsed(since: start) < 400_000_000 {
          _ = ctest_send_signal(thread)
          // So that the worker gets on between two.
          for _ in 0..<1000 { csm_pause() }
        }
        worker.stops.store(true, ordering: .relaxed)
      }
    ) { $0.run() }
    let (served, refused) = (
      SignalStorm.served.load(ordering: .relaxed), SignalStorm.refused.load(ordering: .relaxed)
    )
    recorder.tell(
      "\(worker.pairs.load(ordering: .relaxed)) pairs, \(served) calls served, \(refused) refused")
    recorder.expect(served > 0, "some are served")
    recorder.expectEqual(SignalStorm.faults.load(ordering: .relaxed), 0, "faults in the handler")
    recorder.expectEqual(worker.faults.load(ordering: .relaxed), 0, "faults in the thread")
    for arena in [arena, other] {
      recorder.expect((try? arena.releaseFreeMemory()) != nil, "given back")
      recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use")
      recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
    }
  },
]

/// What a call throws.
private func error(_ body: () throws(PageArenaError) -> Void) -> PageArenaError? {
  do throws(PageArenaError) {
    try body()
    return nil
  } catch { return error }
}

/// An owner that a closure can hold on to.
@safe
private struct RunBox {
  // Invariant: initialised until `end`, which is called once.
  private let storage: UnsafeMutablePointer<PageRun>

  init(_ run: consuming PageRun) {
    unsafe storage = .allocate(capacity: 1)
    unsafe storage.initialize(to: run)
  }

  var run: PageRun {
    unsafeAddress { unsafe UnsafePointer(storage) }
    nonmutating unsafeMutableAddress { unsafe storage }
  }

  func end() {
    unsafe storage.move().deallocate()
    unsafe storage.deallocate()
  }
}

/// What the handler of the storm knows and does.
private enum SignalStorm {
  // Set before the first signal.
  nonisolated(unsafe) private static var arena: PageArena?
  nonisolated(unsafe) private static var other: PageArena?
  static let served = Atomic<Int>(0)
  static let refused = Atomic<Int>(0)
  static let faults = Atomic<Int>(0)
  private static let turn = Atomic<Int>(0)

  static func begin(_ arena: PageArena, _ other: PageArena) {
    unsafe self.arena = arena
    unsafe self.other = other
    served.store(0, ordering: .relaxed)
    refused.store(0, ordering: .relaxed)
    faults.store(0, ordering: .relaxed)
  }

  /// Takes two runs, sees that nobody else has them, and frees them.
  static func handle() {
    let number = turn.add(1, ordering: .relaxed).newValue
    guard let arena = unsafe number % 3 == 0 ? arena : other else { return }
    // Short ones, which come by the cache, and at times one that does not.
    let pages = number % 64 == 0 ? 300 : 1 + number % 20
    do throws(PageArenaError) {
      let first = try arena.run(pages)
      first.stamp(UInt64(number))
      do throws(PageArenaError) {
        let second = try arena.run(1 + number % 3)
        second.stamp(UInt64(number) + 1)
        if !first.isStamped(UInt64(number)) { faults.add(1, ordering: .relaxed) }
        if let error = arena.errorOfGiving(second) { throw error }
      } catch { note(error) }
      if !first.isStamped(UInt64(number)) { faults.add(1, ordering: .relaxed) }
      if let error = arena.errorOfGiving(first) { throw error }
      served.add(1, ordering: .relaxed)
    } catch { note(error) }
  }

  private static func note(_ error: PageArenaError) {
    if error == .reentered {
      refused.add(1, ordering: .relaxed)
    } else {
      faults.add(1, ordering: .relaxed)
    }
  }
}

/// A thread that takes and frees runs until it is told to stop.
private final class BusyWorker: Sendable {
  private let arena: PageArena
  let thread = Atomic<UInt>(0)
  let stops = Atomic<Bool>(false)
  let pairs = Atomic<Int>(0)
  let faults = Atomic<Int>(0)

  init(_ arena: PageArena) { self.arena = arena }

  func run() {
    if ctest_unblock_signal() != 0 { faults.add(1, ordering: .relaxed) }
    thread.store(csm_thread_self(), ordering: .releasing)
    var live: [Run] = []
    live.reserveCapacity(64)
    var number = 0
    while !stops.load(ordering: .relaxed) {
      number += 1
      let pages = number % 200 == 0 ? 700 : 1 + number % 23
      do throws(PageArenaError) {
        let run = try arena.run(pages)
        run.stamp(UInt64(run.address))
        live.append(run)
        // All that is at hand goes back under the lock, and comes again.
        if number % 64 == 0 { _ = try arena.releaseFreeMemory() }
        if live.count == 32 || number % 3 == 0 {
          let old = live.removeFirst()
          if !old.isStamped(UInt64(old.address)) { faults.add(1, ordering: .relaxed) }
          if let error = arena.errorOfGiving(old) { throw error }
          pairs.add(1, ordering: .relaxed)
        }
      } catch { faults.add(1, ordering: .relaxed) }
    }
    for run in live {
      if !run.isStamped(UInt64(run.address)) { faults.add(1, ordering: .relaxed) }
      if arena.errorOfGiving(run) != nil { faults.add(1, ordering: .relaxed) }
    }
  }
}
