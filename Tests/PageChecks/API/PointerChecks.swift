import PageAlloc

/// What is to be had of a bare address.
package let pointerChecks: [Check] = [
  Check("pointer: the run that an address lies in, and none elsewhere") { recorder in
    guard let arena = makeArena(&recorder, caching: false), let short = arena.take(3, &recorder),
      let long = arena.take(600, &recorder), let owned = arena.own(2, guarded: true, &recorder),
      let other = makeArena(&recorder), let foreign = other.take(1, &recorder)
    else { return }
    for run in [short, long] {
      let extent = arena.extent(at: run.address)
      recorder.expect(extent?.address == run.address && extent?.pages == run.pages, "at its start")
      recorder.expectEqual(extent?.byteCount ?? 0, run.pages * 8192, "bytes")
      for offset in [1, 4096, 8191, run.pages * 8192 - 1] {
        recorder.expect(arena.extent(at: run.address + UInt(offset)) == extent, "inside, \(offset)")
      }
      recorder.expect(arena.holds(run.address), "contains a run")
    }
    recorder.expect(arena.extent(at: owned.address + 9000)?.pages == 2, "an owner's")
    recorder.expect(arena.extent(at: owned.address - 1) == nil, "in the guard before it")
    recorder.expect(arena.extent(at: owned.address + 16_384) == nil, "in the guard behind it")
    for address in [foreign.address, 0, 8192, UInt.max, short.address - 8192 * 512] {
      recorder.expect(arena.extent(at: address) == nil, "elsewhere")
      recorder.expect(!arena.holds(address), "contains what lies elsewhere")
    }
    // A part goes: the rest are two runs.
    arena.give(long.part(100, 50), &recorder)
    recorder.expect(arena.extent(at: long.part(120, 1).address) == nil, "what was freed")
    recorder.expect(arena.holds(long.part(120, 1).address), "contains what is free")
    recorder.expectEqual(arena.extent(at: long.part(99, 1).address)?.pages ?? 0, 100, "before it")
    recorder.expectEqual(arena.extent(at: long.part(599, 1).address)?.pages ?? 0, 450, "behind it")
  },

  Check("pointer: a run is found by each of its pages") { recorder in
    for pages in [1, 2, 126, 127, 128, 129, 700] {
      guard let arena = makeArena(&recorder, caching: false),
        let run = arena.take(pages, &recorder),
        let next = arena.take(1, &recorder)
      else { return }
      recorder.context = "\(pages) pages"
      for page in 0..<pages {
        let extent = arena.extent(at: run.part(page, 1).address)
        recorder.expect(extent?.address == run.address && extent?.pages == pages, "page \(page)")
      }
      recorder.expectEqual(arena.extent(at: next.address)?.pages ?? 0, 1, "the next")
    }
  },

  Check("pointer: what a thread has at hand is no run") { recorder in
    guard let arena = makeArena(&recorder), let run = arena.take(4, &recorder) else { return }
    arena.give(run, &recorder)
    recorder.expect(arena.extent(at: run.address) == nil, "at hand")
    recorder.expect(arena.holds(run.address), "contained")
  },

  Check("pointer: a run is freed by its address alone") { recorder in
    for isChecked in [false, true] {
      let made = isChecked ? makeCheckedArena(&recorder) : makeArena(&recorder)
      guard let arena = made else { return }
      for pages in [1, 127, 128, 700] {
        guard let run = arena.take(pages, &recorder) else { return }
        if pages > 1 {
          recorder.expect(
            arena.errorOfGivingWhole(run.part(1, 1))
              == .notAStart(base: run.address + 8192), "inside of a run")
        }
        recorder.expect(arena.errorOfGivingWhole(run) == nil, "freed, \(pages) pages")
        recorder.expect(
          arena.errorOfGivingWhole(run) == .notAStart(base: run.address), "twice")
      }
      recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use")
      recorder.expect(arena.brokenInvariant() == nil, "invariants")
    }
  },

  Check("pointer: a range of many runs is freed at once, or not at all") { recorder in
    for isChecked in [false, true] {
      let made = isChecked ? makeCheckedArena(&recorder) : makeArena(&recorder, caching: false)
      guard let arena = made, let whole = arena.take(200, &recorder) else { return }
      arena.give(whole, &recorder)
      _ = try? arena.releaseFreeMemory()
      // One after another, where they were free together.
      var runs: [Run] = []
      for pages in [10, 30, 1, 130, 20] {
        guard let run = arena.take(pages, &recorder) else { return }
        runs.append(run)
      }
      for (left, right) in zip(runs, runs.dropFirst()) {
        recorder.expectEqual(right.address, left.part(left.pages, 0).address, "side by side")
      }
      let before = arena.statistics
      recorder.expect(
        arena.errorOfGivingRuns(runs[0].part(5, 200))
          == .notInUse(base: runs[0].part(191, 1).address, pages: 1), "beyond the last")
      recorder.expect(arena.statistics == before, "nothing changed")
      recorder.expect(arena.errorOfGivingRuns(runs[0].part(5, 176)) == nil, "all but the ends")
      recorder.expectEqual(arena.statistics.inUseBytes, 15 << 13, "the ends stay")
      recorder.expectEqual(arena.extent(at: runs[0].address)?.pages ?? 0, 5, "the lower end")
      recorder.expectEqual(
        arena.extent(at: runs[4].part(19, 1).address)?.pages ?? 0, 10, "the upper end")
      recorder.expect(arena.brokenInvariant() == nil, "invariants")
    }
  },

  Check("pointer: pages at a given address, if they are free") { recorder in
    guard let arena = makeArena(&recorder), let run = arena.take(300, &recorder) else { return }
    run.stamp(9)
    let hole = run.part(100, 20)
    recorder.expect(arena.takes(hole, &recorder) == false, "they are in use")
    arena.give(hole, &recorder)
    recorder.expect(arena.takes(run.part(110, 20), &recorder) == false, "in part")
    // At hand for the thread: it gives way.
    recorder.expect(arena.takes(hole, zeroed: true, &recorder) == true, "they are free")
    recorder.expect(hole.isZero, "zero")
    recorder.expectEqual(arena.extent(at: hole.address)?.pages ?? 0, 20, "a run of its own")
    let beyond = run.part(1 << 17, 1)
    recorder.throwsError(.foreign(base: beyond.address)) { () throws(PageArenaError) in
      _ = unsafe try arena.allocate(at: beyond.pointer, pages: 1)
    }
    recorder.throwsError(.misaligned(base: run.address + 8)) { () throws(PageArenaError) in
      _ = unsafe try arena.allocate(at: run.misaligned(by: 8).pointer, pages: 1)
    }
    recorder.throwsError(.badPageCount(pages: 0, limit: 1022 * 512)) { () throws(PageArenaError) in
      _ = unsafe try arena.allocate(at: run.pointer, pages: 0)
    }
    recorder.expect((try? arena.setMemoryLimit(.bytes(hard: 300 << 13))) != nil, "a limit")
    guard let whole = arena.extent(at: run.part(299, 1).address) else { return }
    recorder.expectEqual(whole.pages, 180, "the rest")
    do throws(PageArenaError) {
      _ = unsafe try arena.allocate(at: run.part(300, 10).pointer, pages: 10)
      recorder.fail("beyond the limit")
    } catch {
      if case .limitReached = error {} else { recorder.fail("\(error.description)") }
    }
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
  },

  Check("pointer: a run grows where it lies, and changes its size") { recorder in
    guard let arena = makeArena(&recorder), let run = arena.take(10, &recorder) else { return }
    run.stamp(5)
    do throws(PageArenaError) {
      recorder.expect(unsafe try arena.extend(run.pointer, to: 25, zeroed: true), "it grows")
      recorder.expectEqual(arena.extent(at: run.address)?.pages ?? 0, 25, "pages")
      recorder.expect(run.isStamped(5), "the contents")
      guard let next = arena.take(1, &recorder) else { return }
      recorder.expect(next == run.part(25, 1), "the neighbour")
      recorder.expect(unsafe try !arena.extend(run.pointer, to: 26), "no room")
      let moved = unsafe try arena.resize(run.pointer, to: 40)
      let there = unsafe Run(moved, pages: 10)
      recorder.expect(there != run, "it moves")
      recorder.expect(there.isStamped(5), "the contents, moved")
      let less = unsafe try arena.resize(moved, to: 4)
      recorder.expect(unsafe less == moved, "it shrinks where it lies")
      recorder.throwsError(.badPageCount(pages: 0, limit: 1022 * 512)) {
        () throws(PageArenaError) in
        _ = unsafe try arena.resize(moved, to: 0)
      }
      recorder.expectEqual(arena.statistics.inUseBytes, 5 << 13, "in use")
      unsafe try arena.deallocate(moved)
      recorder.throwsError(.notAStart(base: there.address)) { () throws(PageArenaError) in
        _ = unsafe try arena.resize(moved, to: 8)
      }
    } catch { recorder.fail(error.description) }
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
  },
]

extension PageArena {
  fileprivate func takes(
    _ part: Run, zeroed: Bool = false, _ recorder: inout Recorder
  ) -> Bool? {
    do throws(PageArenaError) {
      return unsafe try allocate(at: part.pointer, pages: part.pages, zeroed: zeroed)
    } catch {
      recorder.fail(error.description)
      return nil
    }
  }
}
