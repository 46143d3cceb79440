import PageAlloc
import SysMem

/// Units of 2 MiB, as the kernel backs by one huge page: which go, and in what order.
package let hugeUnitChecks: [Check] = [
  Check("huge unit: whole ones go first, dense ones are kept, then as the engine says") {
    recorder in
    let calls = FakeCalls()
    let clock = FakeClock()
    guard let heap = Units(.stepped(clock), calls, &recorder) else { return }
    let arena = heap.arena
    // Free: 2 and 5, half of 9, little of 12 and 15.
    heap.give([2: 0..<256, 5: 0..<256, 9: 128..<256, 15: 236..<256], &recorder)
    for page in 0..<8 { heap.give([12: (page * 30)..<(page * 30 + 1)], &recorder) }
    _ = calls.takeGivenBack()
    guard runUntilParked(arena, clock, &recorder) != nil else { return }
    // The excess is 199 pages, and the goal is reached with one unit.
    recorder.expect(calls.takeGivenBack() == [heap.range(5, 0..<256)], "the highest whole unit")

    heap.give([3: 0..<256, 4: 0..<256, 0: 0..<128, 1: 0..<128], &recorder)
    guard runUntilParked(arena, clock, &recorder) != nil else { return }
    // The excess is 788 pages, 20 more than the whole units have.
    let expected = [
      heap.range(4, 0..<256), heap.range(3, 0..<256), heap.range(2, 0..<256),
      heap.range(9, 236..<256),
    ]
    recorder.expect(calls.takeGivenBack() == expected, "whole units, then above 12 and 15 nothing")

    // Less of it is in use: no longer dense. The rest of what is not comes next.
    heap.give([15: 220..<236, 14: 0..<200, 13: 0..<200], &recorder)
    guard runUntilParked(arena, clock, &recorder) != nil else { return }
    let first = calls.takeGivenBack().first
    recorder.expect(first == heap.range(15, 220..<256), "what is no longer dense")
    recorder.expectEqual(heap.unit(12).residentBytes, 256 << 13, "the dense unit")

    // On request all goes, what was left alone included.
    recorder.expect((try? arena.releaseFreeMemory()) != nil, "released")
    recorder.expectEqual(arena.statistics.freeMaybeResidentBytes, 0, "free and resident")
    recorder.expectEqual(heap.unit(12).residentBytes, 248 << 13, "the dense unit, on request")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("huge unit: whole ones first on request too, and next to each other by one range") {
    recorder in
    let calls = FakeCalls()
    guard let heap = Units(.stepped(FakeClock()), calls, &recorder) else { return }
    heap.give([6: 0..<256, 7: 0..<256, 1: 0..<256, 15: 0..<100, 8: 7..<8], &recorder)
    _ = calls.takeGivenBack()
    recorder.expectEqual((try? heap.arena.scavenge(byteCount: 5 << 20)) ?? 0, 6 << 20, "given back")
    recorder.expect(
      calls.takeGivenBack() == [heap.range(6, 0..<512), heap.range(1, 0..<256)], "in that order")
    recorder.expectEqual((try? heap.arena.scavenge(byteCount: 8192)) ?? 0, 8192, "a page more")
    recorder.expect(calls.takeGivenBack() == [heap.range(15, 99..<100)], "the highest page")
    recorder.expect(heap.arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("huge unit: one as long as a chunk goes as a whole") { recorder in
    let calls = FakeCalls(hugePageSize: 4 << 20)
    guard let heap = Units(.stepped(FakeClock()), calls, &recorder) else { return }
    heap.give([6: 0..<256, 7: 0..<256, 8: 0..<256], &recorder)
    recorder.expectEqual((try? heap.arena.scavenge(byteCount: 1)) ?? 0, 4 << 20, "given back")
    recorder.expect(calls.takeGivenBack() == [heap.range(6, 0..<512)], "the whole unit")
  },

  Check("huge unit: a unit of which a part went already is not whole") { recorder in
    let calls = FakeCalls()
    guard let heap = Units(.stepped(FakeClock()), calls, &recorder) else { return }
    heap.give([10: 0..<1], &recorder)
    recorder.expectEqual((try? heap.arena.scavenge(byteCount: 1)) ?? 0, 8192, "its first page")
    heap.give([10: 1..<256, 3: 0..<256], &recorder)
    _ = calls.takeGivenBack()
    recorder.expect((try? heap.arena.scavenge(byteCount: 3 << 20)) != nil, "given back")
    recorder.expect(
      calls.takeGivenBack() == [heap.range(3, 0..<256), heap.range(10, 128..<256)], "in that order")
  },

  Check("huge unit: where they are avoided, or the kernel has none, the highest goes first") {
    recorder in
    for isAvoided in [true, false] {
      let calls = FakeCalls(hugePageSize: isAvoided ? 2 << 20 : 0)
      let clock = FakeClock()
      var options = PageArena.Options.stepped(clock)
      options.hugePages = isAvoided ? .avoid : .prefer
      guard let heap = Units(options, calls, &recorder) else { return }
      heap.give([2: 0..<256, 3: 0..<256, 15: 236..<256], &recorder)
      _ = calls.takeGivenBack()
      guard runUntilParked(heap.arena, clock, &recorder) != nil else { return }
      recorder.expect(calls.takeGivenBack().first == heap.range(15, 236..<256), "the highest")
    }
  },

  Check("huge unit: the kernel's own count falls by the whole ones alone") { recorder in
    let clock = FakeClock()
    var options = PageArena.Options.stepped(clock)
    options.hugePages = .prefer
    guard let heap = Units(options, LinuxCalls(), &recorder) else { return }
    guard options.calls.hugePageSize == 2 << 20, heap.arena.hugePageBytes() == 32 << 20 else {
      return recorder.leaveOut("the kernel does not back the arena by huge pages of 2 MiB")
    }
    heap.give([2: 0..<256, 5: 0..<256, 8: 0..<256, 9: 0..<256], &recorder)
    for unit in [0, 4, 11, 13, 14, 15] { heap.give([unit: 77..<85], &recorder) }
    guard runUntilParked(heap.arena, clock, &recorder) != nil else { return }
    // The excess is 643 pages: three units.
    recorder.expectEqual(heap.arena.hugePageBytes() ?? 0, 26 << 20, "backed by huge pages")
    recorder.expectEqual(heap.unit(2).residentBytes, 2 << 20, "the lowest whole unit")
    recorder.expectEqual(heap.unit(5).residentBytes, 0, "a higher one")
    recorder.expectEqual(heap.unit(15).residentBytes, 2 << 20, "a dense one")
    // And without regard to them.
    recorder.expect((try? heap.arena.releaseFreeMemory()) != nil, "released")
    recorder.expectEqual(heap.arena.hugePageBytes() ?? 0, 12 << 20, "backed after all went")
  },
]

/// An arena with 16 units of 256 pages in use, from the start of a chunk on.
private struct Units {
  let arena: PageArena
  private let run: Run

  init?(_ options: PageArena.Options, _ calls: any MemoryCalls, _ recorder: inout Recorder) {
    var options = options
    options.calls = calls
    guard let arena = makeArena(&recorder, options), let run = arena.take(4096, &recorder)
    else { return nil }
    recorder.expectEqual(run.address & (2 << 20 - 1), 0, "at the start of a unit")
    run.stamp(1)
    self.arena = arena
    self.run = run
  }

  /// All of a unit.
  func unit(_ index: Int) -> Run { run.part(index * 256, 256) }

  /// Pages of a unit, and of the next ones, as the kernel is told of them.
  func range(_ index: Int, _ pages: Range<Int>) -> AdvisedRange {
    AdvisedRange(
      address: run.part(index * 256 + pages.lowerBound, 1).address,
      byteCount: UInt(pages.count) << 13)
  }

  /// Frees pages of units.
  func give(_ parts: KeyValuePairs<Int, Range<Int>>, _ recorder: inout Recorder) {
    for (index, pages) in parts {
      arena.give(run.part(index * 256 + pages.lowerBound, pages.count), &recorder)
    }
  }
}
