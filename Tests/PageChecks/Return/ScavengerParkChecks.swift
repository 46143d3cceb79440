import PageAlloc

/// When the scavenger may park although too much is resident: where nothing of it is to be had. The
/// steps are performed by the check, on a clock of its own.
package let scavengerParkChecks: [Check] = [
  Check("scavenger parks: a refusal in the first generation of too much is not the end") {
    recorder in
    let clock = FakeClock()
    let calls = FakeCalls()
    var options = PageArena.Options.stepped(clock)
    options.calls = calls
    guard let arena = makeArena(&recorder, options), let run = arena.take(3000, &recorder),
      let other = arena.take(1096, &recorder)
    else { return }
    run.stamp(1)
    recorder.expect(arena.backgroundStep() == .park, "all is in use")
    arena.give(other, &recorder)
    guard case .sleep(let first) = arena.backgroundStep() else { return recorder.fail("parked") }
    clock.sleep(first)
    // No more is resident then than what was in use lately allows, but more than what is.
    recorder.expect((try? arena.scavenge(byteCount: 800 << 13)) != nil, "given back on request")
    arena.give(run.part(1000, 2000), &recorder)
    guard case .sleep(let second) = arena.backgroundStep() else { return recorder.fail("parked") }
    recorder.expectEqual(arena.statistics.returned.backgroundBytes, 0, "it may come back")
    clock.sleep(second)
    calls.refuse(.madvise)
    guard case .sleep(let third) = arena.backgroundStep() else { return recorder.fail("parked") }
    recorder.expect(arena.statistics.returned.refusedBytes > 0, "refused")
    clock.sleep(third)
    calls.failNoMore()
    guard runUntilParked(arena, clock, &recorder) != nil else { return }
    let kept = arena.statistics.maybeResidentBytes
    recorder.expect(kept <= 1228 * 8192, "\(kept) bytes stay")
  },

  Check("scavenger parks: not while the owner of a cache that is to give is inside") {
    recorder in
    guard let (arena, clock, _) = makeHoard(wasSeen: false, &recorder) else { return }
    var isParked = false
    let isServed = arena.insideOwnCache {
      // Preempted for ten generations.
      for _ in 0..<10 {
        guard case .sleep(let time) = arena.backgroundStep() else {
          isParked = true
          return
        }
        clock.sleep(time)
      }
    }
    recorder.expect(isServed, "inside")
    recorder.expect(!isParked, "parked with too much")
    guard runUntilParked(arena, clock, &recorder) != nil else { return }
    let statistics = arena.statistics
    recorder.expectEqual(statistics.cachedBytes, 0, "at hand when it parks")
    recorder.expect(
      statistics.maybeResidentBytes <= 1228 * 8192, "\(statistics.maybeResidentBytes) stay")
  },

  Check("scavenger parks: in a child of a fork its generations begin anew") { recorder in
    if leavesOutFork(&recorder) { return }
    let clock = FakeClock()
    guard let arena = makeArena(&recorder, .stepped(clock)), let run = arena.take(4096, &recorder)
    else { return }
    run.stamp(1)
    arena.give(run.part(0, 2048), &recorder)
    // In the middle of its first generation.
    guard case .sleep(let whole) = arena.backgroundStep() else { return recorder.fail("parked") }
    clock.sleep(whole / 2)
    let status = inChild {
      let before = arena.statistics.returned
      guard arena.errorOfGiving(run.part(2048, 2048)) == nil else { return 1 }
      // What was freed just now is left alone for a whole generation, and so is what was before.
      guard arena.backgroundStep() == .sleep(nanoseconds: whole) else { return 2 }
      let now = arena.statistics.returned
      // Nobody was at work in the child until then.
      if now.backgroundElapsedNanoseconds != before.backgroundElapsedNanoseconds { return 3 }
      for _ in 0..<100 {
        guard case .sleep(let time) = arena.backgroundStep() else { break }
        clock.sleep(time)
      }
      return arena.statistics.maybeResidentBytes <= 1 << 20 ? 0 : 4
    }
    recorder.expectEqual(status, 0, "the child's status")
  },
]
