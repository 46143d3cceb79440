import PageAlloc

/// Arenas of a pool while threads are making them.
package let poolMakingChecks: [Check] = [
  Check("pool: threads that find all arenas full at once make one more, not one each") { recorder in
    guard let pool = makeSlowPool(4, &recorder) else { return }
    // Address space alone: nothing is touched.
    for _ in 0..<2 where pool.take(1022 * 512, &recorder) == nil { return }
    recorder.expectEqual(pool.arenaCount, 2, "arenas, all of them full")
    let takers = (0..<4).map { _ in PoolTaker(pool) }
    runThreads(takers) { $0.take(1, pages: 1000) }
    for taker in takers { unsafe recorder.expectEqual(taker.runs.count, 1, "runs of a thread") }
    recorder.expectEqual(pool.arenaCount, 3, "arenas")
  },

  Check("pool: children are forked while an owner lives whose pool has gone") { recorder in
    if leavesOutFork(&recorder) { return }
    var pool = makePool(&recorder)
    if pool == nil { return }
    do throws(PageArenaError) {
      let owner = try pool!.allocateRun(pages: 2)
      pool = nil
      let status = inChildWithin(seconds: 5) { owner.pages == 2 ? 0 : 2 }
      recorder.expectEqual(status, 0, "the child's status")
      owner.deallocate()
    } catch { recorder.fail(error.description) }
  },
]

/// A pool that makes no arena before 5 ms, but for its first one.
private func makeSlowPool(_ arenas: UInt64, _ recorder: inout Recorder) -> PagePool? {
  guard !is32Bit else {
    recorder.leaveOut("a host of 32 bits has one arena")
    return nil
  }
  if leavesOutPools(&recorder) { return nil }
  var options = quiet()
  options.makeRoom = { SlowRoom.make() }
  guard let pool = try? PagePool(reserving: arenas << 32, options: options) else {
    recorder.fail("no pool")
    return nil
  }
  return pool
}

/// What takes its time before an arena is made.
private enum SlowRoom {
  static func make() -> Bool {
    sleep(milliseconds: 5)
    return true
  }
}
