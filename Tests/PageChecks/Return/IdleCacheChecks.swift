import CSysMem
import PageAlloc
import Synchronization

// Threads that have freed much, and do nothing since: what they keep at hand goes back all the
// same.

/// What an idle thread keeps at hand goes back on request and for a limit.
package let idleCacheChecks: [Check] = [
  Check("idle cache: scavenge takes it where the rest is not enough, and only then") { recorder in
    guard let arena = makeArena(&recorder), let run = arena.take(1600, &recorder) else { return }
    let idler = Hoarder(arena)
    run.stamp(1)
    whileIdle([idler], &recorder) { recorder in
      let hoard = arena.settledStatistics.cachedBytes
      recorder.expect(hoard >= Hoarder.byteCount, "\(hoard) bytes at hand")
      // Beyond what fits a cache, so that the heap has it.
      arena.give(run.part(0, 1500), &recorder)
      recorder.expect((try? arena.scavenge(byteCount: 8192)) ?? -1 >= 8192, "a page")
      recorder.expectEqual(
        arena.settledStatistics.cachedBytes, hoard, "at hand when the rest is enough")
      let wanted = Int(arena.settledStatistics.freeMaybeResidentBytes)
      recorder.expect((try? arena.scavenge(byteCount: wanted)) ?? -1 == wanted, "all of it")
      recorder.expectEqual(arena.settledStatistics.cachedBytes, 0, "at hand when it is not")
      recorder.expectEqual((try? arena.scavenge(byteCount: 8192)) ?? -1, 0, "more than there is")
    }
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("idle cache: a soft limit takes it before it gives way") { recorder in
    guard let arena = makeArena(&recorder), let live = arena.take(1000, &recorder) else { return }
    let idler = Hoarder(arena)
    whileIdle([idler], &recorder) { recorder in
      let hoard = arena.settledStatistics.cachedBytes
      let soft = (arena.statistics.maybeResidentBytes + (128 << 13)) & ~8191
      recorder.expect(
        (try? arena.setMemoryLimit(.bytes(soft: soft))) != nil,
        "a limit just above what is resident")
      recorder.expectEqual(arena.settledStatistics.cachedBytes, hoard, "at hand below the limit")
      // Fresh memory: of what is free there is not so much in a row.
      guard arena.take(600, &recorder) != nil else { return }
      recorder.expect(arena.statistics.maybeResidentBytes <= soft, "resident within the limit")
      recorder.expectEqual(arena.settledStatistics.cachedBytes, 0, "at hand")
      recorder.expect(arena.statistics.returned.limitBytes > 0, "given back for the limit")
    }
    arena.give(live, &recorder)
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("idle cache: a limit set below what is resident takes it at once") { recorder in
    guard let arena = makeArena(&recorder), arena.take(1000, &recorder) != nil else { return }
    whileIdle([Hoarder(arena)], &recorder) { recorder in
      recorder.expect((try? arena.setMemoryLimit(.bytes(soft: 1000 << 13))) != nil, "set")
      recorder.expectEqual(arena.statistics.maybeResidentBytes, 1000 << 13, "resident")
    }
  },

  Check("idle cache: without barriers it goes back, too") { recorder in
    let calls = FakeCalls()
    calls.hasBarriers.store(false, ordering: .relaxed)
    guard let arena = makeArena(&recorder, calls: calls) else { return }
    let idler = Hoarder(arena)
    whileIdle([idler], &recorder) { recorder in
      recorder.expect(arena.settledStatistics.cachedBytes > 0, "at hand")
      recorder.expect((try? arena.releaseFreeMemory()) != nil, "released")
      recorder.expectEqual(arena.settledStatistics.cachedBytes, 0, "at hand after release")
    }
    recorder.expectEqual(
      arena.settledStatistics.cachedBytes, 0, "at hand when the thread has ended")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },
]

/// The same by the scavenger's thread. The clock is real.
package let idleThreadChecks: [Check] = [
  Check("idle cache: the background takes those of many threads, none of which is large") {
    recorder in
    guard let arena = makeArena(&recorder, .quick()), let live = arena.take(4096, &recorder)
    else { return }
    var idlers: [Hoarder] = []
    for _ in 0..<8 { idlers.append(Hoarder(arena)) }
    whileIdle(idlers, &recorder) { recorder in
      let most = live.pages + live.pages / 10 + 128
      let isReturned = wait(10) { arena.statistics.maybeResidentBytes <= UInt64(most) << 13 }
      let statistics = arena.statistics
      recorder.expect(isReturned, "\(statistics.maybeResidentBytes) bytes stay")
      recorder.expectEqual(statistics.returned.requestedBytes, 0, "asked for")
      let taken = statistics.returned.backgroundBytes
      recorder.expect(taken > 0, "by the background")
    }
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  }
]

/// A thread that fills its cache, then sits idle until told to go on, and uses it again.
final class Hoarder: Sendable {
  private let arena: PageArena
  private let faults = Atomic<Int>(0)
  private let isIdle = Atomic<Bool>(false)
  private let isReleased = Atomic<Bool>(false)

  /// Bytes that it has at hand: runs of one size, as many as a cache keeps.
  static let byteCount = 16 * 32 << 13

  init(_ arena: PageArena) { self.arena = arena }

  fileprivate func run() {
    use()
    isIdle.store(true, ordering: .releasing)
    while !isReleased.load(ordering: .acquiring) { sleep(milliseconds: 1) }
    use()
  }

  private func use() {
    var runs: [Run] = []
    for index in 0..<16 {
      guard let run = try? arena.run(32) else {
        faults.add(1, ordering: .relaxed)
        return
      }
      run.stamp(UInt64(index))
      runs.append(run)
    }
    for index in 0..<runs.count {
      let isGood = runs[index].isStamped(UInt64(index)) && arena.errorOfGiving(runs[index]) == nil
      if !isGood { faults.add(1, ordering: .relaxed) }
    }
  }

  fileprivate func waitUntilIdle() {
    while !isIdle.load(ordering: .acquiring), faults.load(ordering: .relaxed) == 0 {
      sleep(milliseconds: 1)
    }
  }

  fileprivate func goOn() { isReleased.store(true, ordering: .releasing) }
  fileprivate var faultCount: Int { faults.load(ordering: .relaxed) }
}

/// Does something while threads sit idle with full caches; then they go on, and end.
func whileIdle(
  _ idlers: [Hoarder], _ recorder: inout Recorder, _ body: (inout Recorder) -> Void
) {
  runThreads(
    idlers,
    meanwhile: {
      for idler in idlers { idler.waitUntilIdle() }
      body(&recorder)
      for idler in idlers { idler.goOn() }
    }
  ) { $0.run() }
  for idler in idlers { recorder.expectEqual(idler.faultCount, 0, "faults in a thread") }
}
