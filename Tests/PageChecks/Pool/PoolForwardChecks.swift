import PageAlloc

/// What a pool does by way of the arena that owns an address.
package let poolForwardChecks: [Check] = [
  Check("pool: pages at an address, contents discarded, runs resized, and what is told of them") {
    recorder in
    guard let pool = makePool(&recorder, caching: false, always: true),
      let run = pool.take(6, &recorder), let wall = pool.take(1, &recorder)
    else { return }
    do throws(PageArenaError) {
      run.stamp(3)
      try unsafe pool.discard(run.part(2, 2).pointer, pages: 2)
      recorder.expect(run.part(2, 2).isZero && !run.part(0, 1).isZero, "discarded in part")
      try unsafe pool.discardLazily(run.part(4, 2).pointer, pages: 2)
      let moved = unsafe try pool.resize(run.pointer, to: 600, zeroed: true)
      let longer = unsafe Run(moved, pages: 600)
      recorder.expect(longer.address != run.address, "moved")
      recorder.expect(longer.part(0, 1).isStamped(3), "contents")
      recorder.expect(longer.part(6, 594).isZero, "the new pages")
      recorder.expect(unsafe try pool.allocate(at: run.pointer, pages: 6), "where it was")
      recorder.expect(!(unsafe try pool.allocate(at: run.pointer, pages: 6)), "twice")
      var found: [PageExtent] = []
      pool.forEachRun { found.append($0) }
      let starts = [run.address, wall.address, longer.address].sorted()
      recorder.expect(found.map { $0.address } == starts, "the runs in use")
      let snapshots = pool.snapshots()
      recorder.expectEqual(snapshots.count, pool.arenaCount, "snapshots")
      recorder.expectEqual(snapshots[0].count(of: .inUse), 607, "pages in use")
      try unsafe pool.deallocateDiscarding(longer.pointer, pages: 600)
      var isZero = false
      let zero = unsafe Run(try pool.allocate(pages: 600, isZero: &isZero), pages: 600)
      recorder.expect(!isZero || zero.isZero, "zero, as told")
      recorder.expect(pool.errorOfGiving(zero) == nil, "freed")
      recorder.expect(pool.leaks.allSatisfy { !$0.isChecked }, "not checked")
      recorder.expect(pool.diagnose(run.address) == nil, "no record")
      recorder.expect(pool.label.utf8.elementsEqual("".utf8), "no label")
    } catch { recorder.fail(error.description) }
    recorder.expectEqual(pool.statistics.inUseBytes, 7 * 8192, "in use")
    recorder.expect(pool.brokenInvariant() == nil, "invariants")
  },

  Check("pool: free memory of all its arenas is offered to the kernel") { recorder in
    guard !is32Bit else { return recorder.leaveOut("a host of 32 bits has one arena") }
    guard let pool = makePool(&recorder, caching: false), let run = pool.take(10, &recorder),
      let most = pool.take(1022 * 512 - 100, &recorder), let next = pool.take(4000, &recorder)
    else { return }
    recorder.expect(next.address >> 32 != run.address >> 32, "another arena")
    for taken in [run, next] {
      taken.stamp(1)
      recorder.expect(pool.errorOfGiving(taken) == nil, "freed")
    }
    let (before, free) = (pool.statistics, 4010 << 13)
    do throws(PageArenaError) {
      let offered = try pool.releaseFreeMemoryLazily()
      recorder.expect(offered >= free, "offered: \(offered) of \(free)")
      recorder.expectEqual(
        pool.statistics.returned.lazyBytes - before.returned.lazyBytes, UInt64(offered), "counted")
    } catch { recorder.fail(error.description) }
    recorder.expectEqual(
      pool.statistics.freeMaybeResidentBytes, before.freeMaybeResidentBytes, "resident as before")
    pool.underHeapLock {
      let error = pool.errorOfReleasingLazily()
      recorder.expect(error == .reentered, error?.description ?? "done, by a signal's handler")
    }
    recorder.expect(pool.errorOfGiving(most) == nil, "freed")
    recorder.expect(pool.brokenInvariant() == nil, "invariants")
  },

  Check("pool: what is asked for goes back from one arena after the other, and not much more") {
    recorder in
    guard !is32Bit else { return recorder.leaveOut("a host of 32 bits has one arena") }
    guard let pool = makePool(&recorder, caching: false), let run = pool.take(1000, &recorder),
      let most = pool.take(1019 * 512, &recorder), let next = pool.take(4000, &recorder)
    else { return }
    recorder.expect(next.address >> 32 != run.address >> 32, "another arena")
    for taken in [run, next] {
      taken.stamp(1)
      recorder.expect(pool.errorOfGiving(taken) == nil, "freed")
    }
    // A huge page more at the most.
    let asked = 1010 << 13
    let released = (try? pool.scavenge(byteCount: asked)) ?? -1
    recorder.expect(released >= asked && released <= asked + (2 << 20), "released \(released)")
    recorder.expect(next.residentBytes >= 2900 << 13, "what the second arena keeps")
    recorder.expectEqual((try? pool.scavenge(byteCount: 0)) ?? -1, 0, "nothing asked for")
    recorder.expect(pool.errorOfGiving(most) == nil, "freed")
  },

  Check("pool: a run that outgrows its arena moves to another, and back") { recorder in
    guard !is32Bit else { return recorder.leaveOut("a host of 32 bits has one arena") }
    guard let pool = makePool(&recorder, caching: false), let run = pool.take(10, &recorder),
      let most = pool.take(1022 * 512 - 100, &recorder)
    else { return }
    run.stamp(5)
    do throws(PageArenaError) {
      let moved = unsafe Run(try pool.resize(run.pointer, to: 4000, zeroed: true), pages: 4000)
      recorder.expect(moved.address >> 32 != run.address >> 32, "another arena")
      recorder.expect(moved.part(0, 10).isStamped(5), "contents")
      recorder.expect(moved.part(10, 3990).isZero, "the new pages")
      recorder.expect(pool.extent(at: run.address) == nil, "the old place")
      recorder.expect(pool.errorOfGiving(moved) == nil, "freed")
    } catch { recorder.fail(error.description) }
    recorder.expect(pool.errorOfGiving(most) == nil, "freed")
    recorder.expectEqual(pool.statistics.inUseBytes, 0, "in use")
  },

  Check("pool: a checked one tells whose runs there are") { recorder in
    if leavesOutPools(&recorder) { return }
    var options = quiet()
    options.diagnosis = .checked()
    options.label = "pool of checks"
    options.reportsMistakes = false
    do throws(PageArenaError) {
      let pool = try PagePool(reserving: 1 << 32, options: options)
      guard let run = pool.take(3, &recorder) else { return }
      recorder.expectEqual(pool.leaks.reduce(0) { $0 + $1.pages }, 3, "pages in use")
      recorder.expect(pool.diagnose(run.address) != nil, "a record")
      recorder.expect(pool.diagnose(1 << 13) == nil, "a record of what is nobody's")
      recorder.expect(pool.label.utf8.elementsEqual("pool of checks".utf8), "its label")
      recorder.expect(pool.errorOfGiving(run) == nil, "freed")
    } catch { recorder.fail(error.description) }
  },

  Check("pool: bad addresses and counts are refused by all that forward them") { recorder in
    guard let pool = makePool(&recorder), let other = makePool(&recorder),
      let run = pool.take(4, &recorder), let foreign = other.take(4, &recorder)
    else { return }
    run.stamp(7)
    let before = pool.statistics.inUseBytes
    for call in [PointerCall.takeAt, .resize, .discard, .discardLazily, .freeDiscarding] {
      recorder.context = "\(call)"
      for (target, pages, expected) in [
        (foreign, 4, PageArenaError.foreign(base: foreign.address)),
        (run.misaligned(by: 16), 4, .misaligned(base: run.address + 16)),
        (run, 0, .badPageCount(pages: 0, limit: 1022 * 512)),
        (run, -1, .badPageCount(pages: -1, limit: 1022 * 512)),
        (run, Int.max, .badPageCount(pages: .max, limit: 1022 * 512)),
        (run, Int.min, .badPageCount(pages: .min, limit: 1022 * 512)),
      ] {
        let error = pool.errorOf(call, target.part(0, pages))
        recorder.expect(error == expected, error?.description ?? "done")
      }
      pool.underHeapLock {
        let error = pool.errorOf(call, run)
        recorder.expect(error == .reentered, error?.description ?? "done, by a signal's handler")
      }
    }
    recorder.context = ""
    recorder.expect(run.isStamped(7), "contents")
    recorder.expectEqual(pool.statistics.inUseBytes, before, "in use")
  },
]

extension PagePool {
  fileprivate func errorOfReleasingLazily() -> PageArenaError? {
    errorThrown { () throws(PageArenaError) in try releaseFreeMemoryLazily() }
  }

  fileprivate func errorOf(_ call: PointerCall, _ run: Run) -> PageArenaError? {
    errorThrown { () throws(PageArenaError) in _ = try make(call, run) }
  }
}
