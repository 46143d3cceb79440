import PageAlloc

// Runs that one cache passes on to another. Two handles on one thread are two owners, one step at a
// time.

/// What one owner frees comes to another without a way to the allocator, and is never kept for
/// ever.
package let passedRunChecks: [Check] = [
  Check("passed: all of what one owner frees stays at hand, and comes to another") { recorder in
    // As many as whole blocks of 64 pages have, so that nothing else is at hand.
    for (count, pages) in [(320, 1), (64, 5), (60, 16)] {
      recorder.context = "\(pages) pages"
      withHandover(&recorder, runs: count, of: pages) {
        arena, from, to, recorder throws(PageArenaError) in
        let before = arena.settledStatistics
        recorder.expectEqual(before.inUseBytes, 0, "in use")
        // Of longer ones the first went to the allocator, whenever the cache had to be let have
        // more.
        if pages == 1 {
          recorder.expectEqual(before.cachedBytes, before.freeMaybeResidentBytes, "at hand")
        }
        // Half of a stack is passed on when there is one run more than fits, the hot one included.
        let passed = pages == 1 ? (count - 33 + 15) / 16 * 16 : 16
        var runs: [Run] = []
        for index in 0..<passed {
          let run = unsafe Run(try to.allocate(pages: pages), pages: pages)
          recorder.expect(from.contains(run), "run \(index) is one that was passed on")
          run.stamp(UInt64(index))
          runs.append(run)
        }
        let after = arena.settledStatistics
        recorder.expectEqual(after.scavengedBytes, before.scavengedBytes, "never used")
        recorder.expectEqual(
          after.freeMaybeResidentBytes,
          before.freeMaybeResidentBytes - UInt64(passed * pages) << 13, "free")
        recorder.expectEqual(
          after.cachedBytes, before.cachedBytes - UInt64(passed * pages) << 13, "at hand after")
        recorder.expect(arena.brokenInvariant() == nil, "invariants")
        for index in 0..<runs.count {
          recorder.expect(runs[index].isStamped(UInt64(index)), "nobody else has run \(index)")
          unsafe try to.deallocate(runs[index].pointer, pages: pages)
        }
      }
    }
  },

  Check("passed: they count as free, and go back on request, for a limit, and by the scavenger") {
    recorder in
    for cause in 0..<4 {
      recorder.context = "cause \(cause)"
      withHandover(&recorder, runs: 320, of: 1) { arena, _, _, recorder throws(PageArenaError) in
        let size = 320 << 13
        recorder.expectEqual(arena.settledStatistics.cachedBytes, UInt64(size), "at hand")
        switch cause {
        case 0: recorder.expectEqual(try arena.releaseFreeMemory(), size, "given back")
        case 1: recorder.expectEqual(try arena.scavenge(byteCount: size), size, "scavenged")
        case 2: try arena.setMemoryLimit(.bytes(soft: 64 << 13))
        default: arena.drainCaches()
        }
        let statistics = arena.settledStatistics
        recorder.expectEqual(statistics.cachedBytes, 0, "at hand after")
        let most = [0, 0, 64 << 13, size][cause]
        recorder.expect(
          statistics.maybeResidentBytes <= most, "\(statistics.maybeResidentBytes) resident")
        recorder.expectEqual(
          statistics.freeMaybeResidentBytes + statistics.scavengedBytes, statistics.readyBytes,
          "free")
        recorder.expect(arena.brokenInvariant() == nil, "invariants")
      }
    }
  },

  Check("passed: the scavenger in the background takes them") { recorder in
    let clock = FakeClock()
    var options = PageArena.Options.stepped(clock)
    options.threadCacheByteCount = 16 << 20
    withHandover(&recorder, options, runs: 500, of: 1) {
      arena, _, _, recorder throws(PageArenaError) in
      for _ in 0..<8 {
        _ = arena.backgroundStep()
        clock.sleep(1_000_000_000)
      }
      recorder.expectEqual(arena.settledStatistics.cachedBytes, 0, "at hand")
      recorder.expect(arena.settledStatistics.maybeResidentBytes <= 1 << 20, "a MiB may stay")
      recorder.expect(arena.settledStatistics.returned.backgroundBytes > 0, "given back")
    }
  },

  Check("passed: they are used before memory that nobody has touched") { recorder in
    withHandover(&recorder, runs: 320, of: 1) { arena, _, _, recorder throws(PageArenaError) in
      // Of what was never used; then what had been passed on is free for all.
      guard let fresh = arena.take(150, &recorder) else { return }
      let scavenged = arena.settledStatistics.scavengedBytes
      guard let warm = arena.take(60, &recorder) else { return }
      recorder.expectEqual(arena.settledStatistics.scavengedBytes, scavenged, "never used")
      arena.give(warm, &recorder)
      arena.give(fresh, &recorder)
      recorder.expect(arena.brokenInvariant() == nil, "invariants")
    }
  },

  Check("passed: no more than a quarter of what a thread may have, and no long runs") { recorder in
    for (pages, most) in [(1, 32), (2, 32), (3, 0), (16, 0), (17, 0)] {
      recorder.context = "\(pages) pages"
      let options = PageArena.Options(threadCacheByteCount: 128 << 13, scavenging: .manual)
      withHandover(&recorder, options, runs: 100, of: pages) {
        arena, _, _, recorder throws(PageArenaError) in
        // With a full stack, and with what a block had beyond what was asked for.
        let bound = min(33 * pages, 128) + most + 64
        let cached = Int(arena.settledStatistics.cachedBytes >> 13)
        recorder.expect(cached <= bound, "\(cached) pages at hand")
        recorder.expectEqual(arena.settledStatistics.inUseBytes, 0, "in use")
        recorder.expect(arena.brokenInvariant() == nil, "invariants")
      }
    }
  },

  Check("passed: who is alone passes nothing on") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    var runs: [Run] = []
    for _ in 0..<320 {
      guard let run = arena.take(1, &recorder) else { return }
      runs.append(run)
    }
    for run in runs { arena.give(run, &recorder) }
    recorder.expect(arena.settledStatistics.cachedBytes <= 33 << 13, "at hand")
  },

  Check("passed: old ones give way, sizes do not mix, and the arena ends with some on their way") {
    recorder in
    let calls = FakeCalls()
    overfill(calls, &recorder)
    recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "mapped after the end")
  },
]

/// Hands far more over than may be on its way, in three sizes, and lets the arena go.
private func overfill(_ calls: FakeCalls, _ recorder: inout Recorder) {
  guard let arena = makeArena(&recorder, calls: calls) else { return }
  do throws(PageArenaError) {
    var from = try arena.makeCache()
    var to = try arena.makeCache()
    for round in 0..<3 {
      var runs: [Run] = []
      for index in 0..<1600 {
        let pages = 1 + index % 3
        let run = unsafe Run(try to.allocate(pages: pages), pages: pages)
        run.stamp(UInt64(index))
        runs.append(run)
      }
      recorder.expectEqual(
        arena.settledStatistics.inUseBytes, 3199 << 13, "in use in round \(round)")
      for index in 0..<runs.count {
        recorder.expect(runs[index].isStamped(UInt64(index)), "nobody else has run \(index)")
        unsafe try from.deallocate(runs[index].pointer, pages: runs[index].pages)
      }
      recorder.expectEqual(arena.settledStatistics.inUseBytes, 0, "in use after round \(round)")
      recorder.expect(arena.brokenInvariant() == nil, "invariants")
    }
  } catch { recorder.fail(error.description) }
}

/// Takes runs of a size by one cache of an arena's and frees them by another.
///
/// - Parameter body: is given the arena, the runs that were freed and the cache that took them.
func withHandover(
  _ recorder: inout Recorder, _ options: PageArena.Options? = nil, runs count: Int, of pages: Int,
  _ body: (PageArena, [Run], inout PageArena.Cache, inout Recorder) throws(PageArenaError) -> Void
) {
  guard let arena = options.map({ makeArena(&recorder, $0) }) ?? makeArena(&recorder) else {
    return
  }
  do throws(PageArenaError) {
    var from = try arena.makeCache()
    var to = try arena.makeCache()
    var runs: [Run] = []
    for _ in 0..<count { runs.append(unsafe Run(try to.allocate(pages: pages), pages: pages)) }
    for run in runs { unsafe try from.deallocate(run.pointer, pages: pages) }
    try body(arena, runs, &to, &recorder)
  } catch { recorder.fail(error.description) }
}
