import PageAlloc

/// What a checked arena remembers of its runs.
package let recordChecks: [Check] = [
  Check("checked: a record tells who allocated a run and who freed it") { recorder in
    guard let arena = makeCheckedArena(&recorder), let run = arena.take(4, &recorder) else {
      return
    }
    recorder.expect(arena.isChecked, "checked")
    run.stamp(1)
    guard let before = arena.diagnose(run.address + 20_000) else {
      return recorder.fail("no record")
    }
    recorder.expect(before.state == .inUse, "in use")
    recorder.expectEqual(before.address, run.address, "address")
    recorder.expectEqual(before.pages, 4, "pages")
    recorder.expectEqual(before.pagesInUse, 4, "pages in use")
    recorder.expect(before.end == nil, "not freed")
    recorder.expect((before.allocation?.thread ?? 0) > 0, "a thread")
    if hasTraces {
      recorder.expect((before.allocation?.addresses.count ?? 0) > 2, "a back-trace")
    }
    arena.give(run, &recorder)
    guard let after = arena.diagnose(run.address) else { return recorder.fail("no record") }
    recorder.expect(after.state == .quarantined, "in quarantine")
    recorder.expectEqual(after.pagesInUse, 0, "pages in use")
    recorder.expect(after.allocation == before.allocation, "who allocated it")
    recorder.expect(after.end?.thread == before.allocation?.thread, "who freed it")
    arena.emptyQuarantine()
    recorder.expect(arena.diagnose(run.address)?.state == .freed, "freed")
    recorder.expect(arena.diagnose(run.address)?.end == after.end, "still who freed it")
    recorder.expect(arena.diagnose(0) == nil, "nothing about foreign memory")
    recorder.expect(
      arena.diagnose(run.address + (4 << 13)) == nil, "nothing about what was never handed out")
    recorder.expectEmpty(arena)
  },

  Check("checked: parts of a run are told apart") { recorder in
    guard let arena = makeCheckedArena(&recorder), let run = arena.take(10, &recorder) else {
      return
    }
    arena.give(run.part(3, 2), &recorder)
    let part = arena.diagnose(run.part(4, 1).address)
    recorder.expect(part?.state == .quarantined, "the part is in quarantine")
    recorder.expectEqual(part?.address ?? 0, run.part(3, 2).address, "where the part starts")
    recorder.expectEqual(part?.pages ?? 0, 2, "its pages")
    let rest = arena.diagnose(run.part(5, 1).address)
    recorder.expect(rest?.state == .inUse, "the rest is in use")
    recorder.expectEqual(rest?.pagesInUse ?? 0, 8, "pages in use")
    recorder.expect(part?.allocation == rest?.allocation, "both were allocated by one")
    recorder.expectEqual(arena.leaks.pages, 8, "pages in the report")
    recorder.expectEqual(arena.leaks.runs, 1, "runs in the report")
    arena.give(run.part(0, 3), &recorder)
    arena.give(run.part(5, 5), &recorder)
    recorder.expectEmpty(arena)
  },

  Check("checked: mistakes are the same errors, and explained") { recorder in
    guard let arena = makeCheckedArena(&recorder), let run = arena.take(4, &recorder),
      let next = arena.take(1, &recorder)
    else { return }
    let end = run.address + UInt(5 << 13)
    recorder.expect(
      arena.errorOfGiving(run.part(2, 3)) == .pastEndOfRun(base: run.part(2, 0).address, pages: 3),
      "past the end")
    recorder.expect(
      arena.errorOfGiving(run.misaligned(by: 8)) == .misaligned(base: run.address + 8), "misaligned"
    )
    recorder.expect(
      arena.errorOfGiving(run.part(5, 1)) == .notInUse(base: end, pages: 1), "never in use")
    recorder.expectEqual(arena.statistics.inUseBytes, 5 << 13, "nothing has changed")
    arena.give(run, &recorder)
    recorder.expect(
      arena.errorOfGiving(run) == .notInUse(base: run.address, pages: 4), "a double free")
    recorder.expect(
      arena.errorOfGiving(run.part(2, 1)) == .notInUse(base: run.part(2, 0).address, pages: 1),
      "of a middle page")
    recorder.expect(arena.diagnose(run.address)?.end != nil, "who freed it first")
    arena.give(next, &recorder)
    recorder.expectEmpty(arena)
  },

  Check("checked: owners, handles, guards, moves and adoption") { recorder in
    guard let arena = makeCheckedArena(&recorder) else { return }
    do throws(PageArenaError) {
      var run = try arena.allocateGuardedRun(pages: 20, zeroed: true)
      recorder.expect(run.isZero(), "zero")
      run.stamp(3)
      let halves = run.split(at: 8)
      recorder.expect(halves.lower.isStamped(3, pages: 8), "contents")
      recorder.expect(arena.diagnose(halves.upper.address)?.state == .inUse, "a half is in use")
      let at = halves.lower.address
      halves.lower.deallocate()
      recorder.expect(arena.diagnose(at)?.state == .quarantined, "a half is in quarantine")
      halves.upper.deallocate()

      var grown = try arena.allocateRun(pages: 18)
      grown.stamp(4)
      let fence = try arena.run(1)
      try grown.resize(to: 64, zeroed: true)
      recorder.expect(grown.isStamped(4, pages: 18), "contents after a move")
      recorder.expect(grown.isZero(from: 18), "zero")
      _ = grown.grow(to: 70)
      grown.shrink(to: 5)
      let memory = unsafe try grown.leak()
      guard let base = memory.baseAddress else { return }
      let adopted = unsafe try arena.adopt(base, pages: 5)
      recorder.expect(adopted.isStamped(4, pages: 5), "contents")
      recorder.expect(arena.diagnose(adopted.address)?.state == .inUse, "in use")
      adopted.deallocate()
      arena.give(fence, &recorder)

      var cache = try arena.makeCache()
      let cached = unsafe Run(try cache.allocate(pages: 3), pages: 3)
      recorder.expect(arena.diagnose(cached.address)?.state == .inUse, "by a handle")
      unsafe try cache.deallocate(cached.pointer, pages: 3)
      recorder.expect(arena.diagnose(cached.address)?.state == .quarantined, "freed by it")
    } catch { recorder.fail(error.description) }
    recorder.expectEmpty(arena)
    arena.emptyQuarantine()
    recorder.expectEqual(arena.statistics.quarantinedBytes, 0, "bytes withheld")
    recorder.expectEmpty(arena)
  },

  Check("checked: leaks are told by where they were allocated") { recorder in
    guard let arena = makeCheckedArena(&recorder) else { return }
    var runs: [Run] = []
    for index in 0..<30 { runs.append(contentsOf: takeSome(arena, index)) }
    guard runs.count == 60 else { return recorder.fail("runs") }
    let report = arena.leaks
    recorder.expectEqual(report.runs, 60, "runs")
    recorder.expectEqual(report.pages, 30 * 1 + 30 * 5, "pages")
    recorder.expectEqual(report.unknownPages, 0, "pages without a record")
    if hasTraces {
      recorder.expectEqual(report.groups.count, 2, "groups")
      recorder.expectEqual(report.groups.first?.pages ?? 0, 150, "the larger group first")
      recorder.expectEqual(report.groups.first?.runs ?? 0, 30, "its runs")
    }
    let text = report.description
    recorder.expect(text.utf8.starts(with: "PageAlloc: 1440 KiB in 60 runs in use\n".utf8), text)
    for run in runs { arena.give(run, &recorder) }
    recorder.expectEmpty(arena)
    recorder.expect(
      arena.leaks.description.utf8.elementsEqual("PageAlloc: 0 KiB in 0 runs in use\n".utf8), "text"
    )
  },

  Check("checked: what waits for the kernel is nobody's leak") { recorder in
    let calls = FakeCalls()
    guard let arena = makeCheckedArena(&recorder, calls: calls),
      let leaked = arena.take(3, &recorder)
    else { return }
    // More runs than there is room for: six pages are out of use for good.
    for _ in 0..<70 {
      guard var run = arena.own(1, &recorder) else { return }
      recorder.succeeds("decommit") { () throws(PageArenaError) in try run.decommit(in: 0..<1) }
      calls.refuse(.mmap)
      run.deallocate()
      arena.emptyQuarantine()
      calls.failNoMore()
    }
    recorder.expectEqual(arena.leaks.pages, 3, "pages in the report")
    recorder.expectEqual(arena.leaks.unknownPages, 0, "without a record")
    recorder.expectEqual(arena.statistics.inUseBytes, (3 + 70) * 8192, "out of use")
    recorder.expectEqual(arena.emptyLimbo(), 64 * 8192, "free later")
    recorder.expectEqual(arena.leaks.pages, 3, "pages in the report afterwards")
    arena.give(leaked, &recorder)
  },

  Check("checked: without records it goes on") { recorder in
    guard !is32Bit else {
      return recorder.leaveOut("70,000 runs take more address space than is sure to be there")
    }
    guard let arena = makeCheckedArena(&recorder) else { return }
    var runs: [Run] = []
    for _ in 0..<70_000 {
      guard let run = arena.take(1, &recorder) else { return }
      runs.append(run)
    }
    recorder.expectEqual(arena.leaks.pages, 70_000, "pages")
    recorder.expectEqual(arena.leaks.unknownPages, 70_000 - 65_536, "without a record")
    for run in runs { arena.give(run, &recorder) }
    recorder.expectEmpty(arena)
    // Now there are records again, of the runs freed longest ago.
    guard let run = arena.take(2, &recorder) else { return }
    recorder.expect(arena.diagnose(run.address)?.state == .inUse, "a record")
    arena.give(run, &recorder)
    recorder.expectEmpty(arena)
  },

  Check("checked: off by default, and a bad size is refused") { recorder in
    guard let arena = makeArena(&recorder), let run = arena.take(1, &recorder) else { return }
    recorder.expect(!arena.isChecked, "not checked")
    recorder.expect(arena.diagnose(run.address) == nil, "no record")
    recorder.expectEqual(arena.leaks.pages, 0, "no report")
    recorder.expect(!arena.leaks.isChecked, "the report says so")
    let text = arena.leaks.description
    recorder.expect(text.utf8.starts(with: "PageAlloc: not checked".utf8), text)
    recorder.throwsError(.badDiagnosis) { () throws(PageArenaError) in
      _ = try PageArena(diagnosis: .checked(quarantineByteCount: -1))
    }
  },
]

@inline(never)
private func takeSome(_ arena: PageArena, _ index: Int) -> [Run] {
  guard let small = try? arena.run(1), let large = try? arena.run(5) else { return [] }
  return [small, large]
}
