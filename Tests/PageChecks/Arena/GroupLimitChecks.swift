import PageAlloc
import Synchronization
import SysMem

/// Limits that a control group sets, and what others in it use.
package let groupLimitChecks: [Check] = [
  Check("control groups: what is used, in the group that leaves least") { recorder in
    let cases: [(name: StaticString, group: CgroupMemory?, files: FakeFiles)] = [
      (
        "version 2", CgroupMemory(limitBytes: 1000, usedBytes: 300),
        FakeFiles([
          ("/proc/self/cgroup", "0::/a\n"), ("/sys/fs/cgroup/a/memory.max", "1000\n"),
          ("/sys/fs/cgroup/a/memory.current", "300\n"),
        ])
      ),
      (
        "version 2, slowed down before", CgroupMemory(limitBytes: 700, usedBytes: 300),
        FakeFiles([
          ("/proc/self/cgroup", "0::/a\n"), ("/sys/fs/cgroup/a/memory.max", "1000\n"),
          ("/sys/fs/cgroup/a/memory.high", "700\n"), ("/sys/fs/cgroup/a/memory.current", "300\n"),
        ])
      ),
      (
        "the outer one, with the higher bound", CgroupMemory(limitBytes: 2000, usedBytes: 1900),
        FakeFiles([
          ("/proc/self/cgroup", "0::/a/b\n"), ("/sys/fs/cgroup/a/b/memory.max", "1000\n"),
          ("/sys/fs/cgroup/a/b/memory.current", "300\n"),
          ("/sys/fs/cgroup/a/memory.max", "2000\n"), ("/sys/fs/cgroup/a/memory.current", "1900\n"),
        ])
      ),
      (
        "version 2, files that go first", CgroupMemory(limitBytes: 1000, usedBytes: 500),
        FakeFiles([
          ("/proc/self/cgroup", "0::/\n"), ("/sys/fs/cgroup/memory.max", "1000\n"),
          ("/sys/fs/cgroup/memory.current", "900\n"),
          ("/sys/fs/cgroup/memory.stat", "anon 7\nfile 8\ninactive_file 400\nactive_file 9\n"),
        ])
      ),
      (
        "version 1", CgroupMemory(limitBytes: 1000, usedBytes: 500),
        FakeFiles([
          ("/proc/self/cgroup", "4:memory:/x\n"),
          ("/sys/fs/cgroup/memory/x/memory.limit_in_bytes", "1000\n"),
          ("/sys/fs/cgroup/memory/x/memory.usage_in_bytes", "900\n"),
          (
            "/sys/fs/cgroup/memory/x/memory.stat",
            "cache 1\ninactive_file 100\ntotal_inactive_file 400\ntotal_active_file 3\n"
          ),
        ])
      ),
      (
        "files are not looked at where much is left",
        CgroupMemory(limitBytes: 1000, usedBytes: 700),
        FakeFiles([
          ("/proc/self/cgroup", "0::/\n"), ("/sys/fs/cgroup/memory.max", "1000\n"),
          ("/sys/fs/cgroup/memory.current", "700\n"),
          ("/sys/fs/cgroup/memory.stat", "\ninactive_file 400\n"),
        ])
      ),
      (
        "the kernel does not tell", CgroupMemory(limitBytes: 1000, usedBytes: nil),
        FakeFiles([("/proc/self/cgroup", "0::/\n"), ("/sys/fs/cgroup/memory.max", "1000\n")])
      ),
    ]
    for test in cases {
      recorder.context = "\(test.name)"
      recorder.expect(cgroupMemory(test.files) == test.group, "the group")
    }
  },

  Check("control groups: what is left, and when the group is asked again") { recorder in
    let margin = 1 << 20 + 2 << 18
    var watch = GroupWatch(fraction: 0.5, processorCount: 2)
    // Milliseconds; what the group uses and the arena has, in MiB; what it may have, in MiB, and
    // pages until the next look.
    let table: [(time: UInt64, used: UInt64, own: Int, hard: Int, untilLook: Int)] = [
      (1000, 10, 0, 90, 512),
      (1010, 90, 80, 90, (90 << 7 - margin >> 13 - 80 << 7) / 8),
      // Others have 30 more.
      (1020, 120, 80, 60, 0),
      // Less, as it seems: perhaps the arena's are not touched yet.
      (1100, 70, 60, 60, 0),
      (1600, 70, 60, 60, 0),
      // Not for so long.
      (2100, 70, 60, 90, 456),
      (9000, 20, 20, 100, 512),
    ]
    for row in table {
      recorder.context = "at \(row.time) ms"
      let group = CgroupMemory(limitBytes: 100 << 20, usedBytes: row.used << 20)
      let now = Moment(nanoseconds: row.time * 1_000_000)
      let (limits, untilLook) = watch.note(group, ownPages: row.own << 7, now: now)
      let hard = UInt64(row.hard << 20 - margin)
      recorder.expectEqual(limits.hardBytes ?? 0, hard, "hard")
      recorder.expectEqual(limits.softBytes ?? 0, UInt64(row.hard) << 19, "soft")
      recorder.expectEqual(untilLook, row.untilLook, "pages until the next look")
      let early = Moment(nanoseconds: now.nanoseconds + 249_000_000)
      let late = Moment(nanoseconds: now.nanoseconds + 250_000_000)
      recorder.expect(!watch.isLate(early) && watch.isLate(late), "late")
    }
    recorder.context = "others use more than there is"
    let full = CgroupMemory(limitBytes: 100 << 20, usedBytes: 101 << 20)
    let told = watch.note(full, ownPages: 0, now: Moment(nanoseconds: 9_100_000_000))
    recorder.expectEqual(told.limits.hardBytes ?? 1, 0, "hard")
    recorder.expectEqual(told.pagesUntilLook, 0, "pages until the next look")
    recorder.context = "no bound"
    let free = watch.note(nil, ownPages: 0, now: Moment(nanoseconds: 9_200_000_000))
    recorder.expect(free.limits == .none && free.pagesUntilLook == 512, "no limits")
  },

  Check("control groups: an arena leaves others what they use, and sees new bounds") { recorder in
    for isVersion2 in [false, true] {
      recorder.context = isVersion2 ? "version 2" : "version 1"
      let files = ChangingGroup(isVersion2: isVersion2)
      let clock = FakeClock()
      var options = PageArena.Options()
      options.scavenging = .manual
      options.memoryLimit = .cgroup(fraction: 0.75)
      options.files = files
      options.clock = clock
      files.limit.store(64 << 20, ordering: .relaxed)
      files.others.store(8 << 20, ordering: .relaxed)
      guard let arena = makeArena(&recorder, options) else { return }
      // Others grow by 16 MiB meanwhile.
      let before = takeUntilRefused(arena, &recorder) { round in
        // They are touched at once.
        files.own.store(arena.statistics.maybeResidentBytes, ordering: .relaxed)
        if round <= 16 { files.others.add(1 << 20, ordering: .relaxed) }
      }
      recorder.expect(
        before <= 40 << 7 && before > 36 << 7, "\(before) pages beside 24 MiB of others")
      // They free it again: at once, or when what they used is old.
      files.others.store(8 << 20, ordering: .relaxed)
      clock.sleep(1_000_000_000)
      recorder.expect(arena.errorOfTaking(12 << 7) == nil, "what others freed can be had")
      files.own.store(arena.statistics.maybeResidentBytes, ordering: .relaxed)
      files.limit.store(128 << 20, ordering: .relaxed)
      recorder.expect(arena.errorOfTaking(56 << 7) == nil, "what the bound allows now")
      files.own.store(arena.statistics.maybeResidentBytes, ordering: .relaxed)
      // Lower than what is used: seen by whoever takes fresh memory a quarter of a second later.
      files.limit.store(80 << 20, ordering: .relaxed)
      clock.sleep(250_000_000)
      recorder.expect(arena.errorOfTaking(1) != nil, "one page beyond the bound")
      files.limit.store(.max, ordering: .relaxed)
      recorder.expect(arena.memoryLimits.hard == nil, "no bound")
      recorder.expect(arena.errorOfTaking(100 << 7) == nil, "without a bound")
      recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
    }
  },

  Check("control groups: a bound that became less is seen after a while, by one fresh page") {
    recorder in
    let files = ChangingGroup(isVersion2: true)
    let clock = FakeClock()
    var options = PageArena.Options()
    options.scavenging = .manual
    options.threadCacheByteCount = 0
    options.memoryLimit = .cgroup(fraction: 0.75)
    options.files = files
    options.clock = clock
    files.limit.store(256 << 20, ordering: .relaxed)
    guard let arena = makeArena(&recorder, options), let run = arena.take(100, &recorder) else {
      return
    }
    let looks = files.looks.load(ordering: .relaxed)
    files.limit.store(1 << 20, ordering: .relaxed)
    recorder.expect(arena.errorOfTaking(1) == nil, "the last look was just now")
    clock.sleep(249_999_999)
    recorder.expect(arena.errorOfTaking(1) == nil, "nor is it old")
    recorder.expectEqual(files.looks.load(ordering: .relaxed), looks, "looks")
    clock.sleep(1)
    // Memory that was used before is no reason to look.
    arena.give(run, &recorder)
    recorder.expect(arena.errorOfTaking(100) == nil, "pages that were used before")
    recorder.expectEqual(files.looks.load(ordering: .relaxed), looks, "looks")
    recorder.expect(arena.errorOfTaking(1) != nil, "a fresh page")
    recorder.expect(files.looks.load(ordering: .relaxed) > looks, "a look")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("control groups: a bound that became less asks the program before it refuses") { recorder in
    let files = ChangingGroup(isVersion2: true)
    let clock = FakeClock()
    var options = PageArena.Options(scavenging: .manual, memoryLimit: .cgroup(fraction: 0.75))
    options.threadCacheByteCount = 0
    options.files = files
    options.clock = clock
    files.limit.store(256 << 20, ordering: .relaxed)
    guard let arena = makeArena(&recorder, options), let run = arena.take(9000, &recorder),
      arena.take(100, &recorder) != nil
    else { return }
    let spare = SpareRuns { arena.errorOfGiving($0) == nil }
    spare.keep(run)
    try? arena.setLimitHandler { spare.giveBack(for: $0) }
    files.limit.store(64 << 20, ordering: .relaxed)
    clock.sleep(250_000_000)
    // It is seen when the pages were taken already.
    recorder.expect(arena.errorOfTaking(50) == nil, "fresh pages")
    recorder.expectEqual(spare.calls.load(ordering: .relaxed), 1, "calls")
    recorder.expectEqual(arena.statistics.returned.limitRefusals, 0, "refusals")
    try? arena.setLimitHandler(nil)
  },
]

/// Regions beside the pages of an arena whose limit a control group sets.
package let groupRegionChecks: [Check] = [
  Check("control groups: a region has what is left, and no more, touched or not") { recorder in
    for isTouched in [true, false] {
      recorder.context = isTouched ? "touched at once" : "never touched"
      let files = ChangingGroup(isVersion2: true)
      var options = PageArena.Options()
      options.scavenging = .manual
      options.memoryLimit = .cgroup(fraction: 1)
      options.files = files
      options.clock = FakeClock()
      files.limit.store(64 << 20, ordering: .relaxed)
      guard let arena = makeArena(&recorder, options), let run = arena.take(8 << 7, &recorder)
      else { return }
      files.own.store(8 << 20, ordering: .relaxed)
      do throws(PageArenaError) {
        var region = try PageRegion(reserving: 256 << 20, countedIn: arena)
        var refusal: PageArenaError?
        while refusal == nil, region.byteCount < 256 << 20 {
          do throws(PageArenaError) {
            try region.grow(to: region.byteCount + 1 << 20)
          } catch { refusal = error }
          let touched = isTouched ? UInt64(region.byteCount) : 0
          files.own.store(8 << 20 + touched, ordering: .relaxed)
        }
        guard case .limitReached? = refusal else { return recorder.fail("it is not refused") }
        // Beside the run, and a margin of 1.5 MiB and more.
        let grown = region.byteCount >> 20
        recorder.expect(grown <= 54 && grown > 40, "\(grown) MiB")
        recorder.expect(arena.errorOfTaking(16 << 7) != nil, "pages are refused, too")
        try region.shrink(to: 1 << 20)
        files.own.store(9 << 20, ordering: .relaxed)
        recorder.expect(arena.errorOfTaking(16 << 7) == nil, "what it gave back")
      } catch { return recorder.fail(error.description) }
      arena.give(run, &recorder)
    }
  }
]

/// Takes 64 pages again and again.
///
/// - Returns: the pages that were had.
private func takeUntilRefused(
  _ arena: PageArena, _ recorder: inout Recorder, after: (Int) -> Void
) -> Int {
  var pages = 0
  while pages < 1 << 16 {
    if let error = arena.errorOfTaking(64) {
      if case .limitReached = error { return pages }
      recorder.fail(error.description)
      return pages
    }
    pages += 64
    after(pages / 64)
  }
  recorder.fail("no limit")
  return pages
}

/// A control group in which an arena is, and others. A bound of `UInt64.max` is none.
private final class ChangingGroup: SystemFiles {
  let isVersion2: Bool
  let limit = Atomic<UInt64>(0)
  let others = Atomic<UInt64>(0)
  let own = Atomic<UInt64>(0)
  /// How often the bound was read.
  let looks = Atomic<Int>(0)

  init(isVersion2: Bool) { self.isVersion2 = isVersion2 }

  func read(_ path: borrowing SmallText, into text: inout SmallText) -> Bool {
    text.clear()
    if path.has("/proc/self/cgroup", at: 0) {
      text.append(isVersion2 ? "0::/\n" : "1:memory:/\n")
    } else if path.index(of: isVersion2 ? "memory.max" : "memory.limit_in_bytes") != nil {
      let limit = limit.load(ordering: .relaxed)
      looks.add(1, ordering: .relaxed)
      if limit == .max { text.append("max") } else { text.append(UInt(truncatingIfNeeded: limit)) }
    } else if path.index(of: isVersion2 ? "memory.current" : "memory.usage_in_bytes") != nil {
      let used = own.load(ordering: .relaxed) + others.load(ordering: .relaxed)
      text.append(UInt(truncatingIfNeeded: used))
    }
    return text.count > 0
  }
}
