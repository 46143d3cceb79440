import CSysMem
import PageAlloc
import Synchronization

/// A kernel that refuses to have all threads pass a barrier: the owners of caches pass fences.
package let barrierChecks: [Check] = [
  Check("no barriers: what idle threads have at hand is had back for a request") { recorder in
    let calls = FakeCalls()
    calls.hasBarriers.store(false, ordering: .relaxed)
    guard let arena = makeArena(&recorder, calls: calls, limit: .bytes(hard: 16 << 20)) else {
      return
    }
    let threads = [0, 1, 2, 3].map { _ in Idler(arena) }
    runThreads(
      threads,
      meanwhile: {
        for thread in threads {
          recorder.expect(wait(5) { thread.isIdle.load(ordering: .acquiring) }, "a thread is idle")
        }
        recorder.expect(arena.settledStatistics.cachedBytes >= 12 << 20, "at hand")
        if let run = arena.take(1024, &recorder) { arena.give(run, &recorder) }
        for thread in threads { thread.isLeaving.store(true, ordering: .releasing) }
      }
    ) { $0.run() }
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("no barriers: a cache is used without the lock, and by owners, too") { recorder in
    let calls = FakeCalls()
    calls.hasBarriers.store(false, ordering: .relaxed)
    guard let arena = makeArena(&recorder, calls: calls) else { return }
    for pages in [1, 16, 300] {
      guard let first = arena.take(pages, &recorder) else { return }
      arena.give(first, &recorder)
      let before = arena.statistics.cachedBytes
      recorder.expect(before >= UInt64(pages) << 13, "at hand")
      for _ in 0..<10 {
        guard let again = arena.take(pages, &recorder) else { return }
        recorder.expect(again == first, "the same again")
        recorder.expectEqual(
          arena.statistics.cachedBytes, before - UInt64(pages) << 13, "without it")
        arena.give(again, &recorder)
      }
      if let owned = arena.own(pages, &recorder) {
        recorder.expectEqual(owned.pages, pages, "an owner's pages")
      }
      recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use")
      arena.drainCaches()
      recorder.expectEqual(arena.statistics.cachedBytes, 0, "at hand after a drain")
    }
  },

  Check("no barriers: threads at work while their caches are drained, refused early or late") {
    recorder in
    for isLate in [false, true] {
      recorder.context = isLate ? "refused when the threads are at work" : "refused at once"
      let calls = FakeCalls()
      calls.hasBarriers.store(isLate, ordering: .relaxed)
      do {
        guard let arena = makeArena(&recorder, calls: calls) else { return }
        let steps = isEmulated ? 4000 : 30_000
        let workers = [Churn(arena, seed: 1, steps: steps), Churn(arena, seed: 2, steps: steps)]
        let drainer = Churn(arena, seed: 0)
        let left = Countdown(workers.count)
        runThreads(workers + [drainer]) { worker in
          if worker.seed != 0 {
            worker.churn()
            left.count.subtract(1, ordering: .releasing)
            return
          }
          var rounds = 0
          while left.count.load(ordering: .acquiring) > 0 {
            arena.drainCaches()
            rounds += 1
            if rounds == 20 { calls.hasBarriers.store(false, ordering: .relaxed) }
          }
        }
        for worker in workers {
          recorder.expectEqual(worker.faults.load(ordering: .relaxed), 0, "faults in a thread")
        }
        recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
        // Owners outlive the arena, and the core is kept where it must be.
        if var owner = arena.own(2, &recorder) { owner.stamp(7) }
      }
    }
  },
]

/// Threads that are still at work: an object, since Embedded Swift has no closure that captures an
/// atomic.
private final class Countdown: Sendable {
  let count: Atomic<Int>

  init(_ count: Int) { self.count = Atomic(count) }
}

/// A thread that frees 4 MiB into its cache and stays.
private final class Idler: Sendable {
  let arena: PageArena
  let isIdle = Atomic<Bool>(false)
  let isLeaving = Atomic<Bool>(false)

  init(_ arena: PageArena) { self.arena = arena }

  func run() {
    let runs = (0..<8).compactMap { _ in try? arena.run(60) }
    for run in runs { _ = arena.errorOfGiving(run) }
    isIdle.store(true, ordering: .releasing)
    while !isLeaving.load(ordering: .acquiring) { sleep(milliseconds: 1) }
  }
}
