import PageAlloc
import SysMem

/// What owners ask of huge pages of their runs, by the kernel's own words, and that none of it
/// reaches a run's next owner.
package let hugePageAdviceChecks: [Check] = [
  Check("huge page advice: an arena's own is there again where a special run was") { recorder in
    for policy in policies where recorder.isGood {
      recorder.context = "\(policy)"
      guard let arena = makeArena(&recorder, options(policy)) else { return }
      guard var run = afterFirstGrowth(arena, 32, &recorder) else { return }
      let start = run.address
      guard isTold(start) else { return leaveOut(&recorder) }
      expectFlags(HugePageFlag(policy), start, [0, 31], "as the arena grew", &recorder)
      recorder.succeeds("closed in part") { () throws(PageArenaError) in
        try run.protect(.none, in: 8..<16)
      }
      run.deallocate()
      expectFlags(HugePageFlag(policy), start, [0, 8, 15, 31], "after its end", &recorder)
    }
  },

  Check("huge page advice: of a run and its parts, until they end") { recorder in
    for policy in policies where recorder.isGood {
      recorder.context = "\(policy)"
      guard let arena = makeArena(&recorder, options(policy)) else { return }
      guard var run = afterFirstGrowth(arena, 1024, &recorder) else { return }
      let (start, own) = (run.address, HugePageFlag(policy))
      guard isTold(start) else { return leaveOut(&recorder) }
      run.stamp(3)
      recorder.succeeds("preferred in part") { () throws(PageArenaError) in
        try run.preferHugePages(in: 256..<768)
        try run.avoidHugePages(in: 512..<1024)
      }
      expectFlags(own, start, [0, 255], "not advised", &recorder)
      expectFlags(.preferred, start, [256, 511], "preferred", &recorder)
      expectFlags(.avoided, start, [512, 1023], "avoided", &recorder)
      recorder.expect(run.isStamped(3, pages: 1024), "contents")
      let halves = run.split(at: 400)
      var rest = halves.upper
      halves.lower.deallocate()
      expectFlags(own, start, [0, 256, 399], "the lower part has ended", &recorder)
      expectFlags(.preferred, start, [400, 511], "the upper part lives", &recorder)
      rest.shrink(to: 200)
      expectFlags(own, start, [600, 1023], "the end of the upper part has ended", &recorder)
      recorder.succeeds("all of it") { () throws(PageArenaError) in
        try rest.preferHugePages()
        try rest.avoidHugePages()
      }
      expectFlags(.avoided, start, [400, 599], "the other way round", &recorder)
      rest.deallocate()
      expectFlags(own, start, [0, 256, 400, 512, 599, 1023], "all of it has ended", &recorder)
      guard let next = arena.own(1024, zeroed: true, &recorder) else { return }
      recorder.expect(next.address == start && next.isZero(), "the next owner's")
      next.deallocate()
      recorder.expectEqual(arena.settledStatistics.inUseBytes, 1024 << 13, "in use at the end")
      recorder.expect(arena.brokenInvariant() == nil, "invariants")
    }
  },

  Check("huge page advice: such a run grows in place, but neither moves nor can it be leaked") {
    recorder in
    guard let arena = makeArena(&recorder, caching: false), var run = arena.own(8, &recorder)
    else { return }
    guard isTold(run.address) else { return leaveOut(&recorder) }
    let start = run.address
    run.stamp(5)
    recorder.succeeds("avoided") { () throws(PageArenaError) in try run.avoidHugePages() }
    recorder.expect(run.grow(to: 16), "grows")
    expectFlags(.avoided, start, [0, 7], "what it had", &recorder)
    guard let wall = arena.own(1, &recorder) else { return }
    recorder.expect(wall.address == start + 16 * 8192, "a wall behind it")
    recorder.throwsError(.notPlain(base: start)) { () throws(PageArenaError) in
      try run.resize(to: 32)
    }
    recorder.expect(run.pages == 16 && run.isStamped(5, pages: 8), "as before")
    let halves = run.split(at: 4)
    var lower = halves.lower
    recorder.expect(lower.join(halves.upper) == nil, "joined again")
    do throws(PageArenaError) {
      _ = unsafe try lower.leak()
      recorder.fail("leaked")
    } catch { recorder.expect(error == .notPlain(base: start), error.description) }
    expectFlags(.none, start, [0, 4, 15], "as if it were dropped", &recorder)
    wall.deallocate()
    recorder.expectEqual(arena.settledStatistics.inUseBytes, 0, "in use at the end")
  },

  Check("huge page advice: what the kernel refuses, and parts of its larger pages") { recorder in
    let calls = FakeCalls()
    guard let arena = makeArena(&recorder, calls: calls, caching: false),
      var run = arena.own(8, &recorder)
    else { return }
    run.stamp(5)
    calls.refuse(.madvise)
    for prefers in [true, false] {
      do throws(PageArenaError) {
        if prefers { try run.preferHugePages() } else { try run.avoidHugePages(in: 0..<8) }
        recorder.fail("not refused")
      } catch { recorder.expect(error.isRefusal(of: .madvise), error.description) }
    }
    calls.failNoMore()
    // Plain as before: it can move.
    guard let wall = arena.own(1, &recorder) else { return }
    recorder.succeeds("moved") { () throws(PageArenaError) in try run.resize(to: 16) }
    recorder.expect(run.isStamped(5, pages: 8), "contents")
    // Not told why: it may hold for a part.
    calls.fail(call: 0)
    do throws(PageArenaError) {
      try run.preferHugePages()
      recorder.fail("not refused")
    } catch { recorder.expect(error.isRefusal(of: .madvise), error.description) }
    calls.failNoMore()
    recorder.succeeds("again") { () throws(PageArenaError) in try run.preferHugePages() }
    recorder.expect(run.isStamped(5, pages: 8), "contents")
    // Its end is refused: nobody gets it.
    let address = run.address
    calls.refuse(.mmap)
    run.deallocate()
    recorder.expectEqual(arena.settledStatistics.inUseBytes, 17 * 8192, "in limbo")
    calls.failNoMore()
    arena.emptyLimbo()
    wall.deallocate()
    recorder.expectEqual(arena.settledStatistics.inUseBytes, 0, "in use at the end")
    if let flag = hugePageFlag(at: address) { recorder.expect(flag == .none, "plain: \(flag)") }

    guard let coarse = makeArena(&recorder, calls: FakeCalls(physicalPageSize: 16_384)),
      var odd = coarse.own(3, &recorder)
    else { return }
    let base = odd.address
    recorder.throwsError(.partOfPhysicalPage(base: base, physicalPageSize: 16_384)) {
      () throws(PageArenaError) in try odd.preferHugePages()
    }
    odd.stamp(1)
  },

  Check("huge page advice: what an owner avoids is not gathered") { recorder in
    let calls = FakeCalls()
    var options = options(.automatic)
    options.calls = calls
    guard let arena = makeArena(&recorder, options),
      var run = afterFirstGrowth(arena, 1024, &recorder)
    else { return }
    recorder.succeeds("avoided") { () throws(PageArenaError) in try run.avoidHugePages() }
    run.stamp(2)
    _ = calls.takeWishes()
    _ = try? arena.collapse()
    let range = run.address..<(run.address + 1024 * 8192)
    for wish in calls.takeWishes() where wish.areWelcome {
      recorder.expect(!range.contains(wish.range.address), "asked for huge pages")
    }
    recorder.expect(run.isStamped(2, pages: 1024), "contents")
    run.deallocate()
  },
]

private var policies: [HugePages] { [.system, .automatic, .prefer, .avoid] }

private func options(_ policy: HugePages) -> PageArena.Options {
  var options = PageArena.Options()
  options.hugePages = policy
  options.scavenging = .manual
  options.threadCacheByteCount = 0
  return options
}

/// A run beyond the first 8 MiB of an arena, where one of `automatic` asks for huge pages; what
/// lies before it is in use as long as the arena.
private func afterFirstGrowth(
  _ arena: PageArena, _ pages: Int, _ recorder: inout Recorder
) -> PageRun? {
  guard arena.take(1024, &recorder) != nil else { return nil }
  return arena.own(pages, alignment: 1 << 22, &recorder)
}

private func expectFlags(
  _ flag: HugePageFlag, _ start: UInt, _ pages: [Int], _ what: StaticString,
  _ recorder: inout Recorder, line: UInt = #line
) {
  for page in pages {
    let found = hugePageFlag(at: start + UInt(page) * 8192)
    recorder.expect(found == flag, "\(what), page \(page): \(found.text), not \(flag)", line: line)
  }
}

/// Whether the kernel tells what it has noted, and of every page.
private func isTold(_ address: UInt) -> Bool {
  LinuxCalls().physicalPageSize <= PageArena.pageSize && hugePageFlag(at: address) != nil
}

private func leaveOut(_ recorder: inout Recorder) {
  recorder.leaveOut("what the kernel noted about huge pages: it does not tell, or not of a page")
}

extension HugePageFlag? {
  fileprivate var text: String {
    switch self {
    case .some(let flag): "\(flag)"
    case nil: "not told"
    }
  }
}
