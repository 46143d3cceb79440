import PageAlloc
import Synchronization

/// What a limit refuses while several threads ask, and what one that is far away costs.
package let hardLimitChecks: [Check] = [
  Check("hard limit: what others merely ask for does not count") { recorder in
    guard let arena = makeGrownArena(&recorder, hardPages: 8192),
      let live = arena.take(4096, &recorder)
    else { return }
    let asker = Asker(arena)
    var refusals = 0
    runThreads(
      [asker],
      meanwhile: {
        asker.waitUntilAsking()
        for _ in 0..<2000 {
          guard let run = try? arena.run(600) else {
            refusals += 1
            continue
          }
          arena.give(run.part(300, 300), &recorder)
          arena.give(run.part(0, 300), &recorder)
          _ = try? arena.scavenge(byteCount: 600 * 8192)
        }
        asker.isDone.store(true, ordering: .relaxed)
      }
    ) { $0.ask() }
    recorder.expectEqual(refusals, 0, "refusals of what always fits")
    recorder.expectEqual(asker.granted.load(ordering: .relaxed), 0, "grants of what never fits")
    arena.give(live, &recorder)
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("hard limit: never is more granted, and what fits for good is never refused") { recorder in
    // Four takers hold 300 pages each at the most; one asks for what never fits, too.
    let hard = 1200
    guard let arena = makeGrownArena(&recorder, hardPages: hard) else { return }
    let granted = Granted(bound: hard)
    let takers = (0..<4).map { Taker(arena, granted, seed: $0, asksTooMuch: $0 == 3) }
    runThreads(takers) { $0.run() }
    recorder.expectEqual(granted.violations.load(ordering: .relaxed), 0, "grants beyond the limit")
    recorder.expectEqual(granted.refusals.load(ordering: .relaxed), 0, "refusals of what fits")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("hard limit: what caches hold is had back before anything is refused") { recorder in
    guard let arena = makeArena(&recorder, limit: .bytes(hard: 256 * 8192)) else { return }
    var runs: [Run] = []
    for _ in 0..<8 {
      guard let run = arena.take(32, &recorder) else { return }
      runs.append(run)
    }
    for run in runs { arena.give(run, &recorder) }
    recorder.expect(arena.statistics.cachedBytes > 0, "something is in the cache")
    guard let whole = arena.take(256, &recorder) else { return }
    recorder.expect(arena.errorOfTaking(1) != nil, "one page more")
    arena.give(whole, &recorder)
  },

  Check("hard limit: what a refusal gives back leaves other runs of a large page alone") {
    recorder in
    let calls = FakeCalls(physicalPageSize: 64 << 10)
    guard let arena = makeArena(&recorder, calls: calls, caching: false) else { return }
    // Pages that are free, and that such a kernel cannot take, since others of its page are in use.
    guard let all = arena.take(48, &recorder) else { return }
    all.stamp(2)
    for page in stride(from: 5, to: 32, by: 8) { arena.give(all.part(page, 3), &recorder) }
    let last = all.part(43, 5)
    last.stamp(3)
    arena.give(all.part(32, 11), &recorder)
    _ = try? arena.releaseFreeMemory()
    recorder.succeeds("a limit") { () throws(PageArenaError) in
      try arena.setMemoryLimit(.bytes(hard: 40 * 8192))
    }
    _ = calls.takeGivenBack()
    guard case .limitReached(11, _, 40 * 8192)? = arena.errorOfTaking(11) else {
      return recorder.fail("taken, or another error")
    }
    recorder.expectEqual(calls.misalignedCount.load(ordering: .relaxed), 0, "parts of pages")
    recorder.expect(last.isStamped(3), "what lies behind it")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("hard limit: lowered below what is in use, nothing is had before enough was freed") {
    recorder in
    guard let arena = makeArena(&recorder) else { return }
    withCache(of: arena, &recorder) { cache, recorder throws(PageArenaError) in
      var runs: [Run] = []
      for _ in 0..<100 { runs.append(try cache.run(1)) }
      try arena.setMemoryLimit(.bytes(hard: 50 * 8192))
      for left in stride(from: 100, to: 50, by: -1) {
        recorder.context = "\(left) in use"
        recorder.expect((try? cache.run(1)) == nil, "one page more")
        recorder.expect(arena.errorOfTaking(1) != nil, "one page more, without the handle")
        let run = runs.removeLast()
        unsafe try cache.deallocate(run.pointer, pages: 1)
      }
      recorder.context = "50 in use"
      recorder.expect((try? cache.run(1)) == nil, "one page more")
      let run = runs.removeLast()
      unsafe try cache.deallocate(run.pointer, pages: 1)
      recorder.expect((try? cache.run(1)) != nil, "what was freed")
      recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
    }
  },

  Check("limits: caches are refilled below one, a page at a time beside it") { recorder in
    // The first page makes the arena grow. For the second a block comes, the rest of which is
    // fresh.
    for (soft, cached) in [(64, 62), (1 << 17, 62), (63, 0), (2, 0)] {
      recorder.context = "a limit of \(soft) pages"
      guard let arena = makeArena(&recorder, limit: .bytes(soft: UInt64(soft) << 13)) else {
        return
      }
      withCache(of: arena, &recorder) { cache, recorder throws(PageArenaError) in
        _ = try cache.run(1)
        let run = try cache.run(1)
        recorder.expectEqual(arena.statistics.cachedBytes >> 13, UInt64(cached), "at hand")
        unsafe try cache.deallocate(run.pointer, pages: 1)
      }
    }
    recorder.context = ""
    guard let arena = makeArena(&recorder, limit: .bytes(hard: 64 << 13)) else { return }
    withCache(of: arena, &recorder) { cache, recorder throws(PageArenaError) in
      for _ in 0..<64 { _ = try cache.run(1) }
      recorder.expect((try? cache.run(1)) == nil, "beyond the limit")
    }
  },
]

/// An arena that has room for all that is asked for, and a limit that does not allow it.
private func makeGrownArena(_ recorder: inout Recorder, hardPages: Int) -> PageArena? {
  guard let arena = makeArena(&recorder), let run = arena.take(20_000, &recorder) else {
    return nil
  }
  arena.give(run, &recorder)
  do throws(PageArenaError) {
    _ = try arena.releaseFreeMemory()
    try arena.setMemoryLimit(.bytes(hard: UInt64(hardPages) * 8192))
  } catch { recorder.fail(error.description) }
  return arena
}

/// Asks for what it can never have.
private final class Asker: Sendable {
  let arena: PageArena
  let isDone = Atomic<Bool>(false)
  let asked = Atomic<Int>(0)
  let granted = Atomic<Int>(0)

  init(_ arena: PageArena) { self.arena = arena }

  func ask() {
    while !isDone.load(ordering: .relaxed) {
      if arena.errorOfTaking(5120) == nil { granted.add(1, ordering: .relaxed) }
      asked.add(1, ordering: .relaxed)
    }
  }

  func waitUntilAsking() { while asked.load(ordering: .relaxed) == 0 {} }
}

/// What all takers have.
private final class Granted: Sendable {
  let bound: Int
  let pages = Atomic<Int>(0)
  let violations = Atomic<Int>(0)
  let refusals = Atomic<Int>(0)

  init(bound: Int) { self.bound = bound }
}

/// Takes and frees at random.
private final class Taker: Sendable {
  let arena: PageArena
  let granted: Granted
  let seed: Int
  let asksTooMuch: Bool

  init(_ arena: PageArena, _ granted: Granted, seed: Int, asksTooMuch: Bool) {
    self.arena = arena
    self.granted = granted
    self.seed = seed
    self.asksTooMuch = asksTooMuch
  }

  func run() {
    var random = SplitMix64(seed: UInt64(seed))
    for _ in 0..<3000 {
      let isTooMuch = asksTooMuch && random.below(2) == 0
      let pages = 1 + random.below(300) + (isTooMuch ? granted.bound : 0)
      guard let run = try? arena.run(pages) else {
        if !isTooMuch { granted.refusals.add(1, ordering: .relaxed) }
        continue
      }
      let all = granted.pages.add(pages, ordering: .sequentiallyConsistent).newValue
      if all > granted.bound { granted.violations.add(1, ordering: .relaxed) }
      granted.pages.subtract(pages, ordering: .sequentiallyConsistent)
      if arena.errorOfGiving(run) != nil { granted.violations.add(1, ordering: .relaxed) }
    }
  }
}
