import PageAlloc

/// Runs that change their size.
package let resizeChecks: [Check] = [
  Check("resize: shrinks and grows in place where there is room") { recorder in
    guard let arena = makeArena(&recorder), var run = arena.own(10, &recorder) else { return }
    run.stamp(1)
    run.shrink(to: 4)
    recorder.expectEqual(arena.statistics.inUseBytes, 4 * 8192, "in use when shrunk")
    recorder.expect(run.grow(to: 500), "grows")
    recorder.expectEqual(run.pages, 500, "pages")
    recorder.expect(run.isStamped(1, pages: 4), "contents")
    recorder.expectEqual(arena.statistics.inUseBytes, 500 * 8192, "in use when grown")
    guard let next = arena.own(1, &recorder) else { return }
    recorder.expect(next.address == run.address + 500 * 8192, "the next run follows")
    recorder.expect(!run.grow(to: 501), "no room")
    recorder.expectEqual(run.pages, 500, "pages when it cannot grow")
    recorder.expect(run.grow(to: 3), "fewer pages change nothing")
    recorder.expectEqual(run.pages, 500, "pages when asked for fewer")
    run.shrink(to: 499)
    recorder.expect(!run.grow(to: 501), "room for one only")
    recorder.expectEqual(arena.statistics.inUseBytes, 500 * 8192, "in use when refused")
    recorder.expect(!run.grow(to: .max), "no room for all")
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
  },

  Check("resize: a run at the frontier grows on with the arena, whatever caches hold there") {
    recorder in
    for caching in [false, true] {
      guard let arena = makeArena(&recorder, byteCount: 256 << 20, caching: caching),
        var run = arena.own(10, &recorder)
      else { return }
      recorder.context = caching ? "with caches" : "without"
      run.stamp(1)
      for pages in [400, 513, 1500, 1536, 9000] {
        recorder.expect(run.grow(to: pages, zeroed: true), "to \(pages) pages")
        recorder.expectEqual(run.pages, pages, "pages")
        recorder.expect(run.isStamped(1, pages: 10) && run.isZero(from: 10), "its contents")
        recorder.expectEqual(arena.statistics.inUseBytes, UInt64(pages) * 8192, "in use")
      }
      recorder.expect(!run.grow(to: 1 << 16), "beyond the arena's address space")
      guard let next = arena.own(1, &recorder) else { return }
      recorder.expect(
        !run.grow(to: 20_000) || next.address < run.address, "over another run")
      next.deallocate()
      recorder.expect(arena.brokenInvariant() == nil, "invariants")
    }
  },

  Check("resize: the new tail is zero on request") { recorder in
    guard let arena = makeArena(&recorder), var run = arena.own(300, &recorder) else { return }
    run.stamp(1)
    run.shrink(to: 3)
    recorder.expect(run.grow(to: 300, zeroed: true), "grows")
    recorder.expect(run.isStamped(1, pages: 3) && run.isZero(from: 3), "contents and zeroes")
    guard let next = arena.own(1, &recorder) else { return }
    run.stamp(2)
    recorder.expect((try? run.resize(to: 900, zeroed: true)) == true, "moves")
    recorder.expect(run.isStamped(2, pages: 300) && run.isZero(from: 300), "moved, and zeroes")
    recorder.expectEqual(next.pages, 1, "the run in between lives")
  },

  Check("resize: moves with its contents, by copies and by page tables") { recorder in
    let calls = FakeCalls()
    guard let arena = makeArena(&recorder, calls: calls, caching: false) else { return }
    for moves in [true, false] {
      if !moves { calls.refuse(.mremap) }
      for pages in [1, 16, 300, 511, 512, 513, 2048] {
        recorder.context = "\(pages) pages, mremap \(moves)"
        guard var run = arena.own(pages, &recorder), let next = arena.own(1, &recorder)
        else { return }
        run.stamp(UInt64(pages))
        let (old, before) = (run.address, calls.moveCount.load(ordering: .relaxed))
        recorder.expect((try? run.resize(to: pages + 700)) == true, "moves")
        recorder.expect(run.address != old, "another address")
        recorder.expect(run.isStamped(UInt64(pages), pages: pages), "contents")
        run.stamp(5)
        // Once more: what was moved by page tables is several mappings, and is copied.
        guard let third = arena.own(1, &recorder) else { return }
        let after = calls.moveCount.load(ordering: .relaxed)
        recorder.succeeds("resize again") { () throws(PageArenaError) in
          try run.resize(to: pages + 1500)
        }
        recorder.expect(run.isStamped(5, pages: pages + 700), "contents after two moves")
        recorder.expect(
          !moves || after == before || calls.moveCount.load(ordering: .relaxed) == after,
          "copied the second time")
        recorder.expectEqual(
          arena.statistics.inUseBytes, UInt64(pages + 1502) * 8192, "in use")
        recorder.expectEqual(next.pages + third.pages, 2, "the others live")
      }
      recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use at the end")
    }
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
    calls.failNoMore()
    _ = try? arena.releaseFreeMemory()
  },

  Check("resize: page tables move what is long, to where nothing is backed") { recorder in
    let long = PageArena.moveThreshold
    // From which third on the place is backed that the run goes to.
    for (pages, third) in [(long - 1, 3), (long, 0), (long, 1), (long, 2), (long, 3)] {
      recorder.context = "\(pages) pages, backed from third \(third) on"
      let calls = FakeCalls()
      guard let arena = makeArena(&recorder, calls: calls),
        var run = arena.own(pages, &recorder), let wall = arena.own(1, &recorder),
        let place = arena.own(3 * pages + 2, &recorder)
      else { return }
      let parts = place.split(at: third * pages + 1)
      var backed = parts.upper
      backed.stamp(2)
      parts.lower.deallocate()
      _ = try? arena.releaseFreeMemory()
      backed.deallocate()
      run.stamp(3)
      let (old, free) = (run.address, arena.statistics.freeMaybeResidentBytes)
      recorder.succeeds("resize") { () throws(PageArenaError) in
        try run.resize(to: 3 * pages, zeroed: true)
      }
      recorder.expect(
        (calls.moveCount.load(ordering: .relaxed) > 0) == (pages == long && third > 1), "moves")
      // What was copied stays behind; what was moved does not.
      let left = pages == long && third > 1 ? 0 : UInt64(pages) * 8192
      recorder.expect(
        arena.statistics.freeMaybeResidentBytes <= free + left, "what is free and resident")
      recorder.expect(run.isStamped(3, pages: pages) && run.isZero(from: pages), "contents")
      recorder.expect(run.address > wall.address, "behind the wall")
      guard var next = arena.own(pages, zeroed: true, &recorder) else { return }
      recorder.expectEqual(next.address, old, "where the run was")
      recorder.expect(next.isZero(from: 0), "zero")
      next.stamp(4)
      recorder.expect(next.isStamped(4, pages: pages), "contents of the next one there")
      recorder.expect(arena.brokenInvariant() == nil, "invariants")
    }
  },

  Check("resize: what the kernel refuses to move is copied, though its place is mapped no more") {
    recorder in
    // So many calls in a row are refused, from each on.
    for refusals in 1...3 {
      for first in 0..<16 {
        recorder.context = "\(refusals) calls refused from call \(first) on"
        let calls = FakeCalls()
        calls.unmapsRefusedTargets.store(true, ordering: .relaxed)
        // Little address space, of which an emulator keeps tables for good.
        guard
          let arena = makeArena(&recorder, calls: calls, byteCount: 64 << 20, caching: false),
          var run = arena.own(1100, &recorder), let wall = arena.own(1, &recorder)
        else { return }
        run.stamp(6)
        let address = run.address
        calls.fail(call: first, count: refusals)
        let hasMoved = try? run.resize(to: 1900, zeroed: true)
        calls.failNoMore()
        recorder.expectEqual(run.pages, hasMoved == nil ? 1100 : 1900, "pages")
        recorder.expect((run.address != address) == (hasMoved == true), "another address")
        recorder.expect(run.isStamped(6, pages: 1100) && run.isZero(from: 1100), "contents")
        run.stamp(7)
        recorder.expect(run.isStamped(7, pages: run.pages), "all of it can be written to")
        recorder.expectEqual(wall.pages, 1, "the run in between lives")
        run.deallocate()
        wall.deallocate()
        // What the kernel would not make plain then.
        arena.emptyLimbo()
        recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use at the end")
        recorder.expect(arena.brokenInvariant() == nil, "invariants")
      }
    }
  },

  Check("resize: bad sizes, special runs and a full arena are errors") { recorder in
    guard let arena = makeArena(&recorder, byteCount: 64 << 20),
      var run = arena.own(8, &recorder), var guarded = arena.own(8, guarded: true, &recorder)
    else { return }
    run.stamp(4)
    for pages in [0, -1, .min, .max] {
      recorder.throwsError(.badPageCount(pages: pages, limit: 1022 * 512)) {
        () throws(PageArenaError) in try run.resize(to: pages)
      }
    }
    let address = guarded.address
    recorder.throwsError(.notPlain(base: address)) { () throws(PageArenaError) in
      try guarded.resize(to: 20_000)
    }
    guarded.shrink(to: 3)
    recorder.expectEqual(
      arena.statistics.inUseBytes, (8 + 3 + UInt64(guardPages)) * 8192, "in use, one guard left")
    do throws(PageArenaError) {
      _ = try run.resize(to: 1022 * 512)
      recorder.expect(UInt.bitWidth == 32, "grown beyond the arena")
    } catch {
      switch error {
      case .outOfMemory: recorder.expect(true, "")
      default: recorder.fail(error.description)
      }
    }
    recorder.expect(run.isStamped(4, pages: 8), "as before")
  },
]

/// Pages in a guard.
let guardPages = 1
