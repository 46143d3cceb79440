import CSysMem
import PageAlloc
import SysMem
import Synchronization

/// Drains that run at once. The order of their steps is made by hand: each waits in its barrier.
package let cacheDrainChecks: [Check] = [
  Check("drain: takes nothing that another one closed after its barrier") { recorder in
    let calls = HookedCalls()
    let barriers = HeldBarriers(of: calls)
    guard let arena = makeArena(&recorder, calls: calls) else { return }
    withCache(of: arena, &recorder) { cache, recorder throws(PageArenaError) in
      try cache.fill()
      // What a refill brings, as long as the owner is let in: a block of 64 pages.
      let block: UInt64 = 64 << 13
      barriers.hold(first: 2)
      let first = Drain(of: arena)
      let second = Drain(of: arena)
      var failure: PageArenaError?
      runThreads(
        [first],
        meanwhile: {
          barriers.waitForBarrier(1)
          // The first drain closed the cache. The owner opens it by the lock, and uses it again.
          do throws(PageArenaError) { try cache.fill() } catch { failure = error }
          let held = arena.settledStatistics.cachedBytes
          recorder.expectEqual(held, block, "at hand again: the owner is let in")
          runThreads(
            [second],
            meanwhile: {
              barriers.waitForBarrier(2)
              // The second one closed it. For all that the first one knows, the owner is inside.
              barriers.letPass(1)
              first.waitUntilDone()
              recorder.expectEqual(
                arena.settledStatistics.cachedBytes, held, "at hand when the first drain is done")
              barriers.letPass(2)
            }
          ) { $0.run() }
        }
      ) { $0.run() }
      if let failure { throw failure }
      recorder.expectEqual(arena.settledStatistics.cachedBytes, 0, "at hand when both are done")
      try cache.fill()
      recorder.expectEqual(
        arena.settledStatistics.cachedBytes, block, "the owner is let in once more")
      recorder.expect(arena.brokenInvariant() == nil, "invariants")
    }
  },

  Check("drain: of two that found a cache closed, whichever comes first takes all") { recorder in
    for order in [[1, 2], [2, 1]] {
      recorder.context = "the one with barrier \(order[0]) first"
      let calls = HookedCalls()
      let barriers = HeldBarriers(of: calls)
      guard let arena = makeArena(&recorder, calls: calls) else { return }
      withCache(of: arena, &recorder) { cache, recorder throws(PageArenaError) in
        try cache.fill()
        barriers.hold(first: 2)
        let drains = [Drain(of: arena), Drain(of: arena)]
        runThreads(
          [drains[0]],
          meanwhile: {
            barriers.waitForBarrier(1)
            runThreads(
              [drains[1]],
              meanwhile: {
                // It found closed what the other one has closed.
                barriers.waitForBarrier(2)
                barriers.letPass(order[0])
                drains[order[0] - 1].waitUntilDone()
                recorder.expectEqual(
                  arena.settledStatistics.cachedBytes, 0, "at hand after one drain")
                recorder.expect(!drains[order[1] - 1].isDone, "the other is in its barrier")
                barriers.letPass(order[1])
              }
            ) { $0.run() }
          }
        ) { $0.run() }
        recorder.expect(arena.brokenInvariant() == nil, "invariants")
      }
    }
  },

  Check("drain: where barriers end, it takes from its own thread's cache, and then from all") {
    recorder in
    let calls = FakeCalls()
    guard let arena = makeArena(&recorder, calls: calls) else { return }
    withCache(of: arena, &recorder) { cache, recorder throws(PageArenaError) in
      try cache.fill()
      calls.hasBarriers.store(false, ordering: .relaxed)
      let others = arena.settledStatistics.cachedBytes
      recorder.expect(others > 0, "a handle has something at hand")
      guard let run = arena.take(3, &recorder) else { return }
      arena.give(run, &recorder)
      recorder.expect(arena.settledStatistics.cachedBytes > others, "and so has the thread")
      arena.drainCaches()
      recorder.expectEqual(arena.settledStatistics.cachedBytes, others, "at hand after the drain")
      // Its owner finds it closed, and gives all back: what is at hand then came by the refill.
      let one = try cache.run(1)
      recorder.expectEqual(arena.settledStatistics.cachedBytes, 63 << 13, "at hand after a refill")
      unsafe try cache.deallocate(one.pointer, pages: 1)
      // It has opened the cache, and passes a fence from now on.
      arena.drainCaches()
      recorder.expectEqual(arena.settledStatistics.cachedBytes, 0, "at hand after the next drain")
      recorder.expect(arena.brokenInvariant() == nil, "invariants")
    }
  },

  Check("drain: a cache goes from one owner to another in the middle of it") { recorder in
    let calls = HookedCalls()
    let barriers = HeldBarriers(of: calls)
    guard let arena = makeArena(&recorder, calls: calls) else { return }
    do throws(PageArenaError) {
      var cache: PageArena.Cache? = try arena.makeCache()
      try cache?.fill()
      barriers.hold(first: 1)
      let first = Drain(of: arena)
      var failure: PageArenaError?
      runThreads(
        [first],
        meanwhile: {
          barriers.waitForBarrier(1)
          do throws(PageArenaError) {
            let before = arena.statistics.metadataBytes
            cache = nil
            cache = try arena.makeCache()
            recorder.expectEqual(arena.statistics.metadataBytes, before, "the same cache")
            try cache?.fill()
          } catch { failure = error }
          let held = arena.settledStatistics.cachedBytes
          recorder.expect(held > 0, "the new owner is let in")
          barriers.letPass(1)
          first.waitUntilDone()
          recorder.expectEqual(arena.settledStatistics.cachedBytes, held, "at hand after the drain")
        }
      ) { $0.run() }
      if let failure { throw failure }
      recorder.expect(arena.brokenInvariant() == nil, "invariants")
    } catch { recorder.fail(error.description) }
  },
]

extension PageArena.Cache {
  /// Takes runs and gives them back, so that some are at hand.
  fileprivate mutating func fill() throws(PageArenaError) {
    var runs: [Run] = []
    for index in 0..<20 { runs.append(try run(1 + index % 5)) }
    for run in runs { unsafe try deallocate(run.pointer, pages: run.pages) }
  }
}

/// A drain on a thread of its own.
private final class Drain: Sendable {
  private let arena: PageArena
  private let done = Atomic<Bool>(false)

  init(of arena: PageArena) { self.arena = arena }

  var isDone: Bool { done.load(ordering: .acquiring) }

  func run() {
    arena.drainCaches()
    done.store(true, ordering: .releasing)
  }

  func waitUntilDone() { while !isDone { sched_yield() } }
}

/// Whoever has the kernel pass a barrier waits in that call until told to go on.
private final class HeldBarriers: Sendable {
  /// How many barriers are held.
  private let heldCount = Atomic<Int>(0)
  /// Barriers since then.
  private let count = Atomic<Int>(0)
  /// Bit n: barrier n may pass.
  private let passes = Atomic<UInt32>(0)

  init(of calls: HookedCalls) {
    calls.setHook { call in if call == .membarrier { self.pass() } }
  }

  /// From now on barriers are numbered from 1, and the first few wait.
  func hold(first count: Int) { heldCount.store(count, ordering: .releasing) }

  func waitForBarrier(_ number: Int) {
    while count.load(ordering: .acquiring) < number { sched_yield() }
  }

  func letPass(_ number: Int) {
    passes.bitwiseOr(1 << UInt32(number), ordering: .acquiringAndReleasing)
  }

  private func pass() {
    let heldCount = heldCount.load(ordering: .acquiring)
    if heldCount == 0 { return }
    let number = count.add(1, ordering: .acquiringAndReleasing).newValue
    while number <= heldCount, passes.load(ordering: .acquiring) >> UInt32(number) & 1 == 0 {
      sched_yield()
    }
  }
}
