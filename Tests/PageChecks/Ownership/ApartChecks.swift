import PageAlloc

/// Runs that are set apart: nobody finds or frees them but their owners.
package let apartChecks: [Check] = [
  Check("apart: a run of any length is nobody's to free, until it is a run again") { recorder in
    for pages in [1, 2, 3, 5, 64, 126, 127, 128, 129, 511, 513, 1500] {
      recorder.context = "\(pages) pages"
      guard let arena = makeArena(&recorder), let run = arena.take(pages, &recorder),
        let next = arena.take(1, &recorder)
      else { return }
      run.stamp(1)
      let before = arena.settledStatistics.inUseBytes
      do throws(PageArenaError) {
        var cache = try arena.makeCache()
        let sizes = arena.settledStatistics.runSizes
        let owner = unsafe try arena.adopt(run.pointer, pages: pages)
        recorder.expect(owner.setApart(), "set apart")
        for part in [run, run.part(0, 1), run.part(pages / 2, 1), run.part(pages - 1, 1)] {
          recorder.expect(unsafe arena.run(containing: part.pointer) == nil, "found")
          for error in [arena.errorOfGiving(part), cache.errorOfGiving(part)] {
            recorder.expect(
              error == .notInUse(base: part.address, pages: part.pages), "freed by its address")
          }
        }
        recorder.expect(arena.brokenInvariant() == nil, "invariants")
        recorder.expect(!owner.setApart(), "twice")
        owner.rejoin()
        recorder.expect(arena.settledStatistics.runSizes == sizes, "runs of each size")
        recorder.expect(run.isStamped(1), "contents")
        _ = unsafe try owner.leak()
        recorder.expect(cache.errorOfGiving(run) == nil, "freed")
      } catch { recorder.fail(error.description) }
      recorder.expectEqual(
        before - arena.settledStatistics.inUseBytes, UInt64(pages) << 13, "in use")
      arena.give(next, &recorder)
      recorder.expect(arena.brokenInvariant() == nil, "invariants")
    }
  },

  Check("apart: a special run that is set apart ends as plain memory") { recorder in
    guard let arena = makeArena(&recorder, caching: false) else { return }
    for pages in [2, 6, 200] {
      recorder.context = "\(pages) pages"
      do throws(PageArenaError) {
        var run = try arena.allocateRun(pages: pages)
        let address = run.address
        recorder.expect(run.setApart(), "set apart")
        try run.protect(.none)
        run.deallocate()
        guard let again = arena.take(pages, &recorder) else { return }
        recorder.expect(again.address == address, "the same pages")
        again.stamp(1)
        arena.give(again, &recorder)
      } catch { recorder.fail(error.description) }
    }
    recorder.expectEqual(arena.settledStatistics.inUseBytes, 0, "in use")
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
  },

  Check("apart: where a run can be cut") { recorder in
    guard let arena = makeArena(&recorder), let run = arena.own(16, &recorder) else { return }
    for page in [Int.min, -1, 0, 16, 17, .max] {
      recorder.expect(!run.canBeCut(at: page), "at \(page)")
    }
    recorder.expect(run.canBeCut(at: 8), "in the middle")
  },
]
