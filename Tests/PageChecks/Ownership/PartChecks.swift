import PageAlloc
import SysMem
import Synchronization

/// Parts of a run, and runs that become one.
package let partChecks: [Check] = [
  Check("part: some pages are protected, locked, prefaulted and discarded") { recorder in
    guard let arena = makeArena(&recorder), var run = arena.own(16, zeroed: true, &recorder) else {
      return
    }
    let step = max(1, run.granules)
    guard step <= 4 else { return recorder.leaveOut("the kernel's pages are larger than four") }
    run.stamp(3)
    recorder.expect(run.errorOf(.protect(.readOnly, step..<2 * step)) == nil, "protected")
    recorder.expect(run.isStamped(3, pages: 16), "all of it is read")
    let calls = LinuxCalls()
    recorder.expect(run.errorOf(.protect(.none, 2 * step..<3 * step)) == nil, "closed in part")
    let closed = run.address + UInt(2 * step * 8192)
    recorder.expect(calls.isReadable(closed) != true, "it faults")
    recorder.expect(calls.isReadable(closed - 1) != false, "the page before it")
    recorder.expect(
      calls.isReadable(closed + UInt(step * 8192)) != false, "the page behind it")
    recorder.expect(run.errorOf(.protect(.readWrite, 0..<16)) == nil, "opened")
    recorder.expect(run.errorOf(.discard(4..<8)) == nil, "discarded")
    for page in 0..<16 {
      let word = run.elements(of: UInt64.self)[page * 1024]
      recorder.expectEqual(word, (4..<8).contains(page) ? 0 : 3 + UInt64(page), "page \(page)")
    }
    recorder.expectEqual(arena.statistics.returned.discardedBytes, 4 * 8192, "bytes discarded")
    recorder.expect(run.errorOf(.prefault(4..<8)) == nil, "prefaulted")
    recorder.expect(
      run.errorOf(.protect(.readWriteExecute, 0..<4)) == .writableCode, "writable code")
    run.deallocate()
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use at the end")
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
    // The next owner finds plain memory.
    guard var next = arena.own(16, zeroed: true, &recorder) else { return }
    recorder.expect(next.isZero(), "zero")
    next.stamp(1)
  },

  Check("part: a range beyond the run is refused, and changes nothing") { recorder in
    guard let arena = makeArena(&recorder), var run = arena.own(8, &recorder) else { return }
    for range in [-1..<2, 7..<9, 0..<Int.max, Int.min..<0, 9..<9, -2..<(-1)] {
      let expected = PageArenaError.outOfBounds(
        lowerBound: range.lowerBound, upperBound: range.upperBound, limit: 8)
      for use: PartUse in [
        .protect(.readOnly, range), .lock(range), .prefault(range), .discard(range),
        .decommit(range), .commit(range),
      ] {
        recorder.expect(run.errorOf(use) == expected, "\(range.lowerBound) ..< \(range.upperBound)")
      }
    }
    for place in [0, 3, 8] {
      for use: PartUse in [
        .protect(.none, place..<place), .lock(place..<place), .prefault(place..<place),
        .discard(place..<place), .decommit(place..<place), .commit(place..<place),
      ] {
        recorder.expect(run.errorOf(use) == nil, "of nothing, at \(place)")
      }
    }
    run.stamp(2)
    recorder.expect(run.isStamped(2, pages: 8), "as before")
  },

  Check("part: a run that is not made of the kernel's pages is left as it is") { recorder in
    let calls = FakeCalls(physicalPageSize: 16_384)
    guard let arena = makeArena(&recorder, calls: calls), var run = arena.own(3, &recorder),
      let next = arena.take(1, &recorder)
    else { return }
    next.stamp(8)
    let expected = PageArenaError.partOfPhysicalPage(
      base: run.address, physicalPageSize: 16_384)
    recorder.expect(run.errorOf(.protect(.readOnly, 0..<2)) == expected, "protected")
    recorder.expect(run.errorOf(.lock(0..<2)) == expected, "locked")
    run.deallocate()
    recorder.expect(next.isStamped(8), "the neighbour")
    guard var even = arena.own(4, &recorder) else { return }
    even.stamp(1)
    recorder.expect(even.errorOf(.protect(.readOnly, 0..<4)) == nil, "all of it")
    if case .partOfPhysicalPage = even.errorOf(.prefault(0..<1)) {
    } else {
      recorder.fail("a part of a page is written to by hand")
    }
    even.deallocate()
    recorder.expectEqual(calls.misalignedCount.load(ordering: .relaxed), 0, "calls across pages")
  },

  Check("part: of a run without access some is opened by itself, and counts") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    do throws(PageArenaError) {
      var run = try arena.allocateRun(pages: 64, access: .none)
      recorder.expect(run.errorOf(.protect(.none, 0..<16)) == nil, "as it is")
      recorder.expectEqual(arena.statistics.inaccessibleBytes, 64 * 8192, "not opened")
      recorder.expect(run.errorOf(.protect(.readWrite, 0..<16)) == nil, "in part")
      recorder.expectEqual(arena.statistics.inaccessibleBytes, 48 * 8192, "opened in part")
      try run.protect(.readWrite)
      recorder.expectEqual(arena.statistics.inaccessibleBytes, 0, "opened")
      recorder.expect(run.errorOf(.protect(.readOnly, 0..<16)) == nil, "and then a part")
    } catch { recorder.fail(error.description) }
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
  },

  Check("join: two halves become one again, in whatever mode") { recorder in
    for isChecked in [false, true] {
      let made = isChecked ? makeCheckedArena(&recorder) : makeArena(&recorder)
      guard let arena = made else { return }
      for (pages, cut) in [(10, 1), (10, 9), (300, 128), (300, 299), (128, 1)] {
        recorder.context = "\(pages) pages, cut at \(cut)"
        guard var run = arena.own(pages, &recorder) else { return }
        run.stamp(4)
        let (start, before) = (run.address, arena.statistics.inUseBytes)
        var halves = run.split(at: cut)
        let rest = halves.lower.join(halves.upper)
        recorder.expect(rest == nil, "joined")
        let whole = halves.lower
        recorder.expectEqual(whole.pages, pages, "pages")
        recorder.expectEqual(whole.address, start, "the same place")
        recorder.expect(whole.isStamped(4, pages: pages), "the contents")
        recorder.expectEqual(arena.statistics.inUseBytes, before, "in use")
        whole.deallocate()
        recorder.expect(arena.brokenInvariant() == nil, "invariants")
        recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use at the end")
      }
    }
  },

  Check("join: what does not fit together stays apart, and whole") { recorder in
    guard let arena = makeArena(&recorder), let other = makeArena(&recorder) else { return }
    /// Joins two runs that are not to be joined, and frees both.
    func expectApart(
      _ lower: consuming PageRun, _ upper: consuming PageRun, _ what: String,
      _ recorder: inout Recorder
    ) {
      let (first, second) = (lower.address, upper.address)
      var lower = lower
      guard let rest = lower.join(upper) else { return recorder.fail("joined: \(what)") }
      recorder.expect(lower.address == first && rest.address == second, what)
    }
    guard let run = arena.own(12, &recorder) else { return }
    let ends = run.split(at: 8)
    let starts = ends.lower.split(at: 4)
    expectApart(starts.lower, ends.upper, "with a gap between them", &recorder)
    starts.upper.deallocate()
    guard let a = arena.own(4, &recorder), let b = other.own(4, &recorder) else { return }
    expectApart(a, b, "of two arenas", &recorder)
    guard let c = arena.own(8, &recorder) else { return }
    let swapped = c.split(at: 4)
    expectApart(swapped.upper, swapped.lower, "the wrong way round", &recorder)
    guard let d = arena.own(8, &recorder) else { return }
    var unlike = d.split(at: 4)
    unlike.upper.wipeOnFree()
    expectApart(unlike.lower, unlike.upper, "of two kinds", &recorder)
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use at the end")
    recorder.expectEqual(other.statistics.inUseBytes, 0, "in use at the end, in the other")
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
    // Guards stay at both ends.
    guard let guarded = arena.own(8, guarded: true, &recorder), guarded.granules <= 4 else {
      return
    }
    var inner = guarded.split(at: 4)
    let rest = inner.lower.join(inner.upper)
    recorder.expect(rest == nil, "guarded halves")
    let whole = inner.lower
    recorder.expect(LinuxCalls().isReadable(whole.address - 1) != true, "the guard before it")
    recorder.expect(LinuxCalls().isReadable(whole.address + 8 * 8192) != true, "behind it")
    whole.deallocate()
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use at the end, guards and all")
  },
]

/// What is done with a part of a run.
private enum PartUse {
  case protect(PageAccess, Range<Int>)
  case lock(Range<Int>), prefault(Range<Int>), discard(Range<Int>)
  case decommit(Range<Int>), commit(Range<Int>)
}

extension PageRun {
  /// Pages of 8 KiB in a page of the kernel's; 0 where that is smaller.
  fileprivate var granules: Int { LinuxCalls().physicalPageSize / 8192 }

  fileprivate mutating func errorOf(_ use: PartUse) -> PageArenaError? {
    do throws(PageArenaError) {
      switch use {
      case .protect(let access, let range): try protect(access, in: range)
      case .lock(let range): try lock(in: range)
      case .prefault(let range): try prefault(in: range)
      case .discard(let range): try discard(in: range)
      case .decommit(let range): try decommit(in: range)
      case .commit(let range): try commit(in: range)
      }
    } catch { return error }
    return nil
  }
}
