import PageAlloc

// Aligned and other runs, taken and freed by all the ways there are, beside a count of what is in
// use. Whose a page is, what it holds tells.

/// Random operations on arenas of every kind.
package let alignedModelChecks: [Check] = [
  Check("aligned: random runs, with caches") { recorder in
    play(PageArena.Options(), &recorder)
  },
  Check("aligned: random runs, with little in caches") { recorder in
    play(PageArena.Options(threadCacheByteCount: 1 << 20), &recorder)
  },
  Check("aligned: random runs, without caches") { recorder in
    play(PageArena.Options(threadCacheByteCount: 0), &recorder)
  },
  Check("aligned: random runs, under a limit") { recorder in
    play(PageArena.Options(memoryLimit: .bytes(soft: 4 << 20)), &recorder)
  },
  Check("aligned: random runs, checked") { recorder in
    var options = PageArena.Options()
    options.diagnosis = .checked(quarantineByteCount: 1 << 20)
    options.reportsMistakes = false
    play(options, &recorder)
  },
]

private func play(_ options: PageArena.Options, _ recorder: inout Recorder) {
  for seed in UInt64(1)...4 {
    recorder.context = "seed \(seed)"
    var options = options
    options.scavenging = .manual
    guard let arena = makeArena(&recorder, options) else { return }
    do throws(PageArenaError) {
      var model = AlignedModel(arena, cache: try arena.makeCache(), seed: seed)
      for step in 0..<1500 {
        try model.step(&recorder)
        if step % 100 == 0 { model.look(&recorder) }
        if !recorder.isGood { return }
      }
      try model.finish(&recorder)
    } catch { recorder.fail(error.description) }
  }
}

/// What was taken, by whom, and what was written to it.
private struct AlignedModel: ~Copyable {
  let arena: PageArena
  var cache: PageArena.Cache
  var random: SplitMix64
  var runs: [(run: Run, stamp: UInt64)] = []
  var owned = RunList(capacity: 32)
  var ownedStamps: [UInt64] = []
  var pagesInUse = 0

  init(_ arena: PageArena, cache: consuming PageArena.Cache, seed: UInt64) {
    self.arena = arena
    self.cache = cache
    random = SplitMix64(seed: seed)
  }

  mutating func step(_ recorder: inout Recorder) throws(PageArenaError) {
    switch random.below(16) {
    case 0...3: if runs.count < 32 { try take(&recorder) }
    case 4...6: if !runs.isEmpty { try give(random.below(runs.count), &recorder) }
    case 7...10: if !owned.isFull { own(&recorder) }
    case 11...14: if owned.count > 0 { drop(random.below(owned.count), &recorder) }
    default: try housekeep()
    }
    recorder.expectEqual(arena.settledStatistics.inUseBytes, UInt64(pagesInUse) << 13, "in use")
  }

  /// Gives everything back.
  mutating func finish(_ recorder: inout Recorder) throws(PageArenaError) {
    while !runs.isEmpty { try give(0, &recorder) }
    while owned.count > 0 { drop(0, &recorder) }
    look(&recorder)
    try arena.releaseFreeMemory()
    let statistics = arena.settledStatistics
    recorder.expectEqual(
      statistics.freeMaybeResidentBytes, statistics.quarantinedBytes,
      "all given back but the quarantine")
    look(&recorder)
  }

  func look(_ recorder: inout Recorder) {
    let statistics = arena.settledStatistics
    recorder.expectEqual(statistics.inUseBytes, UInt64(pagesInUse) << 13, "in use")
    recorder.expectEqual(
      statistics.inUseBytes + statistics.freeMaybeResidentBytes + statistics.scavengedBytes,
      statistics.readyBytes, "the sum of all")
    let broken = arena.brokenInvariant()
    recorder.expect(broken == nil, broken?.description ?? "")
  }

  /// Mostly few pages, and more than a stack has at times; mostly a few that come again.
  private mutating func size() -> Int {
    random.below(2) == 0 ? [1, 8, 16, 128][random.below(4)] : random.logarithmic(8)
  }

  /// 4 KiB to 4 MiB.
  private mutating func alignment() -> Int {
    random.below(2) == 0 ? 1 << 16 : 1 << (12 + random.below(11))
  }

  private mutating func take(_ recorder: inout Recorder) throws(PageArenaError) {
    let (pages, alignment) = (size(), alignment())
    let zeroed = random.below(4) == 0
    let byHandle = !zeroed && random.below(2) == 0
    let run =
      byHandle
      ? try cache.run(pages, alignment: alignment)
      : try arena.run(pages, alignment: alignment, zeroed: zeroed)
    recorder.expectEqual(run.address & UInt(alignment - 1), 0, "\(pages) pages at \(alignment)")
    if zeroed { recorder.expect(run.isZero, "zero") }
    let stamp = random.next()
    run.stamp(stamp)
    runs.append((run, stamp))
    pagesInUse += pages
  }

  private mutating func give(
    _ index: Int, _ recorder: inout Recorder
  ) throws(PageArenaError) {
    let (run, stamp) = runs[index]
    recorder.expect(run.isStamped(stamp), "contents")
    if run.pages > 1, random.below(4) == 0 {
      // The tail goes, the head stays.
      let head = 1 + random.below(run.pages - 1)
      arena.give(run.part(head, run.pages - head), &recorder)
      runs[index] = (run.part(0, head), stamp)
      pagesInUse -= run.pages - head
      return
    }
    if random.below(2) == 0 {
      arena.give(run, &recorder)
    } else {
      unsafe try cache.deallocate(run.pointer, pages: run.pages)
    }
    pagesInUse -= run.pages
    runs[index] = runs[runs.count - 1]
    runs.removeLast()
  }

  private mutating func own(_ recorder: inout Recorder) {
    let (pages, alignment) = (size(), alignment())
    let zeroed = random.below(4) == 0
    guard var run = arena.own(pages, alignment: alignment, zeroed: zeroed, &recorder) else {
      return
    }
    recorder.expectEqual(run.address & UInt(alignment - 1), 0, "\(pages) pages at \(alignment)")
    if zeroed { recorder.expect(run.isZero(), "an owner's zero") }
    let stamp = random.next()
    run.stamp(stamp)
    owned.append(run)
    ownedStamps.append(stamp)
    pagesInUse += pages
  }

  private mutating func drop(_ index: Int, _ recorder: inout Recorder) {
    let run = owned.swapRemove(index)
    let stamp = ownedStamps[index]
    ownedStamps[index] = ownedStamps[ownedStamps.count - 1]
    ownedStamps.removeLast()
    recorder.expect(run.isStamped(stamp, pages: run.pages), "an owner's contents")
    pagesInUse -= run.pages
    run.deallocate()
  }

  private mutating func housekeep() throws(PageArenaError) {
    switch random.below(4) {
    case 0: arena.drainCaches()
    case 1: try arena.releaseFreeMemory()
    default: try arena.scavenge(byteCount: random.below(1 << 20))
    }
  }
}
