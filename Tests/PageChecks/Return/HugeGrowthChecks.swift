import PageAlloc
import SysMem

/// Huge pages for what an arena grows by, where they come quickly.
package let hugeGrowthChecks: [Check] = [
  Check("huge growth: beyond the first 16 MiB, with the first page there at once") { recorder in
    let calls = FakeCalls()
    guard let heap = Growing(calls, FakeClock(), &recorder) else { return }
    recorder.expect(calls.takeWishes() == [], "nothing of the first 16 MiB")
    guard let run = heap.grow(&recorder) else { return }
    recorder.expect(calls.takeWishes() == [heap.wish(run, 0, 4, true)], "all of the next chunk")
    recorder.expect(run.part(0, 1).residentBytes > 0, "the first page is there")
    heap.arena.give(run, &recorder)
  },

  Check("huge growth: where they come slowly, not the next 4, 16, 64 MiB") { recorder in
    let calls = FakeCalls()
    let clock = FakeClock()
    guard let heap = Growing(calls, clock, &recorder) else { return }
    clock.workPerLook.store(4_000_000, ordering: .relaxed)
    var asked: [Int] = []
    for chunk in 0..<30 {
      guard let run = heap.grow(&recorder) else { return }
      let wishes = calls.takeWishes()
      if wishes.isEmpty { continue }
      asked.append(chunk)
      // Then the rest of the chunk is left as it is.
      let expected = [heap.wish(run, 0, 4, true), heap.wish(run, 2, 2, false)]
      recorder.expect(wishes == expected, "chunk \(chunk)")
    }
    recorder.expect(asked == [0, 2, 7, 24], "asked at \(asked)")
    // A quick one, and all is as it was.
    clock.workPerLook.store(0, ordering: .relaxed)
    while calls.takeWishes().isEmpty { _ = heap.grow(&recorder) }
    _ = heap.grow(&recorder)
    recorder.expectEqual(calls.takeWishes().count, 1, "wishes after a quick one")
  },

  Check("huge growth: none under a limit, and none any more when one is set") { recorder in
    let calls = FakeCalls()
    guard let heap = Growing(calls, FakeClock(), &recorder) else { return }
    guard let run = heap.grow(&recorder) else { return }
    _ = heap.grow(&recorder)
    _ = calls.takeWishes()
    recorder.succeeds("a limit") { () throws(PageArenaError) in
      try heap.arena.setMemoryLimit(.bytes(soft: 1 << 30))
    }
    recorder.expect(calls.takeWishes() == [heap.wish(run, 0, 8, false)], "not where they were")
    _ = heap.grow(&recorder)
    recorder.expect(calls.takeWishes() == [], "nor where it grows")
  },

  Check("huge growth: a unit of which a part goes back is not filled again") { recorder in
    let calls = FakeCalls()
    guard let heap = Growing(calls, FakeClock(), &recorder) else { return }
    guard let run = heap.grow(&recorder) else { return }
    run.stamp(1)
    _ = calls.takeWishes()
    heap.arena.give(run.part(0, 100), &recorder)
    recorder.expect((try? heap.arena.releaseFreeMemory()) != nil, "given back")
    recorder.expect(calls.takeWishes() == [heap.wish(run, 0, 2, false)], "the first unit")
    heap.arena.give(run.part(256, 256), &recorder)
    recorder.expect((try? heap.arena.releaseFreeMemory()) != nil, "given back")
    recorder.expect(calls.takeWishes() == [], "a unit that went as a whole")
    recorder.expect(heap.arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("huge growth: what the kernel backs beyond what was touched goes back with it") {
    recorder in
    let calls = FakeCalls()
    guard let heap = Growing(calls, FakeClock(), &recorder) else { return }
    // One page of a new chunk is in use.
    guard let page = heap.arena.take(1, &recorder) else { return }
    page.stamp(1)
    guard LinuxCalls().hugePageSize == 2 << 20, heap.arena.hugePageBytes() == 2 << 20 else {
      return recorder.leaveOut("the kernel does not back the arena by huge pages of 2 MiB")
    }
    let unit = page.part(0, 256)
    recorder.expectEqual(unit.residentBytes, 2 << 20, "backed")
    let before = heap.arena.statistics
    heap.arena.give(page, &recorder)
    _ = calls.takeGivenBack()
    recorder.expectEqual((try? heap.arena.releaseFreeMemory()) ?? 0, 8192, "counted as given back")
    recorder.expect(
      calls.takeGivenBack() == [AdvisedRange(address: page.address, byteCount: 2 << 20)],
      "the kernel is told of the unit")
    recorder.expectEqual(unit.residentBytes, 0, "backed")
    let after = heap.arena.statistics
    recorder.expectEqual(after.scavengedBytes - before.scavengedBytes, 8192, "scavenged")
    recorder.expect(heap.arena.brokenInvariant() == nil, "the invariants hold")
  },
]

/// An arena without caches of which 16 MiB are in use, no page more or less.
private struct Growing {
  let arena: PageArena

  init?(_ calls: FakeCalls, _ clock: FakeClock, _ recorder: inout Recorder) {
    var options = PageArena.Options.stepped(clock)
    options.calls = calls
    guard let arena = makeArena(&recorder, options), arena.take(2048, &recorder) != nil
    else { return nil }
    self.arena = arena
  }

  /// Takes a chunk more.
  func grow(_ recorder: inout Recorder) -> Run? {
    arena.take(512, &recorder)
  }

  /// What is said about so many MiB from a place in a run on, in MiB.
  func wish(_ run: Run, _ start: UInt, _ count: UInt, _ areWelcome: Bool) -> HugePageWish {
    HugePageWish(
      AdvisedRange(address: run.address + start << 20, byteCount: count << 20), areWelcome)
  }
}
