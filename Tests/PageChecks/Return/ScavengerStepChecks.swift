import PageAlloc
import SysMem
import Synchronization

/// The scavenger's steps, performed by the check on a clock of its own.
package let scavengerStepChecks: [Check] = [
  Check("scavenger: a spike goes, paced, and then it parks") { recorder in
    let clock = FakeClock()
    guard let arena = makeArena(&recorder, .stepped(clock)),
      let live = arena.take(640, &recorder), let spike = arena.take(8192, &recorder)
    else { return }
    live.stamp(1)
    spike.stamp(2)
    arena.give(spike, &recorder)
    clock.workPerLook.store(400_000, ordering: .relaxed)
    let start = clock.now()
    guard let (steps, elapsed) = runUntilParked(arena, clock, &recorder) else { return }
    recorder.expect(steps > 4, "in \(steps) steps")
    recorder.expect(elapsed > 0, "time passed")
    let share = Double(clock.worked) / Double(elapsed)
    recorder.expect(share < 0.015, "\(Int(share * 1e6)) millionths of a processor")
    let statistics = arena.statistics
    let bound = statistics.inUseBytes + statistics.inUseBytes / 10 + 1 << 20
    recorder.expect(statistics.maybeResidentBytes <= bound, "\(statistics.maybeResidentBytes) stay")
    // Not more than needed, but for a huge page.
    recorder.expect(
      statistics.maybeResidentBytes + 4 << 20 > bound, "only \(statistics.maybeResidentBytes) stay")
    recorder.expectEqual(
      statistics.returned.backgroundBytes, statistics.scavengedBytes - tail(of: arena),
      "counted as background")
    recorder.expectEqual(statistics.returned.requestedBytes, 0, "counted as requested")
    recorder.expect(live.isStamped(1), "what is in use is untouched")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
    // Parked: nothing more to do, whatever time it is.
    clock.sleep(3_600_000_000_000)
    recorder.expect(arena.backgroundStep() == .park, "parks again at once")
  },

  Check("scavenger: a clock that steps back and forth changes the pace by little") { recorder in
    let hours: Int64 = 36_000_000_000_000
    guard let plain = sleepUntilParked(step: 0, &recorder) else { return }
    for step: Int64 in [1, 1_500_000_000, -1_500_000_000, 5_000_000_000, hours, -hours] {
      recorder.context = "\(step) ns"
      guard let slept = sleepUntilParked(step: step, &recorder) else { return }
      // Where each generation seems to begin late, or to end early.
      recorder.expect(slept > plain / 3, "done too soon: \(slept) ns, not \(plain)")
      recorder.expect(slept < 3 * plain, "done late: \(slept) ns, not \(plain)")
    }
  },

  Check("scavenger: a pass in which the clock steps back took no time") { recorder in
    let clock = FakeClock()
    guard let arena = makeArena(&recorder, .stepped(clock)), let run = arena.take(8, &recorder)
    else { return }
    run.stamp(1)
    arena.give(run, &recorder)
    clock.step.store(500_000_000, ordering: .relaxed)
    recorder.expect((try? arena.releaseFreeMemory()) != nil, "released")
    recorder.expectEqual(arena.statistics.returned.callNanoseconds, 0, "nanoseconds")
  },

  Check("scavenger: what was just freed is left alone for a generation") { recorder in
    let clock = FakeClock()
    guard let arena = makeArena(&recorder, .stepped(clock)), let run = arena.take(4096, &recorder)
    else { return }
    run.stamp(1)
    arena.give(run, &recorder)
    let start = clock.now()
    while clock.now().elapsed(since: start) < 999_000_000 {
      guard case .sleep(let time) = arena.backgroundStep() else {
        recorder.fail("parked with all of it resident")
        return
      }
      recorder.expectEqual(arena.statistics.returned.backgroundBytes, 0, "given back")
      clock.sleep(min(time, 100_000_000))
    }
    // Freed before the first step; taken when that generation ended.
    clock.sleep(100_000_000)
    _ = arena.backgroundStep()
    recorder.expect(arena.statistics.returned.backgroundBytes > 0, "given back at last")
  },

  Check("scavenger: a program that takes the same memory again and again is left alone") {
    recorder in
    let clock = FakeClock()
    guard let arena = makeArena(&recorder, .stepped(clock)) else { return }
    for _ in 0..<40 {
      guard let run = arena.take(4096, &recorder) else { return }
      _ = arena.backgroundStep()
      clock.sleep(150_000_000)
      arena.give(run, &recorder)
      _ = arena.backgroundStep()
      clock.sleep(150_000_000)
    }
    recorder.expectEqual(arena.statistics.returned.backgroundBytes, 0, "given back")
  },

  Check("scavenger: dense chunks are left alone, the highest addresses go first") { recorder in
    let clock = FakeClock()
    guard let arena = makeArena(&recorder, .stepped(clock)), let dense = arena.take(512, &recorder),
      let low = arena.take(512, &recorder), let high = arena.take(512, &recorder),
      arena.take(1300, &recorder) != nil
    else { return }
    for run in [dense, low, high] { run.stamp(1) }
    // 12 of 512 pages free: dense. The two others: half free.
    for page in stride(from: 0, to: 480, by: 40) { arena.give(dense.part(page, 1), &recorder) }
    arena.give(low.part(0, 256), &recorder)
    arena.give(high.part(256, 256), &recorder)
    _ = arena.backgroundStep()
    clock.sleep(1_000_000_000)
    clock.workPerLook.store(2_000_000, ordering: .relaxed)
    _ = arena.backgroundStep()
    recorder.expectEqual(high.part(256, 256).residentBytes, 0, "the high half")
    recorder.expectEqual(low.part(0, 256).residentBytes, 256 * 8192, "the low half, yet")
    _ = runUntilParked(arena, clock, &recorder)
    recorder.expectEqual(dense.residentBytes, 512 * 8192, "the dense chunk")
  },

  Check("scavenger: dense chunks are taken from near the soft limit, and not before") { recorder in
    // Resident are 1,536 pages; a twentieth below the limit is near.
    for (softPages, takesDense) in [(4096, false), (1616, false), (1560, true)] {
      recorder.context = "soft limit of \(softPages) pages"
      let clock = FakeClock()
      var options = PageArena.Options.stepped(clock)
      options.memoryLimit = .bytes(soft: UInt64(softPages) * 8192)
      // Or whole huge pages would go first.
      options.calls = FakeCalls(hugePageSize: 0)
      guard let arena = makeArena(&recorder, options), let low = arena.take(512, &recorder),
        let next = arena.take(512, &recorder), let dense = arena.take(512, &recorder)
      else { return }
      for run in [low, next, dense] { run.stamp(1) }
      arena.give(low.part(0, 300), &recorder)
      arena.give(next.part(0, 300), &recorder)
      // At the highest address: it would be the first to go.
      for page in stride(from: 0, to: 480, by: 40) { arena.give(dense.part(page, 1), &recorder) }
      _ = arena.backgroundStep()
      clock.sleep(1_000_000_000)
      clock.workPerLook.store(2_000_000, ordering: .relaxed)
      _ = runUntilParked(arena, clock, &recorder)
      recorder.expect(arena.statistics.returned.backgroundBytes > 300 * 8192, "some went back")
      recorder.expect((dense.residentBytes < 512 * 8192) == takesDense, "the dense chunk")
    }
  },

  Check("scavenger: parks where the kernel refuses, and counts it") { recorder in
    let clock = FakeClock()
    let calls = FakeCalls()
    var options = PageArena.Options.stepped(clock)
    options.calls = calls
    guard let arena = makeArena(&recorder, options), let run = arena.take(2048, &recorder)
    else { return }
    run.stamp(1)
    arena.give(run, &recorder)
    calls.refuse(.madvise)
    guard let (steps, _) = runUntilParked(arena, clock, &recorder) else { return }
    recorder.expect(steps < 20, "\(steps) steps in vain")
    let statistics = arena.statistics
    recorder.expectEqual(statistics.freeMaybeResidentBytes, 2048 * 8192, "kept")
    recorder.expect(statistics.returned.refusedBytes > 0, "counted")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
    calls.failNoMore()
    guard let again = arena.take(2048, &recorder) else { return }
    recorder.expect(again == run, "the pages are not lost")
    arena.give(again, &recorder)
    _ = runUntilParked(arena, clock, &recorder)
    recorder.expect(arena.statistics.freeMaybeResidentBytes <= 3 << 20, "given back later")
  },

  Check("scavenger: stalls for want of memory empty the arena") { recorder in
    for (text, total): (StaticString, UInt64?) in [
      ("some avg10=0.00 avg60=0.00 avg300=0.00 total=12345\nfull avg10=0 total=7\n", 12345),
      ("full avg10=0.00 total=7\n", nil), ("", nil), ("some avg10=0.00\n", nil),
    ] {
      let files = FakeFiles([("/proc/pressure/memory", text)])
      recorder.expect(stallMicroseconds(files) == total, "\(text)")
    }
    recorder.expect(stallMicroseconds(FakeFiles([])) == nil, "no such file")
    let clock = FakeClock()
    var options = PageArena.Options.stepped(clock)
    options.scavengesUnderPressure = true
    options.files = RisingPressure()
    guard let arena = makeArena(&recorder, options), let run = arena.take(64, &recorder)
    else { return }
    run.stamp(1)
    arena.give(run, &recorder)
    _ = arena.backgroundStep()
    recorder.expectEqual(arena.statistics.returned.backgroundBytes, 0, "before it is known to rise")
    _ = arena.backgroundStep()
    recorder.expectEqual(arena.statistics.returned.backgroundBytes, 64 * 8192, "when it rises")
  },

  Check("scavenger: what caches held when it came to them goes a generation later") { recorder in
    for wasSeen in [true, false] { giveBackAtHand(wasSeen: wasSeen, &recorder) }
  },

  Check("scavenger: what is at hand goes also while other memory goes back") { recorder in
    guard let (arena, clock, live) = makeHoard(wasSeen: true, &recorder) else { return }
    // Each second some more, of a chunk that is not dense then.
    for second in 0..<6 {
      arena.give(live.part(40 * second, 20), &recorder)
      let start = clock.now()
      while clock.now().elapsed(since: start) < 1_000_000_000,
        case .sleep(let time) = arena.backgroundStep()
      { clock.sleep(time) }
    }
    let statistics = arena.statistics
    recorder.expect(statistics.returned.backgroundBytes >= 60 << 13, "pages went back by and by")
    recorder.expectEqual(statistics.cachedBytes, 0, "at hand")
  },

  Check("scavenger: word of stalls empties the arena, what is at hand included") { recorder in
    let clock = FakeClock()
    var options = PageArena.Options.stepped(clock)
    options.threadCacheByteCount = 16 << 20
    guard let arena = makeArena(&recorder, options), let run = arena.take(5, &recorder)
    else { return }
    run.stamp(1)
    arena.give(run, &recorder)
    recorder.expect(arena.backgroundStep() == .park, "nothing to do")
    recorder.expect(arena.statistics.cachedBytes > 0, "at hand")
    _ = arena.backgroundStep(isStalled: true)
    recorder.expectEqual(arena.statistics.maybeResidentBytes, 0, "resident")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },
]
