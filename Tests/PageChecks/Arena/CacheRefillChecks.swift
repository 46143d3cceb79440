import PageAlloc

/// What comes to a thread's cache from the allocator, and how much of it stays there.
package let cacheRefillChecks: [Check] = [
  Check("cache: the block of the lowest run that fits comes at once") { recorder in
    guard let arena = makeArena(&recorder), let whole = arena.take(256, &recorder) else { return }
    // Of two blocks some is free, of the next two all. Too little, then a run that fits.
    for part in [whole.part(2, 3), whole.part(70, 6), whole.part(80, 1), whole.part(128, 128)] {
      arena.give(part, &recorder)
    }
    withCache(of: arena, &recorder) { cache, recorder throws(PageArenaError) in
      var runs: [Run] = []
      func take(_ pages: Int, at place: Int, left atHand: UInt64, _ recorder: inout Recorder)
        throws(PageArenaError)
      {
        let run = try cache.run(pages)
        runs.append(run)
        recorder.expectEqual(Int(run.address - whole.address) >> 13, place, "place of \(pages)")
        recorder.expectEqual(arena.settledStatistics.atHandBytes >> 13, atHand, "at hand")
      }
      try take(6, at: 70, left: 1, &recorder)
      try take(1, at: 80, left: 0, &recorder)
      try take(3, at: 2, left: 0, &recorder)
      // Five to a block; the nine pages that are left join the next one.
      for index in 0..<5 {
        try take(11, at: 128 + 11 * index, left: UInt64(44 - 11 * index), &recorder)
      }
      try take(11, at: 183, left: 0, &recorder)
      try take(11, at: 194, left: 44, &recorder)
      recorder.expect(arena.brokenInvariant() == nil, "invariants")
      for run in runs { unsafe try cache.deallocate(run.pointer, pages: run.pages) }
    }
    for part in [whole.part(0, 2), whole.part(5, 65), whole.part(76, 4), whole.part(81, 47)] {
      arena.give(part, &recorder)
    }
    recorder.expectEqual(arena.settledStatistics.inUseBytes, 0, "in use")
    recorder.expect(arena.brokenInvariant() == nil, "invariants at the end")
  },

  Check("cache: of a block the kernel has in part, what is clean is known") { recorder in
    guard let arena = makeArena(&recorder), let whole = arena.take(256, &recorder) else { return }
    whole.stamp(1)
    // Six dirty pages, 192 clean ones.
    arena.give(whole.part(64, 192), &recorder)
    recorder.expect((try? arena.releaseFreeMemory()) != nil, "given back")
    arena.give(whole.part(58, 6), &recorder)
    var runs: [Run] = []
    // Across the edge; four of a block at once, the last three pages of which stay; the next edge.
    for (pages, place, clean) in [
      (11, 58, 5), (14, 69, 56), (14, 83, 0), (14, 97, 0), (14, 111, 0), (14, 125, 14),
    ] {
      recorder.context = "page \(place)"
      let before = arena.settledStatistics.scavengedBytes
      guard let run = arena.take(pages, zeroed: true, &recorder) else { return }
      recorder.expectEqual(Int(run.address - whole.address) >> 13, place, "place")
      recorder.expectEqual(
        (before - arena.settledStatistics.scavengedBytes) >> 13, UInt64(clean), "clean pages")
      recorder.expect(run.isZero, "zero")
      recorder.expect(arena.brokenInvariant() == nil, "invariants")
      runs.append(run)
    }
    for run in runs { arena.give(run, &recorder) }
    arena.give(whole.part(0, 58), &recorder)
    recorder.expectEqual(arena.settledStatistics.inUseBytes, 0, "in use")
  },

  Check("cache: it holds no more than its bound") { recorder in
    guard let arena = try? PageArena(threadCacheByteCount: 1 << 20) else { return }
    var runs: [Run] = []
    for index in 0..<2000 {
      guard let run = arena.take(1 + index % 90, &recorder) else { return }
      runs.append(run)
    }
    for run in runs {
      arena.give(run, &recorder)
      let statistics = arena.settledStatistics
      // A tenth of what was in use.
      let bound = max(1 << 20, statistics.readyBytes / 10)
      recorder.expect(statistics.atHandBytes <= bound, "bound")
    }
    arena.drainCaches()
    guard let long = arena.take(200, &recorder) else { return }
    arena.give(long, &recorder)
    recorder.expectEqual(
      arena.settledStatistics.keptLongBytes, 200 * 8192, "one long run is kept whole")
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
  },

  Check("cache: a small heap keeps much at hand, a larger one a tenth") { recorder in
    for (pages, bound) in [(6_100, 2_048), (12_500, 1_250)] {
      recorder.context = "\(pages) pages in use"
      guard let arena = makeArena(&recorder) else { return }
      var runs: [Run] = []
      var inUse = 0
      while inUse < pages {
        guard let run = arena.take(1 + runs.count % 64, &recorder) else { return }
        runs.append(run)
        inUse += run.pages
      }
      var most: UInt64 = 0
      for run in runs[..<(runs.count / 3)] {
        arena.give(run, &recorder)
        most = max(most, arena.settledStatistics.atHandBytes >> 13)
      }
      recorder.expect(most <= bound + 64, "at most \(most) pages at hand")
      recorder.expect(most > bound / 4, "\(most) pages at hand")
    }
  },

  Check("cache: short runs keep a 16th where long ones have the tenth") { recorder in
    let options = PageArena.Options(threadCacheByteCount: 1024 << 13, scavenging: .manual)
    guard let arena = makeArena(&recorder, options), let long = arena.take(1000, &recorder)
    else { return }
    var runs: [Run] = []
    for index in 0..<360 {
      guard let run = arena.take(1 + index % 64, &recorder) else { return }
      runs.append(run)
    }
    arena.give(long, &recorder)
    var most: UInt64 = 0
    for run in runs[..<90] {
      arena.give(run, &recorder)
      most = max(most, arena.settledStatistics.atHandBytes >> 13)
    }
    let inUse = arena.settledStatistics.readyBytes >> 13
    recorder.expect(most <= 1000 + inUse / 16 + 64, "at most \(most) pages at hand")
    recorder.expect(most > 1000 + inUse / 32, "\(most) pages at hand")
  },
]
