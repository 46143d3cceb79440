import PageAlloc

/// Every amount of bytes that an arena is told, when it is made and later.
package let amountSweepChecks: [Check] = [
  Check("sweep: amounts to give back") { recorder in
    for mode in SweepMode.allCases { sweepScavenges(mode, &recorder) }
  },

  Check("sweep: limits that are refused change nothing") { recorder in
    for mode in SweepMode.allCases {
      guard let arena = makeSweepArena(mode, &recorder), let run = arena.take(100, &recorder),
        arena.limitError(.bytes(soft: 8 << 20, hard: 16 << 20)) == nil
      else { return recorder.fail("no arena with a limit") }
      let before = arena.statistics
      for limit in badLimits {
        recorder.expect(arena.limitError(limit) == .badMemoryLimit, "\(mode): a bad limit")
        recorder.expect(arena.statistics == before, "statistics")
        let limits = arena.memoryLimits
        recorder.expect(limits.soft == 8 << 20 && limits.hard == 16 << 20, "the limits")
      }
      for limit in goodLimits {
        recorder.expect(arena.limitError(limit) == nil, "\(mode): a limit")
        recorder.expectEqual(arena.statistics.inUseBytes, before.inUseBytes, "bytes in use")
      }
      arena.give(run, &recorder)
      let broken = arena.brokenInvariant()
      recorder.expect(broken == nil, broken?.description ?? "")
    }
  },

  Check("sweep: options with amounts that are refused, or that serve") { recorder in
    let least = PageArena.minimumReservedByteCount
    for byteCount in [0, 1, least - 1, least, least + 1, 1 << 32, (1 << 32) + 1, .max] {
      var options = smallOptions
      options.reservedByteCount = byteCount
      let isGood = byteCount >= least && byteCount <= 1 << 32
      expect(
        options,
        isGood ? nil : .badReservation(reservedByteCount: byteCount, minimum: least), &recorder)
    }
    for byteCount in [.min, -1, 0, 1, 8191, 8192, .max] {
      var options = smallOptions
      options.threadCacheByteCount = byteCount
      expect(options, nil, &recorder)
      options.diagnosis = .checked(quarantineByteCount: byteCount)
      expect(options, byteCount < 0 ? .badDiagnosis : nil, &recorder)
    }
    for (limits, expected) in [(badLimits, PageArenaError.badMemoryLimit), (goodLimits, nil)] {
      for limit in limits {
        var options = smallOptions
        options.memoryLimit = limit
        expect(options, expected, &recorder)
      }
    }
    for (headroom, share, isGood) in shares {
      var options = smallOptions
      options.scavenging = .background(headroom: headroom, cpuShare: share)
      expect(options, isGood ? nil : .badScavenging, &recorder)
    }
  },
]

private let badLimits: [PageArena.MemoryLimit] = [
  .bytes(soft: 1, hard: 0), .bytes(soft: .max, hard: .max - 1),
  .bytes(soft: (8 << 20) + 1, hard: 8 << 20), .cgroup(fraction: 0), .cgroup(fraction: -1),
  .cgroup(fraction: 1.001), .cgroup(fraction: .nan), .cgroup(fraction: .infinity),
]

private let goodLimits: [PageArena.MemoryLimit] = [
  .bytes(soft: 0), .bytes(soft: 0, hard: 0), .bytes(soft: 1, hard: 1), .bytes(hard: 8191),
  .bytes(soft: 1 << 32, hard: 1 << 32), .bytes(soft: (1 << 32) - 1), .bytes(hard: .max),
  .bytes(soft: .max, hard: .max), .bytes(), .cgroup(fraction: .leastNonzeroMagnitude),
  .cgroup(fraction: 1), .none,
]

/// A headroom, a share of a processor, and whether both make sense.
private let shares: [(Double, Double, Bool)] = [
  (0, 1, true), (16, .leastNonzeroMagnitude, true), (-0.0, 0.5, true), (-1, 0.5, false),
  (16.001, 0.5, false), (.nan, 0.5, false), (.infinity, 0.5, false), (0.1, 0, false),
  (0.1, -1, false), (0.1, 1.001, false), (0.1, .nan, false), (0.1, .infinity, false),
]

private var smallOptions: PageArena.Options {
  var options = PageArena.Options()
  options.reservedByteCount = 64 << 20
  options.scavenging = .manual
  options.diagnosis = .off
  options.reportsMistakes = false
  return options
}

/// An arena cannot be made so, for that reason; or it serves.
private func expect(
  _ options: PageArena.Options, _ expected: PageArenaError?, _ recorder: inout Recorder,
  line: UInt = #line
) {
  do throws(PageArenaError) {
    let arena = try PageArena(options)
    recorder.expect(expected == nil, "made, not: \(expected?.description ?? "")", line: line)
    // Where a limit allows nothing, it says so.
    for pages in [1, 200, 1] {
      if let run = try? arena.run(pages) { arena.give(run, &recorder, line: line) }
    }
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "bytes in use", line: line)
    let broken = arena.brokenInvariant()
    recorder.expect(broken == nil, broken?.description ?? "", line: line)
  } catch { recorder.expect(error == expected, error.description, line: line) }
}

extension PageArena {
  /// Why a limit is refused; `nil` where it is set.
  fileprivate func limitError(_ limit: MemoryLimit) -> PageArenaError? {
    do throws(PageArenaError) {
      try setMemoryLimit(limit)
      return nil
    } catch { return error }
  }
}

/// Gives amounts back, the bad ones first; what is free is less than the large ones.
private func sweepScavenges(_ mode: SweepMode, _ recorder: inout Recorder) {
  guard let swept = SweepArena(mode, &recorder), let twin = SweepArena(mode, &recorder) else {
    return
  }
  let before = swept.arena.statistics
  for byteCount in [.min, -8192, -1, 0] {
    recorder.context = "\(byteCount) bytes, \(mode)"
    do throws(PageArenaError) {
      recorder.expectEqual(try swept.arena.scavenge(byteCount: byteCount), 0, "given back")
      recorder.expectEqual(byteCount, 0, "not refused")
    } catch { recorder.expect(error == .badByteCount(byteCount: byteCount), error.description) }
    let after = swept.arena.statistics
    // That nothing was to be given back is counted as a pass.
    recorder.expect(
      byteCount < 0
        ? after == before : after.freeMaybeResidentBytes == before.freeMaybeResidentBytes,
      "statistics")
  }
  withCache(of: swept.arena, &recorder) { cache, recorder throws(PageArenaError) in
    try expectSamePattern(swept, &cache, twin, &recorder)
  }
  for byteCount in [1, 8191, 8193, 1 << 20, .max / 2 + 1, .max] {
    recorder.context = "\(byteCount) bytes, \(mode)"
    let free = swept.arena.statistics.freeMaybeResidentBytes
    do throws(PageArenaError) {
      let released = try swept.arena.scavenge(byteCount: byteCount)
      let left = swept.arena.statistics.freeMaybeResidentBytes
      recorder.expectEqual(free - left, UInt64(released), "bytes that are resident no more")
      // What is in quarantine is not to be had.
      recorder.expect(released >= byteCount || left == 0 || mode == .checked, "enough")
    } catch { recorder.fail(error.description) }
  }
  swept.expectSound(&recorder)
}
