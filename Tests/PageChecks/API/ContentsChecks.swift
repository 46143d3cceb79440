import PageAlloc
import SysMem
import Synchronization

/// What pages hold, for who has their address alone; and what the door for C is made of besides.
package let contentsChecks: [Check] = [
  Check("contents: a run is told to be zero where it is") { recorder in
    for mode in SweepMode.allCases {
      recorder.context = "\(mode)"
      guard let arena = makeSweepArena(mode, &recorder) else { return }
      for pages in [1, 60, 130, 700] {
        for zeroed in [false, true] {
          // The second time some of it may hold something.
          for _ in 0..<2 {
            guard let (run, isZero) = arena.told(pages, zeroed: zeroed, &recorder) else { return }
            recorder.expect(!isZero || run.isZero, "\(pages) pages that are not zero")
            recorder.expect(isZero || !zeroed, "\(pages) pages that were to be zero")
            run.stamp(3)
            arena.give(run, &recorder)
          }
        }
      }
      recorder.expect(arena.brokenInvariant() == nil, "invariants")
    }
    guard let fresh = makeArena(&recorder, caching: false) else { return }
    guard let first = fresh.told(100, zeroed: false, &recorder) else { return }
    recorder.expect(first.isZero, "fresh memory is zero")
    first.run.stamp(4)
    fresh.give(first.run, &recorder)
    guard let again = fresh.told(100, zeroed: false, &recorder) else { return }
    recorder.expect(!again.isZero && again.run == first.run, "what was written to is not")
    var isZero = true
    recorder.throwsError(.badAlignment(alignment: 3)) { () throws(PageArenaError) in
      _ = unsafe try fresh.allocate(pages: 1, alignment: 3, isZero: &isZero)
    }
    recorder.throwsError(.badPageCount(pages: 0, limit: pageLimit)) { () throws(PageArenaError) in
      _ = unsafe try fresh.allocate(pages: 0, isZero: &isZero)
    }
    recorder.expect(isZero, "as before")
  },

  Check("contents: they go back, in parts of runs and across runs") { recorder in
    for mode in SweepMode.allCases {
      recorder.context = "\(mode)"
      guard let swept = SweepArena(mode, &recorder) else { return }
      for run in [swept.short, swept.long, swept.last, swept.across] { run.stamp(7) }
      let before = swept.arena.settledStatistics
      recorder.expect(swept.arena.errorOfDiscarding(swept.long.part(20, 40)) == nil, "a part")
      recorder.expect(swept.long.part(20, 40).isZero, "reads as zero")
      // The short one, the long one and the last touch.
      let three = swept.short.part(1, 3 + 200 + 1)
      recorder.expect(swept.arena.errorOfDiscarding(three) == nil, "three runs")
      recorder.expect(three.isZero, "read as zero")
      recorder.expect(swept.short.part(0, 1).isStamped(7), "what lies before")
      recorder.expect(swept.across.isStamped(7), "what lies behind")
      let after = swept.arena.settledStatistics
      recorder.expectEqual(after.inUseBytes, before.inUseBytes, "in use")
      recorder.expectEqual(after.returned.discardedBytes, UInt64(40 + 204) << 13, "discarded")
      swept.across.stamp(8)
      // An emulator's kernel may not know it.
      if swept.arena.errorOfDiscarding(swept.across, lazily: true) == nil {
        recorder.expectEqual(
          swept.arena.statistics.returned.lazyBytes, UInt64(410) << 13, "offered")
      }
      swept.expectSound(&recorder)
    }
  },

  Check("contents: of pages that are not in use they stay, whatever is asked") { recorder in
    for mode in SweepMode.allCases {
      guard let swept = SweepArena(mode, &recorder) else { return }
      swept.short.stamp(1)
      let before = swept.arena.settledStatistics
      for (run, error) in swept.refusals {
        recorder.context = "\(run.pages) pages at \(run.address), \(mode)"
        for lazily in [false, true] {
          recorder.expect(
            swept.arena.errorOfDiscarding(run, lazily: lazily) == error, error.description)
        }
        recorder.expect(swept.arena.settledStatistics == before, "statistics")
      }
      recorder.expect(swept.short.isStamped(1), "contents")
      swept.expectSound(&recorder)
    }
  },

  Check("contents: what is freed with them is free and empty") { recorder in
    for mode in [SweepMode.caching, .bare] {
      recorder.context = "\(mode)"
      guard let swept = SweepArena(mode, &recorder) else { return }
      swept.long.stamp(5)
      let before = swept.arena.settledStatistics
      let part = swept.long.part(50, 100)
      recorder.expect(swept.arena.errorOfDropping(part) == nil, "freed")
      let after = swept.arena.settledStatistics
      recorder.expectEqual(before.inUseBytes - after.inUseBytes, 100 << 13, "in use")
      recorder.expectEqual(after.scavengedBytes - before.scavengedBytes, 100 << 13, "empty")
      recorder.expectEqual(after.returned.requestedBytes, 100 << 13, "given back")
      recorder.expect(swept.long.part(0, 50).isStamped(5), "what lies before")
      for (run, error) in [
        (part, PageArenaError.notInUse(base: part.address, pages: 100)),
        (swept.long.part(0, 51), .pastEndOfRun(base: swept.long.address, pages: 51)),
        (swept.long.part(0, -1), .badPageCount(pages: -1, limit: pageLimit)),
        (swept.long.part(0, .max), .badPageCount(pages: .max, limit: pageLimit)),
      ] {
        recorder.expect(swept.arena.errorOfDropping(run) == error, error.description)
      }
      swept.expectSound(&recorder)
    }
  },

  Check("contents: where the kernel refuses, a run is freed all the same") { recorder in
    let calls = FakeCalls()
    guard let arena = makeArena(&recorder, calls: calls, caching: false),
      let run = arena.take(20, &recorder)
    else { return }
    run.stamp(1)
    calls.lockedAddress.store(run.address, ordering: .relaxed)
    if case .system = arena.errorOfDiscarding(run) {} else { recorder.fail("not refused") }
    recorder.expect(run.isStamped(1), "as before")
    recorder.expectEqual(arena.statistics.returned.discardedBytes, 0, "discarded")
    recorder.expect(arena.errorOfDropping(run) == nil, "freed")
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use")
    recorder.expectEqual(arena.statistics.freeMaybeResidentBytes, 20 << 13, "free")
    calls.lockedAddress.store(0, ordering: .relaxed)
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
  },

  Check("contents: steps by the caller start no thread, and give back") { recorder in
    let clock = FakeClock()
    var options = PageArena.Options.stepped(clock)
    options.scavenging = .background(headroom: 0.1, cpuShare: 0.5)
    options.scavengesBySteps = true
    guard let arena = makeArena(&recorder, options), let spike = arena.take(4096, &recorder) else {
      return
    }
    recorder.expect(arena.scavengesBySteps, "by steps")
    spike.stamp(1)
    arena.give(spike, &recorder)
    var steps = 0
    do throws(PageArenaError) {
      while let wait = try arena.scavengeStep(), wait != .max, steps < 1000 {
        clock.sleep(wait)
        steps += 1
      }
    } catch { recorder.fail(error.description) }
    recorder.expect(steps > 1 && steps < 1000, "\(steps) steps")
    recorder.expect(arena.statistics.freeMaybeResidentBytes <= 1 << 20, "what stays")
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
    guard let other = makeArena(&recorder) else { return }
    recorder.expect(!other.scavengesBySteps, "another")
  },

  Check("contents: the arena of an address is found among many") { recorder in
    var arenas: [(PageArena, Run)] = []
    for _ in 0..<5 {
      guard let arena = makeArena(&recorder, byteCount: 64 << 20),
        let run = arena.take(3, &recorder)
      else { return }
      arenas.append((arena, run))
    }
    for (arena, run) in arenas {
      let place = unsafe PageArena.placeOfArena(holding: run.pointer + 8191)
      recorder.expect(place == arena.registration.place, "its place")
    }
    var here = 0
    recorder.expect(
      unsafe withUnsafeBytes(of: &here) {
        unsafe PageArena.placeOfArena(holding: $0.baseAddress!) == nil
      }, "the stack")
  },

  Check("contents: the hot run alone, in and out") { recorder in
    guard let arena = makeArena(&recorder), let run = arena.take(2, &recorder),
      let other = arena.take(2, &recorder), let three = arena.take(3, &recorder)
    else { return }
    let number = arena.registration.number
    recorder.expect(PageArena.allocateHot(number, pages: 2) == 0, "none at first")
    arena.give(run, &recorder)
    recorder.expect(PageArena.allocateHot(number, pages: 3) == 0, "of another length")
    recorder.expect(PageArena.allocateHot(number, pages: 0) == 0, "of none")
    recorder.expect(
      PageArena.allocateHot(number, pages: 2) == run.address, "the one freed last")
    recorder.expect(PageArena.allocateHot(number, pages: 2) == 0, "no other")
    recorder.expect(!PageArena.deallocateHot(number, run.address, pages: 1), "a part")
    recorder.expect(!PageArena.deallocateHot(number, run.address + 1, pages: 2), "askew")
    recorder.expect(PageArena.deallocateHot(number, run.address, pages: 2), "freed")
    recorder.expect(!PageArena.deallocateHot(number, run.address, pages: 2), "twice")
    recorder.expect(!PageArena.deallocateHot(number, other.address, pages: 2), "no place")
    recorder.expect(!PageArena.deallocateHot(number &+ 1, other.address, pages: 2), "whose?")
    recorder.expectEqual(arena.settledStatistics.inUseBytes, 5 << 13, "in use")
    arena.give(other, &recorder)
    arena.give(three, &recorder)
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
  },
]

extension SweepArena {
  /// What is not in use from its first page to its last, and what that is told.
  fileprivate var refusals: [(Run, PageArenaError)] {
    let inside = at(freed.address, 1)
    return [
      (short.part(0, 0), .badPageCount(pages: 0, limit: pageLimit)),
      (short.part(0, .min), .badPageCount(pages: .min, limit: pageLimit)),
      (short.part(0, .max), .badPageCount(pages: .max, limit: pageLimit)),
      (at(short.address + 1, 1), .misaligned(base: short.address + 1)),
      (inside, .notInUse(base: freed.address, pages: 1)),
      // The short one, the long one and the last are in use, what follows is not.
      (short.part(0, 207), .notInUse(base: freed.address, pages: 1)),
      (at(guarded.address - 8192, 1), .notInUse(base: guarded.address - 8192, pages: 1)),
      (page(end, 1), .foreign(base: page(end, 1).address)),
    ]
  }
}

extension PageArena {
  fileprivate func told(
    _ pages: Int, zeroed: Bool, _ recorder: inout Recorder
  ) -> (run: Run, isZero: Bool)? {
    var isZero = false
    do throws(PageArenaError) {
      let run = unsafe try allocate(pages: pages, zeroed: zeroed, isZero: &isZero)
      return unsafe (Run(run, pages: pages), isZero)
    } catch {
      recorder.fail(error.description)
      return nil
    }
  }

  fileprivate func errorOfDiscarding(_ run: Run, lazily: Bool = false) -> PageArenaError? {
    do throws(PageArenaError) {
      if lazily {
        unsafe try discardLazily(run.pointer, pages: run.pages)
      } else {
        unsafe try discard(run.pointer, pages: run.pages)
      }
    } catch { return error }
    return nil
  }

  fileprivate func errorOfDropping(_ run: Run) -> PageArenaError? {
    do throws(PageArenaError) {
      unsafe try deallocateDiscarding(run.pointer, pages: run.pages)
    } catch { return error }
    return nil
  }
}
