import PageAlloc
import SysMem

/// Parts of runs that give up their memory, and get it back.
package let decommitChecks: [Check] = [
  Check("decommit: a part counts for nothing, faults, and reads as zero when it is back") {
    recorder in
    guard let arena = makeArena(&recorder, limit: .bytes(hard: 1024 * 8192)),
      var run = arena.own(1024, zeroed: true, &recorder)
    else { return }
    run.stamp(7)
    recorder.succeeds("decommit") { () throws(PageArenaError) in try run.decommit(in: 64..<960) }
    arena.expectPages(inUse: 1024, inaccessible: 896, &recorder)
    recorder.expectEqual(run.committedByteCount, 128 * 8192, "committed")
    for (page, isMemory) in [(63, true), (64, false), (500, false), (959, false), (960, true)] {
      recorder.expect(run.isReadable(page) == isMemory, "page \(page) can be read")
    }
    recorder.expectEqual(arena.statistics.returned.discardedBytes, 896 * 8192, "discarded")
    // What it has given up others may have, and then it does not get it back.
    guard let other = arena.take(800, &recorder) else { return }
    let refusal = PageArenaError.limitReached(
      pages: 896, inUseBytes: 928 * 8192, limitBytes: 1024 * 8192)
    recorder.throwsError(refusal) { () throws(PageArenaError) in try run.commit(in: 0..<1024) }
    recorder.throwsError(refusal) { () throws(PageArenaError) in
      try run.protect(.readOnly, in: 0..<1024)
    }
    arena.expectPages(inUse: 1824, inaccessible: 896, &recorder)
    recorder.succeeds("a part") { () throws(PageArenaError) in try run.commit(in: 100..<196) }
    arena.expectPages(inUse: 1824, inaccessible: 800, &recorder)
    recorder.expect(!run.isReadable(99) && !run.isReadable(196), "beside it")
    recorder.expectEqual(run.firstWord(100), 0, "the first page that is back")
    recorder.expectEqual(run.firstWord(195), 0, "the last")
    recorder.succeeds("again") { () throws(PageArenaError) in try run.commit(in: 100..<196) }
    arena.give(other, &recorder)
    recorder.succeeds("all") { () throws(PageArenaError) in try run.commit(in: 0..<1024) }
    arena.expectPages(inUse: 1024, inaccessible: 0, &recorder)
    for page in 0..<1024 where run.firstWord(page) != 0 {
      if (64..<960).contains(page) { recorder.fail("page \(page) is not zero") }
    }
    recorder.expectEqual(run.firstWord(63), 70, "memory that stayed")
    run.deallocate()
    arena.expectPages(inUse: 0, inaccessible: 0, &recorder)
  },

  Check("decommit: address space of a run becomes memory bit by bit, and grows once it is some") {
    recorder in
    guard let arena = makeArena(&recorder, limit: .bytes(hard: 64 * 8192)) else { return }
    do throws(PageArenaError) {
      var run = try arena.allocateRun(pages: 8192, access: .none)
      recorder.expectEqual(run.committedByteCount, 0, "committed at first")
      recorder.throwsError(.notCommitted(lowerBound: 3, upperBound: 5)) {
        () throws(PageArenaError) in try run.lock(in: 3..<5)
      }
      recorder.throwsError(.notCommitted(lowerBound: 0, upperBound: 8192)) {
        () throws(PageArenaError) in try run.prefault()
      }
      try run.commit(in: 0..<16)
      try run.protect(.readOnly, in: 16..<32)
      recorder.expectEqual(run.committedByteCount, 32 * 8192, "committed")
      arena.expectPages(inUse: 8192, inaccessible: 8160, &recorder)
      recorder.expectEqual(run.firstWord(31), 0, "the last that can be read")
      recorder.expect(!run.isReadable(32), "the first that cannot")
      recorder.throwsError(
        .limitReached(pages: 33, inUseBytes: 32 * 8192, limitBytes: 64 * 8192)
      ) { () throws(PageArenaError) in try run.commit(in: 20..<65) }
      try run.commit(in: 20..<64)
      recorder.expect(run.grow(to: 8200) == false, "beyond the limit")
      try run.decommit(in: 16..<64)
      recorder.expect(run.grow(to: 8200), "in place")
      arena.expectPages(inUse: 8200, inaccessible: 8176, &recorder)
      recorder.expect(run.isReadable(8199) && !run.isReadable(8191), "what it has grown by")
      recorder.throwsError(.notPlain(base: run.address)) { () throws(PageArenaError) in
        try run.resize(to: 1 << 18)
      }
      run.shrink(to: 8)
      arena.expectPages(inUse: 8, inaccessible: 0, &recorder)
    } catch { recorder.fail(error.description) }
    arena.expectPages(inUse: 0, inaccessible: 0, &recorder)
  },

  Check("decommit: what was made inaccessible and emptied by hand is the same") { recorder in
    guard let arena = makeArena(&recorder), var run = arena.own(32, &recorder) else { return }
    run.stamp(1)
    do throws(PageArenaError) {
      try run.decommit(in: 4..<8)
      try run.protect(.none)
      arena.expectPages(inUse: 32, inaccessible: 4, &recorder)
      try run.discard()
      arena.expectPages(inUse: 32, inaccessible: 32, &recorder)
      try run.commit(in: 30..<32)
      try run.decommit(in: 0..<32)
      arena.expectPages(inUse: 32, inaccessible: 32, &recorder)
      try run.protect(.readWrite)
      arena.expectPages(inUse: 32, inaccessible: 0, &recorder)
      recorder.expect(run.isZero(), "all of it is empty")
      // Protected by itself it goes on counting.
      try run.protect(.none, in: 0..<8)
      arena.expectPages(inUse: 32, inaccessible: 0, &recorder)
      try run.commit(in: 0..<8)
      recorder.expect(!run.isReadable(0), "it was memory, and stays as it was")
    } catch { recorder.fail(error.description) }
    run.deallocate()
    arena.expectPages(inUse: 0, inaccessible: 0, &recorder)
  },

  Check("decommit: whatever becomes of a run, the next owner finds plain memory") { recorder in
    for way in 0..<6 {
      for isChecked in [false, true] {
        recorder.context = "way \(way), checked: \(isChecked)"
        let made =
          isChecked
          ? makeCheckedArena(&recorder, quarantineByteCount: 0)
          : makeArena(&recorder, caching: false)
        guard let arena = made, var run = arena.own(24, &recorder), recorder.isGood
        else { return }
        run.stamp(3)
        let address = run.address
        recorder.succeeds("decommit") { () throws(PageArenaError) in
          try run.decommit(in: 0..<6)
          try run.decommit(in: 12..<20)
        }
        switch way {
        case 0: run.deallocate()
        case 1:
          // Cut through what is decommitted, and joined again.
          var halves = run.split(at: 14)
          arena.expectPages(inUse: 24, inaccessible: 14, &recorder)
          recorder.expectEqual(halves.lower.committedByteCount, 6 * 8192, "of the lower")
          recorder.expectEqual(halves.upper.committedByteCount, 4 * 8192, "of the upper")
          let rest = halves.lower.join(halves.upper)
          recorder.expect(rest == nil, "joined")
          recorder.expectEqual(halves.lower.committedByteCount, 10 * 8192, "of both")
          halves.lower.deallocate()
        case 2:
          let halves = run.split(at: 14)
          halves.lower.deallocate()
          arena.expectPages(inUse: 10, inaccessible: 6, &recorder)
          halves.upper.deallocate()
        case 3:
          run.shrink(to: 13)
          arena.expectPages(inUse: 13, inaccessible: 7, &recorder)
          run.shrink(to: 3)
          arena.expectPages(inUse: 3, inaccessible: 3, &recorder)
          run.deallocate()
        case 4:
          // As plain memory.
          guard let memory = leak(run, &recorder) else { return }
          arena.expectPages(inUse: 24, inaccessible: 0, &recorder)
          memory.part(0, 6).stamp(5)
          recorder.expect(memory.part(12, 8).isZero, "what was leaked is empty")
          arena.give(memory, &recorder)
        default:
          run.wipeOnFree()
          let shared = SharedPageRun(run)
          arena.expectPages(inUse: 24, inaccessible: 14, &recorder)
          recorder.expectEqual(shared.pages, 24, "pages")
        }
        arena.expectPages(inUse: 0, inaccessible: 0, &recorder)
        guard var next = arena.own(24, zeroed: true, &recorder) else { return }
        recorder.expectEqual(next.address, address, "the same place")
        recorder.expect(next.isZero(), "zero")
        next.stamp(9)
        recorder.expectEqual(next.committedByteCount, 24 * 8192, "all of it")
        next.deallocate()
      }
    }
  },

  Check("decommit: a part of a run between guards, which grows") { recorder in
    guard let arena = makeArena(&recorder),
      var run = arena.own(16, zeroed: true, guarded: true, &recorder)
    else { return }
    let start = run.address
    recorder.succeeds("decommit") { () throws(PageArenaError) in try run.decommit(in: 8..<16) }
    recorder.expect(run.grow(to: 24), "grown, its guard moves")
    recorder.expect(!run.isReadable(15) && run.isReadable(16), "the parts")
    recorder.expect(!isReadable(start + 24 * 8192), "the guard")
    let guardPages = UInt64(arena.statistics.inUseBytes / 8192 - 24)
    arena.expectPages(inUse: 24 + guardPages, inaccessible: 8, &recorder)
    run.deallocate()
    arena.expectPages(inUse: 0, inaccessible: 0, &recorder)
    recorder.expect(isReadable(start + 8 * 8192), "plain at the end")
  },

  Check("decommit: a refusal by the kernel, at each of its calls") { recorder in
    for call in 0..<12 {
      let calls = FakeCalls(hugePageSize: 0)
      guard let arena = makeArena(&recorder, calls: calls, caching: false),
        var run = arena.own(32, zeroed: true, &recorder), recorder.isGood
      else { return }
      run.stamp(4)
      recorder.context = "call \(call)"
      calls.fail(call: call)
      var refused = 0
      func attempt(
        _ run: inout PageRun, _ recorder: inout Recorder,
        _ body: (inout PageRun) throws(PageArenaError) -> Void
      ) {
        do throws(PageArenaError) { try body(&run) } catch {
          if case .system = error { refused += 1 } else { recorder.fail(error.description) }
        }
        // What it says that it has is what can be accessed, or what the figures have.
        recorder.expectEqual(
          arena.statistics.inaccessibleBytes, UInt64(run.byteCount - run.committedByteCount),
          "inaccessible")
        for page in 0..<32 where run.isReadable(page) {
          if run.isDecommitted(page) { recorder.fail("page \(page) does not count") }
        }
      }
      attempt(&run, &recorder) { (run) throws(PageArenaError) in try run.decommit(in: 4..<8) }
      attempt(&run, &recorder) { (run) throws(PageArenaError) in try run.decommit(in: 16..<24) }
      attempt(&run, &recorder) { (run) throws(PageArenaError) in try run.commit(in: 6..<20) }
      attempt(&run, &recorder) { (run) throws(PageArenaError) in
        try run.protect(.readOnly, in: 4..<24)
      }
      attempt(&run, &recorder) { (run) throws(PageArenaError) in try run.decommit(in: 0..<32) }
      attempt(&run, &recorder) { (run) throws(PageArenaError) in try run.protect(.readWrite) }
      calls.failNoMore()
      recorder.expect(refused <= 1, "\(refused) refusals of one")
      recorder.succeeds("opened") { () throws(PageArenaError) in try run.protect(.readWrite) }
      arena.expectPages(inUse: 32, inaccessible: 0, &recorder)
      run.stamp(5)
      run.deallocate()
      arena.expectPages(inUse: 0, inaccessible: 0, &recorder)
    }
  },

  Check("decommit: what the kernel will not close again counts, and is freed all the same") {
    recorder in
    for isWhole in [false, true] {
      recorder.context = "all of it: \(isWhole)"
      let calls = FakeCalls(hugePageSize: 0)
      guard let arena = makeArena(&recorder, calls: calls, caching: false),
        var run = arena.own(32, &recorder)
      else { return }
      recorder.succeeds("decommit") { () throws(PageArenaError) in
        try run.decommit(in: isWhole ? 0..<32 : 8..<24)
      }
      calls.refuse(.mprotect)
      do throws(PageArenaError) {
        try run.commit(in: 8..<24)
        recorder.fail("committed")
      } catch { recorder.expect(error.isRefusal(of: .mprotect), error.description) }
      arena.expectPages(inUse: 32, inaccessible: isWhole ? 16 : 0, &recorder)
      calls.refuse(.mmap)
      run.deallocate()
      // Nobody gets what is not plain.
      arena.expectPages(inUse: 32, inaccessible: 0, &recorder)
      calls.failNoMore()
      recorder.expectEqual(arena.emptyLimbo(), 32 * 8192, "free later")
      arena.expectPages(inUse: 0, inaccessible: 0, &recorder)
    }
  },

  Check("decommit: on a host whose pages are larger, by whole ones") { recorder in
    let calls = FakeCalls(physicalPageSize: 16_384)
    guard let arena = makeArena(&recorder, calls: calls), var run = arena.own(8, &recorder),
      var odd = arena.own(3, &recorder)
    else { return }
    for range in [1..<4, 2..<3, 0..<7] {
      let start = run.address + UInt(range.lowerBound * 8192)
      let expected = PageArenaError.partOfPhysicalPage(base: start, physicalPageSize: 16_384)
      recorder.throwsError(expected) { () throws(PageArenaError) in try run.decommit(in: range) }
      recorder.throwsError(expected) { () throws(PageArenaError) in try run.commit(in: range) }
    }
    recorder.succeeds("two of them") { () throws(PageArenaError) in try run.decommit(in: 2..<6) }
    arena.expectPages(inUse: 11, inaccessible: 4, &recorder)
    recorder.throwsError(
      .partOfPhysicalPage(base: run.address + 3 * 8192, physicalPageSize: 16_384)
    ) { () throws(PageArenaError) in try run.protect(.readOnly, in: 3..<4) }
    arena.expectPages(inUse: 11, inaccessible: 4, &recorder)
    recorder.throwsError(.partOfPhysicalPage(base: odd.address, physicalPageSize: 16_384)) {
      () throws(PageArenaError) in try odd.decommit(in: 0..<2)
    }
    recorder.succeeds("back") { () throws(PageArenaError) in try run.commit(in: 4..<6) }
    arena.expectPages(inUse: 11, inaccessible: 2, &recorder)
    run.deallocate()
    odd.deallocate()
    recorder.expectEqual(calls.misalignedCount.load(ordering: .relaxed), 0, "calls across pages")
    arena.expectPages(inUse: 0, inaccessible: 0, &recorder)
  },
]
