import PageAlloc
import SysMem

/// What an arena says of the pages in its caches.
package let heldPagesChecks: [Check] = [
  Check("cached pages: off by a batch and the hot runs a cache, exact when caches are drained") {
    recorder in
    guard let arena = makeArena(&recorder, byteCount: 256 << 20) else { return }
    let handles = (0..<8).compactMap { _ in HandleOwner(arena) }
    recorder.expectEqual(handles.count, 8, "handles")
    var random = SplitMix64(seed: 13)
    for step in 0..<4_000 {
      handles[random.below(8)].step(&random, &recorder)
      if step % 50 != 0 { continue }
      let live = handles.reduce(0) { $0 + $1.livePages }
      let off = Int(arena.statistics.inUseBytes >> 13) - live
      let most = 8 * (CacheTally.batch + 2 * 127)
      recorder.expect(abs(off) <= most, "step \(step): \(off) pages off")
      if !recorder.isGood { return }
    }
    _ = try? arena.releaseFreeMemory()
    let live = handles.reduce(0) { $0 + $1.livePages }
    recorder.expectEqual(Int(arena.statistics.inUseBytes >> 13), live, "in use after a drain")
    recorder.expectEqual(arena.statistics.cachedBytes, 0, "at hand after a drain")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("cached pages: a long run that is kept, and one that was discarded, are not cached") {
    recorder in
    guard let arena = makeArena(&recorder, byteCount: 256 << 20),
      let live = arena.take(512, &recorder), let long = arena.take(16_384, &recorder)
    else { return }
    arena.give(long, &recorder)
    let kept = arena.statistics
    recorder.expectEqual(kept.cachedBytes, 0, "at hand")
    recorder.expectEqual(kept.keptLongBytes, 16_384 << 13, "kept long")
    recorder.expectEqual(kept.inUseBytes, 512 << 13, "in use")
    recorder.expect(kept.freeMaybeResidentBytes >= kept.keptLongBytes, "part of what is free")
    expectSum(kept, &recorder)
    arena.give(live, &recorder)
    _ = try? arena.releaseFreeMemory()
    recorder.expectEqual(arena.statistics.keptLongBytes, 0, "kept long after release")

    guard var run = arena.own(64, &recorder) else { return }
    run.stamp(1)
    let before = arena.statistics
    recorder.succeeds("discard") { () throws(PageArenaError) in try run.discard() }
    let discarded = arena.statistics
    recorder.expectEqual(discarded.returned.discardedBytes, 64 << 13, "discarded")
    recorder.expectEqual(discarded.inUseBytes, before.inUseBytes, "in use, still")
    // Written to again: what the end of the run must not leave to the next owner.
    run.stamp(2)
    run.deallocate()
    let after = arena.statistics
    recorder.expectEqual(after.scavengedBytes, before.scavengedBytes + 64 << 13, "free and empty")
    recorder.expectEqual(after.freeMaybeResidentBytes, before.freeMaybeResidentBytes, "free")
    expectSum(after, &recorder)
    guard let again = arena.take(64, zeroed: true, &recorder) else { return }
    recorder.expect(again.isZero, "zero")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("cached pages: what a thread does itself is exact") { recorder in
    guard let arena = makeArena(&recorder, byteCount: 64 << 20) else { return }
    var random = SplitMix64(seed: 14)
    var live: [Run] = []
    var livePages = 0
    for _ in 0..<2_000 {
      if random.below(2) == 0 || live.isEmpty {
        guard let run = arena.take(1 + random.below(40), &recorder) else { return }
        live.append(run)
        livePages += run.pages
      } else {
        let run = live.remove(at: random.below(live.count))
        livePages -= run.pages
        arena.give(run, &recorder)
      }
      recorder.expectEqual(Int(arena.statistics.inUseBytes >> 13), livePages, "in use")
      if !recorder.isGood { return }
    }
  },
]

private func expectSum(_ figures: PageArena.Statistics, _ recorder: inout Recorder) {
  recorder.expectEqual(
    figures.inUseBytes + figures.freeMaybeResidentBytes + figures.scavengedBytes,
    figures.readyBytes, "the sum")
}

/// Judges times, so it runs alone.
package let heldPagesAloneChecks: [Check] = [
  Check("cached pages: a reading costs the same beside 1,000 caches") { recorder in
    guard let arena = makeArena(&recorder, byteCount: 64 << 20) else { return }
    let one = readingTime(arena)
    let handles = (0..<1_000).compactMap { _ in HandleOwner(arena) }
    recorder.expectEqual(handles.count, 1_000, "handles")
    let many = readingTime(arena)
    recorder.expect(many <= 4 * one, "\(many) ns beside 1,000 caches, \(one) alone")
  },

  Check("hard limit: a refusal costs the same beside 1,000 caches that hold nothing") { recorder in
    guard let arena = makeArena(&recorder, limit: .bytes(hard: 16 << 20)),
      let run = arena.take(2048, &recorder)
    else { return }
    let one = refusalTime(arena)
    let handles = (0..<1_000).compactMap { _ in HandleOwner(arena) }
    recorder.expectEqual(handles.count, 1_000, "handles")
    let many = refusalTime(arena)
    recorder.expect(many <= 4 * one, "\(many) ns beside 1,000 caches, \(one) alone")
    arena.give(run, &recorder)
  },
]

/// The least time of 100 readings, of many.
private func readingTime(_ arena: PageArena) -> UInt64 {
  timeOfHundred { _ = arena.statistics }
}

/// The least time of 100 requests that the limit refuses, of many.
private func refusalTime(_ arena: PageArena) -> UInt64 {
  timeOfHundred { _ = unsafe try? arena.allocate(pages: 1) }
}

private func timeOfHundred(_ body: () -> Void) -> UInt64 {
  var least = UInt64.max
  for _ in 0..<100 {
    let start = Moment.now
    for _ in 0..<100 { body() }
    least = min(least, Moment.now.elapsed(since: start))
  }
  return max(least, 1)
}

/// A handle, and the runs that were taken by it.
private final class HandleOwner {
  private var cache: PageArena.Cache
  private var live: [Run] = []
  private(set) var livePages = 0

  init?(_ arena: PageArena) {
    guard let cache = try? arena.makeCache() else { return nil }
    self.cache = cache
  }

  /// Takes a run, or gives one back; short and long ones.
  func step(_ random: inout SplitMix64, _ recorder: inout Recorder) {
    do throws(PageArenaError) {
      if live.count < 4 || (live.count < 40 && random.below(2) == 0) {
        let pages = random.below(8) == 0 ? 128 + random.below(3) : 1 + random.below(127)
        let run = unsafe Run(try cache.allocate(pages: pages), pages: pages)
        live.append(run)
        livePages += pages
      } else {
        let run = live.remove(at: random.below(live.count))
        livePages -= run.pages
        try unsafe cache.deallocate(run.pointer, pages: run.pages)
      }
    } catch { recorder.fail(error.description) }
  }
}

extension PageArena.Statistics {
  /// What is nobody's and could be handed out as it is, by a cache or by the arena.
  var atHandBytes: UInt64 { cachedBytes + keptLongBytes }
}
