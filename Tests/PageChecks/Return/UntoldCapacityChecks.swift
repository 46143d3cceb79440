import PageAlloc
import Synchronization

/// What a cache may hold without a word is counted: idle threads' caches go back however they came
/// to be filled. The clock is real.
package let untoldCapacityChecks: [Check] = [
  Check("untold capacity: what many threads free goes back, each far below a first capacity") {
    recorder in
    guard let arena = makeArena(&recorder, .quick()) else { return }
    var idlers: [SlowFreer] = []
    for _ in 0..<16 { idlers.append(SlowFreer(arena, filledBefore: false)) }
    free(idlers, arena, &recorder)
  },

  Check("untold capacity: what a cache was let hold, and gave back, is not held again unseen") {
    recorder in
    guard let arena = makeArena(&recorder, .quick()) else { return }
    var idlers: [SlowFreer] = []
    for _ in 0..<16 { idlers.append(SlowFreer(arena, filledBefore: true)) }
    free(idlers, arena, &recorder)
  },

  Check("untold capacity: a drain closes an empty cache, too, that may be filled") { recorder in
    var list = CacheList(isClosedForGood: false)
    let cache = BareCache(capacity: 0)
    list.add(cache.reference)
    recorder.expect(list.close() == nil, "it may hold nothing")
    cache.raiseCapacity(for: 1, limit: 128)
    list.noteCapacity(of: cache.reference)
    recorder.expectEqual(list.totalCapacity, 128, "what it may hold")
    recorder.expect(list.close() != nil && cache.reference.front.isClosed, "closed")
    recorder.expect(!cache.giveFresh(512, 1), "its owner stays outside")
    list.reopen(cache.reference)
    recorder.expect(cache.give(512, 1), "open again")
  },

  Check("untold capacity: all that caches may hold is counted, whatever fills them") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    for size in [1, 3, 16, 40, 127, 128, 600] {
      var runs: [Run] = []
      for _ in 0..<40 {
        guard let run = arena.take(size, &recorder) else { return }
        runs.append(run)
      }
      for run in runs { arena.give(run, &recorder) }
      recorder.expect(arena.brokenInvariant() == nil, "the invariants hold after \(size) pages")
      if size == 40 { _ = try? arena.releaseFreeMemory() }
    }
    recorder.expect((try? arena.releaseFreeMemory()) != nil, "released")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold at the end")
  },
]

/// Lets threads free what they have one after another, while the scavenger sleeps in between, and
/// sees all of it go back but for what may always stay: 1 MiB by the goal and 1 MiB unwatched.
private func free(_ idlers: [SlowFreer], _ arena: PageArena, _ recorder: inout Recorder) {
  runThreads(
    idlers,
    meanwhile: {
      for idler in idlers { idler.wait(for: .full) }
      // The scavenger parks.
      sleep(milliseconds: 300)
      for idler in idlers {
        idler.advance(to: .empty)
        idler.wait(for: .idle)
        sleep(milliseconds: 10)
      }
      let isReturned = wait(10) { arena.statistics.maybeResidentBytes <= 256 << 13 }
      recorder.expect(isReturned, "\(arena.statistics.maybeResidentBytes) bytes stay")
      for idler in idlers { idler.advance(to: .end) }
    }
  ) { $0.run() }
  recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
}

/// A thread that takes 62 pages, in runs of a size of which a cache has room for more, and frees
/// them when it is told, with a pause.
private final class SlowFreer: Sendable {
  enum Phase: Int { case start, full, empty, idle, end }

  private let arena: PageArena
  private let isFilledBefore: Bool
  private let phase = Atomic<Int>(Phase.start.rawValue)

  init(_ arena: PageArena, filledBefore: Bool) {
    self.arena = arena
    isFilledBefore = filledBefore
  }

  func run() {
    if isFilledBefore {
      let runs = take()
      for run in runs { _ = arena.errorOfGiving(run) }
    }
    let runs = take()
    advance(to: .full)
    wait(for: .empty)
    for (index, run) in runs.enumerated() {
      _ = arena.errorOfGiving(run)
      // The first free is by the lock, which the scavenger has forgotten by the time of the others.
      if index == 0 { sleep(milliseconds: 5) }
    }
    advance(to: .idle)
    wait(for: .end)
  }

  private func take() -> [Run] {
    var runs: [Run] = []
    for _ in 0..<31 {
      guard let run = try? arena.run(2) else { continue }
      run.stamp(1)
      runs.append(run)
    }
    return runs
  }

  func advance(to next: Phase) { phase.store(next.rawValue, ordering: .releasing) }

  func wait(for wanted: Phase) {
    while phase.load(ordering: .acquiring) < wanted.rawValue { sleep(milliseconds: 1) }
  }
}
