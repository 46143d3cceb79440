import CSysMem
import PageAlloc
import SysMem

/// Bounds on resident memory.
package let memoryLimitChecks: [Check] = [
  Check("soft limit: only what is needed goes, before the new pages are touched") { recorder in
    // Without huge pages, which would be kept whole.
    var options = PageArena.Options.stepped(FakeClock())
    options.calls = FakeCalls(hugePageSize: 0)
    options.memoryLimit = .bytes(soft: 1200 * 8192)
    guard let arena = makeArena(&recorder, options),
      let low = arena.take(500, &recorder), let high = arena.take(500, &recorder)
    else { return }
    low.part(0, 400).stamp(1)
    low.part(400, 100).stamp(1)
    high.stamp(2)
    arena.give(low.part(0, 400), &recorder)
    recorder.expectEqual(arena.statistics.returned.limitBytes, 0, "below the limit")
    // Does not fit into the hole: 450 pages of fresh memory, 250 too many.
    guard let large = arena.take(450, &recorder) else { return }
    var statistics = arena.statistics
    recorder.expectEqual(statistics.returned.limitBytes, 250 * 8192, "given back")
    recorder.expectEqual(statistics.maybeResidentBytes, 1200 * 8192, "resident")
    recorder.expectEqual(low.part(0, 400).residentBytes, 150 * 8192, "of the hole")
    large.stamp(3)
    // Free memory is at its end: a soft limit gives way.
    guard arena.take(700, &recorder) != nil else { return }
    statistics = arena.statistics
    recorder.expectEqual(statistics.inUseBytes, 1750 * 8192, "in use, beyond the limit")
    recorder.expectEqual(statistics.freeMaybeResidentBytes, 0, "free and resident")
    recorder.expect(low.part(400, 100).isStamped(1), "what is in use is untouched")
    recorder.expect(high.isStamped(2) && large.isStamped(3), "what is in use is untouched")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("soft limit: resident never beyond it while there is something to give back") { recorder in
    let soft = 2048
    // The clock stands still: it takes no time to keep the limit.
    var options = PageArena.Options.stepped(FakeClock())
    options.memoryLimit = .bytes(soft: UInt64(soft) * 8192)
    guard let arena = makeArena(&recorder, options) else { return }
    var random = SplitMix64(seed: 11)
    var runs: [Run] = []
    var live = 0
    for _ in 0..<4000 {
      let pages = random.logarithmic(8)
      if live + pages <= soft, random.below(3) > 0 {
        guard let run = arena.take(pages, &recorder) else { return }
        run.stamp(UInt64(pages))
        runs.append(run)
        live += pages
        let resident = arena.statistics.maybeResidentBytes
        recorder.expect(resident <= UInt64(soft) * 8192, "\(resident) bytes are resident")
      } else if !runs.isEmpty {
        let index = random.below(runs.count)
        runs.swapAt(index, runs.count - 1)
        let run = runs.removeLast()
        recorder.expect(run.isStamped(UInt64(run.pages)), "contents")
        arena.give(run, &recorder)
        live -= run.pages
      }
      if !recorder.isGood { return }
    }
    recorder.expect(arena.statistics.returned.limitBytes > 0, "the limit mattered")
  },

  Check("hard limit: a typed error, and what is in use is as before") { recorder in
    let limit = PageArena.MemoryLimit.bytes(soft: 1000 * 8192, hard: 1200 * 8192)
    guard let arena = makeArena(&recorder, caching: false, limit: limit),
      let run = arena.take(1100, &recorder)
    else { return }
    run.stamp(3)
    let before = arena.statistics
    for pages in [101, 5000, 400_000] {
      recorder.expect(
        arena.errorOfTaking(pages)
          == .limitReached(pages: pages, inUseBytes: 1100 * 8192, limitBytes: 1200 * 8192),
        "\(pages) pages more")
    }
    let after = arena.statistics
    recorder.expectEqual(after.inUseBytes, before.inUseBytes, "in use")
    recorder.expectEqual(after.maybeResidentBytes, before.maybeResidentBytes, "resident")
    recorder.expectEqual(after.returned.limitRefusals, 3, "refusals")
    guard let more = arena.take(100, &recorder) else { return }
    recorder.expect(arena.errorOfTaking(1) != nil, "one page beyond the limit")
    arena.give(more, &recorder)
    arena.give(run.part(0, 1000), &recorder)
    recorder.expect(run.part(1000, 100).residentBytes == 100 * 8192, "the rest is there")
    // Free and resident pages do not stand in the way.
    guard let other = arena.take(1100, &recorder) else { return }
    recorder.expectEqual(arena.statistics.maybeResidentBytes, 1200 * 8192, "resident at the limit")
    arena.give(other, &recorder)
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("hard limit: kept also where the kernel takes nothing back") { recorder in
    let calls = FakeCalls()
    let limit = PageArena.MemoryLimit.bytes(hard: 1000 * 8192)
    guard let arena = makeArena(&recorder, calls: calls, caching: false, limit: limit),
      let run = arena.take(900, &recorder)
    else { return }
    arena.give(run.part(0, 300), &recorder)
    calls.refuse(.madvise)
    recorder.expect(arena.errorOfTaking(400) != nil, "400 pages with 300 stuck")
    recorder.expectEqual(arena.statistics.inUseBytes, 600 * 8192, "in use")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
    calls.failNoMore()
    _ = arena.take(400, &recorder)
    recorder.expect(arena.statistics.maybeResidentBytes <= 1000 * 8192, "resident")
  },

  Check("limits: set at run time, and options that make no sense") { recorder in
    guard let arena = makeArena(&recorder, caching: false), let run = arena.take(2000, &recorder)
    else { return }
    run.stamp(1)
    arena.give(run.part(0, 1500), &recorder)
    recorder.expect((try? arena.setMemoryLimit(.bytes(soft: 1000 * 8192))) != nil, "set")
    recorder.expect(arena.statistics.maybeResidentBytes <= 1000 * 8192, "free memory went at once")
    recorder.expectEqual(arena.memoryLimits.soft ?? 0, 1000 * 8192, "soft")
    recorder.expect(arena.memoryLimits.hard == nil, "no hard limit")
    let bad: [PageArena.MemoryLimit] = [
      .bytes(soft: 2, hard: 1), .cgroup(fraction: 0), .cgroup(fraction: 1.5),
      .cgroup(fraction: -1), .cgroup(fraction: .nan),
    ]
    for limit in bad {
      do throws(PageArenaError) {
        try arena.setMemoryLimit(limit)
        recorder.fail("accepted")
      } catch { recorder.expect(error == .badMemoryLimit, error.description) }
    }
    for (headroom, share) in [(-0.1, 0.01), (17, 0.01), (0.1, 0), (0.1, 1.1), (.nan, 0.1)] {
      do throws(PageArenaError) {
        _ = try PageArena(scavenging: .background(headroom: headroom, cpuShare: share))
        recorder.fail("accepted")
      } catch { recorder.expect(error == .badScavenging, error.description) }
    }
  },

  Check("limits: a part of what the control group may have") { recorder in
    var options = PageArena.Options()
    options.scavenging = .manual
    options.memoryLimit = .cgroup(fraction: 0.75)
    options.files = FakeFiles([
      ("/proc/self/cgroup", "0::/\n"), ("/sys/fs/cgroup/memory.max", "83886080\n"),
    ])
    guard let arena = makeArena(&recorder, options) else { return }
    recorder.expectEqual(arena.memoryLimits.hard ?? 0, 80 << 20, "hard")
    recorder.expectEqual(arena.memoryLimits.soft ?? 0, 60 << 20, "soft")
    switch arena.errorOfTaking(10_241) {
    case .limitReached: recorder.expect(true, "")
    default: recorder.fail("more than the group may have")
    }
  },
]
