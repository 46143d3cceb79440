import PageAlloc

/// Regions that count as an arena's or a pool's memory.
package let countedRegionChecks: [Check] = [
  Check("region: it counts in its arena's figures and limits by what is committed") { recorder in
    guard let arena = makeArena(&recorder, limit: .bytes(hard: 1000 * 8192)) else { return }
    do throws(PageArenaError) {
      var region = try PageRegion(reserving: 64 << 20, countedIn: arena)
      recorder.expectEqual(arena.statistics.regionBytes, 0, "reserved alone")
      try region.grow(to: 600 * 8192)
      recorder.expectEqual(arena.statistics.regionBytes, 600 * 8192, "grown")
      recorder.expectEqual(arena.statistics.maybeResidentBytes, 600 * 8192, "resident at most")
      recorder.expectEqual(arena.memoryLimits.hard ?? 0, 1000 * 8192, "the limit stays what it is")
      guard let run = arena.take(300, &recorder) else { return }
      guard case .limitReached(200, let inUse, 1000 * 8192)? = arena.errorOfTaking(200) else {
        return recorder.fail("pages beyond the limit: taken, or another error")
      }
      recorder.expectEqual(inUse, 900 * 8192, "in use, as the error says")
      recorder.expect(
        errorOfGrowing(&region, to: 701 * 8192)
          == .limitReached(pages: 101, inUseBytes: 900 * 8192, limitBytes: 1000 * 8192),
        "grown beyond the limit")
      recorder.expectEqual(region.byteCount, 600 * 8192, "it is as before")
      try region.grow(to: 700 * 8192)
      try region.decommit(in: 0..<200 * 8192)
      recorder.expectEqual(arena.statistics.regionBytes, 500 * 8192, "with a hole")
      try region.commit(in: 0..<100 * 8192)
      recorder.expectEqual(arena.statistics.regionBytes, 600 * 8192, "with half of a hole")
      try region.shrink(to: 300 * 8192)
      recorder.expectEqual(arena.statistics.regionBytes, 200 * 8192, "shrunk")
      recorder.expect(arena.errorOfTaking(500) == nil, "what it gave back")
      arena.give(run, &recorder)
      // Beyond a soft limit that it exceeds alone: the limit is told as it is.
      try arena.setMemoryLimit(.bytes(soft: 100 * 8192))
      try region.grow(to: 500 * 8192)
      recorder.expectEqual(arena.memoryLimits.soft ?? 0, 100 * 8192, "the soft limit as told")
      recorder.expectEqual(arena.statistics.regionBytes, 400 * 8192, "beyond a soft limit")
    } catch { return recorder.fail(error.description) }
    recorder.expectEqual(arena.statistics.regionBytes, 0, "gone")
  },

  Check("region: free pages of its arena give way to it, and it outlives the arena") { recorder in
    var arena = makeArena(&recorder, limit: .bytes(soft: 500 * 8192, hard: 600 * 8192))
    guard arena != nil, let run = arena?.take(500, &recorder) else { return }
    run.stamp(1)
    arena?.give(run, &recorder)
    do throws(PageArenaError) {
      var region = try PageRegion(reserving: 64 << 20, countedIn: arena!)
      try region.grow(to: 450 * 8192)
      let resident = arena?.statistics.maybeResidentBytes ?? 0
      recorder.expect(resident <= 500 * 8192, "beyond the soft limit: \(resident)")
      arena = nil
      try region.grow(to: 600 * 8192)
      recorder.expect(errorOfGrowing(&region, to: 601 * 8192) != nil, "beyond the limit, later")
    } catch { recorder.fail(error.description) }
  },

  Check("region: in the middle of a call of its arena's it refuses to change") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    do throws(PageArenaError) {
      var region = try PageRegion(reserving: 64 << 20, countedIn: arena)
      try region.grow(to: 1 << 20)
      try region.decommit(in: 0..<64 << 10)
      let uses: [RegionUse] = [
        .grow(to: 2 << 20), .shrink(to: 512 << 10), .decommit(128 << 10..<256 << 10),
        .commit(0..<64 << 10),
      ]
      for use in uses {
        var error: PageArenaError?
        arena.underHeapLock { error = region.errorOf(use) }
        recorder.expect(error == .reentered, "\(use): \(error?.description ?? "done")")
      }
      recorder.expectEqual(region.byteCount, 1 << 20, "its size")
      recorder.expectEqual(region.committedByteCount, (1 << 20) - (64 << 10), "committed")
      recorder.expectEqual(arena.statistics.regionBytes, (1 << 20) - (64 << 10), "counted")
      try region.commit(in: 0..<64 << 10)
    } catch { recorder.fail(error.description) }
  },

  Check("region: it counts for the limit of a pool as pages of any arena do") { recorder in
    guard let pool = makePool(&recorder, limit: .bytes(hard: 1000 * 8192)) else { return }
    do throws(PageArenaError) {
      var region = try PageRegion(reserving: 64 << 20, countedIn: pool)
      let taker = PoolTaker(pool)
      runThreads([taker]) { $0.take(700) }
      try region.grow(to: 300 * 8192)
      recorder.expectEqual(pool.statistics.regionBytes, 300 * 8192, "grown")
      recorder.expect(errorOfGrowing(&region, to: 301 * 8192) != nil, "beyond the limit")
      recorder.expect(pool.errorOfTaking(1) != nil, "a page beyond the limit")
      runThreads([taker]) { $0.giveAll() }
      try region.grow(to: 1000 * 8192)
      try region.shrink(to: 100 * 8192)
      recorder.expect(pool.errorOfTaking(900) == nil, "what it gave back")
    } catch { recorder.fail(error.description) }
  },
]

private func errorOfGrowing(_ region: inout PageRegion, to byteCount: Int) -> PageArenaError? {
  do throws(PageArenaError) {
    try region.grow(to: byteCount)
    return nil
  } catch { return error }
}
