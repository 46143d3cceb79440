import PageAlloc
import Synchronization

/// A thread and its caches of many arenas: those in the first places, and those in its table.
package let threadSlotsChecks: [Check] = [
  Check("thread slots: a thread finds its caches of 1, 9 and 300 arenas, and gives all back") {
    recorder in
    for count in [1, 9, 300] {
      recorder.context = "\(count) arenas"
      // 64 MiB of address space each.
      if Reservation.offsetsAreAddresses, count > 16 {
        recorder.leaveOut("300 arenas at once: too little address space on 32 bits")
        continue
      }
      var arenas: [PageArena] = []
      for _ in 0..<count {
        guard let arena = makeArena(&recorder, byteCount: 64 << 20) else { return }
        arenas.append(arena)
      }
      let user = SlotUser(arenas)
      runThreads([user]) { $0.use() }
      recorder.expectEqual(user.faults.load(ordering: .relaxed), 0, "faults")
      recorder.expectEqual(user.rounds.load(ordering: .relaxed), 3, "rounds")
      for (index, arena) in arenas.enumerated() {
        let statistics = arena.statistics
        recorder.expectEqual(statistics.inUseBytes, 0, "in use in arena \(index)")
        recorder.expectEqual(statistics.cachedBytes, 0, "cached in arena \(index)")
        recorder.expect(arena.brokenInvariant() == nil, "arena \(index) is sound")
      }
      // The caches that the thread left behind are another thread's.
      let mapped = arenas.map { $0.statistics.metadataBytes }
      let other = SlotUser(arenas)
      runThreads([other]) { $0.use() }
      recorder.expectEqual(other.faults.load(ordering: .relaxed), 0, "faults of the next thread")
      recorder.expect(
        arenas.map { $0.statistics.metadataBytes } == mapped, "caches are used again")
    }
  },

  Check("thread slots: the slots of arenas that went fit no other arena in their places") {
    recorder in
    let rounds = Reservation.offsetsAreAddresses ? 4 : 12
    for round in 0..<rounds {
      recorder.context = "round \(round)"
      var arenas: [PageArena] = []
      for _ in 0..<12 {
        guard let arena = makeArena(&recorder, byteCount: 64 << 20) else { return }
        arenas.append(arena)
      }
      // On this thread, which goes on.
      let user = SlotUser(arenas)
      user.use()
      recorder.expectEqual(user.faults.load(ordering: .relaxed), 0, "faults")
      for (index, arena) in arenas.enumerated() {
        recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use in arena \(index)")
        recorder.expect(arena.brokenInvariant() == nil, "arena \(index) is sound")
      }
    }
  },

  Check("thread slots: an arena's figures count its cache, whichever arena was used last") {
    recorder in
    guard let arena = makeArena(&recorder), let other = makeArena(&recorder) else { return }
    // More than one reading asks for what they counted.
    let handles = (0..<40).compactMap { _ in CountedHandle(arena) }
    recorder.expectEqual(handles.count, 40, "handles")
    for round in 0..<3 {
      recorder.context = "round \(round)"
      guard let run = arena.take(33, &recorder) else { return }
      arena.give(run, &recorder)
      let before = arena.statistics
      // Without a word: the hot run, and then a part of it.
      guard arena.take(33, &recorder) == run else { return recorder.fail("the hot run") }
      arena.give(run, &recorder)
      guard let part = arena.take(20, &recorder), let one = other.take(1, &recorder) else { return }
      let now = arena.statistics
      recorder.expectEqual(now.inUseBytes, before.inUseBytes + 20 << 13, "in use")
      recorder.expectEqual(now.cachedBytes, before.cachedBytes - 20 << 13, "cached")
      recorder.expectEqual(now.allocations, before.allocations + 2, "handed out")
      recorder.expectEqual(now.frees, before.frees + 1, "taken back")
      recorder.expect(now.runSizes != before.runSizes, "the part counts by its size")
      recorder.expectEqual(other.statistics.inUseBytes, 1 << 13, "in use elsewhere")
      // It is still the other's cache that is found at once.
      recorder.expect(other.insideOwnCache {}, "the slot used last")
      other.give(one, &recorder)
      arena.give(part, &recorder)
      recorder.expect((try? arena.releaseFreeMemory()) != nil, "given back")
    }
    recorder.context = ""
    // They live until here.
    for handle in handles { handle.pairs(1) }
  },

  Check("thread slots: a pool's figures are exact after a frame of another arena") { recorder in
    guard let pool = makePool(&recorder), let other = makeArena(&recorder) else { return }
    guard let run = pool.take(33, &recorder) else { return }
    recorder.expect(pool.errorOfGiving(run) == nil, "freed")
    recorder.expectEqual(pool.statistics.inUseBytes, 0, "in use")
    guard let again = pool.take(33, &recorder), let one = other.take(1, &recorder) else { return }
    recorder.expectEqual(pool.statistics.inUseBytes, 33 << 13, "in use, taken without a word")
    recorder.expect(pool.errorOfGiving(again) == nil, "freed")
    other.give(one, &recorder)
    recorder.expectEqual(pool.statistics.inUseBytes, 0, "in use in the end")
  },

  Check("thread slots: without barriers a drain finds the thread's cache wherever it is") {
    recorder in
    let calls = FakeCalls()
    guard let arena = makeArena(&recorder, calls: calls), let other = makeArena(&recorder),
      let run = arena.take(60, &recorder)
    else { return }
    arena.give(run, &recorder)
    recorder.expect(arena.statistics.cachedBytes >= 60 << 13, "at hand")
    guard let one = other.take(1, &recorder) else { return }
    // The cache was opened before the first refusal: nobody else may take from it.
    calls.hasBarriers.store(false, ordering: .relaxed)
    recorder.expect((try? arena.releaseFreeMemory()) != nil, "given back")
    recorder.expectEqual(arena.statistics.maybeResidentBytes, 0, "resident")
    other.give(one, &recorder)
  },

  Check("thread slots: a call inside of a cache is refused after a call of another arena") {
    recorder in
    guard let arena = makeArena(&recorder), let other = makeArena(&recorder),
      let first = arena.take(3, &recorder), let second = arena.take(5, &recorder)
    else { return }
    arena.give(first, &recorder)
    arena.give(second, &recorder)
    // As the handler of a signal does.
    let isServed = arena.insideOwnCache {
      if let one = other.take(1, &recorder) { other.give(one, &recorder) }
      do throws(PageArenaError) {
        try arena.releaseFreeMemory()
        recorder.fail("not refused")
      } catch { recorder.expect(error == .reentered, "refused: \(error.description)") }
      recorder.expectEqual(arena.statistics.inUseBytes, 5 << 13, "as it was told")
    }
    recorder.expect(isServed, "inside")
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use")
    recorder.expect((try? arena.releaseFreeMemory()) != nil, "from outside")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },
]

/// Uses each of some arenas in turn, three times.
private final class SlotUser: Sendable {
  let arenas: [PageArena]
  let faults = Atomic<Int>(0)
  let rounds = Atomic<Int>(0)

  init(_ arenas: [PageArena]) { self.arenas = arenas }

  func use() {
    var addresses: [UInt] = []
    for round in 0..<3 {
      for (index, arena) in arenas.enumerated() {
        guard let run = try? arena.run(1 + index % 5) else {
          faults.add(1, ordering: .relaxed)
          continue
        }
        run.stamp(UInt64(index))
        // Of the cache that was found: what was put there the last time comes again.
        if round == 0 {
          addresses.append(run.address)
        } else if addresses[index] != run.address {
          faults.add(1, ordering: .relaxed)
        }
        if !run.isStamped(UInt64(index)) { faults.add(1, ordering: .relaxed) }
        if arena.errorOfGiving(run) != nil { faults.add(1, ordering: .relaxed) }
        if arena.statistics.cachedBytes == 0 { faults.add(1, ordering: .relaxed) }
      }
      rounds.add(1, ordering: .relaxed)
    }
  }
}
