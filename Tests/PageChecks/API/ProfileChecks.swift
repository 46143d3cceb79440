import CSysMem
import CTestSystem
import PageAlloc
import PageTrace
import SysMem

/// Profiles of who holds what.
package let profileChecks: [Check] = [
  Check("profile: what two sites hold, and have taken, is estimated without a bias") { recorder in
    if leavesOutProfiles(&recorder) { return }
    // Over 16 seeds: of the first, 2,000 runs of 3 pages, which are sampled 3 times in 10; of the
    // second 300 of 20, 9 times in 10, and 4,000 that went again.
    var held = [0.0, 0.0]
    var taken = 0.0
    let rounds = 16
    for seed in 0..<rounds {
      guard let arena = profiledArena(every: 1 << 16, seed: UInt(seed) << 32, &recorder) else {
        return
      }
      var runs: [Run] = []
      for round in 0..<2000 {
        guard let run = takeAtFirstSite(arena, 3, &recorder) else { return }
        runs.append(run)
        for _ in 0..<2 {
          guard let run = takeAtSecondSite(arena, 20, &recorder) else { return }
          arena.give(run, &recorder)
        }
        if round % 20 < 3 {
          guard let run = takeAtSecondSite(arena, 20, &recorder) else { return }
          runs.append(run)
        }
      }
      guard let file = profile(of: arena, &recorder) else { return }
      let first = Double(file.sum(2, under: "takeAtFirstSite"))
      let second = Double(file.sum(2, under: "takeAtSecondSite"))
      // Five standard deviations of each.
      recorder.expect(abs(first - 2000) < 5 * 67, "seed \(seed): \(Int(first)) of 2,000 are held")
      recorder.expect(abs(second - 300) < 5 * 5.2, "seed \(seed): \(Int(second)) of 300 are held")
      held[0] += first
      held[1] += second
      taken += Double(file.sum(0, under: "takeAtSecondSite"))
      let bytes = file.sum(3, under: "takeAtFirstSite")
      recorder.expect(
        abs(Double(bytes) - first * 24576) < 24576 * 8, "\(bytes) bytes are held, of 3 pages each")
      for run in runs { arena.give(run, &recorder) }
      guard let empty = profile(of: arena, &recorder) else { return }
      recorder.expectEqual(empty.sum(2, under: "takeAt"), 0, "held when all is free")
      recorder.expect((arena.brokenInvariant() == nil), "the arena is sound")
    }
    // The mean of all seeds has a quarter of the deviation: four of it.
    let firstMean = held[0] / Double(rounds)
    let secondMean = held[1] / Double(rounds)
    let takenMean = taken / Double(rounds)
    recorder.expect(abs(firstMean - 2000) < 67, "\(Int(firstMean)) of 2,000 in the mean")
    recorder.expect(abs(secondMean - 300) < 5.2, "\(Int(secondMean)) of 300 in the mean")
    recorder.expect(abs(takenMean - 4300) < 19.7, "\(Int(takenMean)) of 4,300 taken in the mean")
  },

  Check("profile: a run that is set apart goes on being held, and so when it is back") { recorder in
    if leavesOutProfiles(&recorder) { return }
    guard let arena = profiledArena(every: 1, seed: 5, &recorder) else { return }
    for pages in [1, 2, 11, 127, 128, 700] {
      guard let run = takeAtFirstSite(arena, pages, &recorder) else { return }
      func expectHeld(_ pages: Int, _ what: String, _ recorder: inout Recorder) {
        let held = profile(of: arena, &recorder)?.sum(3, under: "takeAtFirstSite")
        recorder.expectEqual(held.map(Int.init) ?? -1, pages << 13, what)
      }
      do throws(PageArenaError) {
        let owner = unsafe try arena.adopt(run.pointer, pages: pages)
        recorder.expect(owner.setApart(), "set apart")
        expectHeld(pages, "held apart", &recorder)
        owner.rejoin()
        expectHeld(pages, "held", &recorder)
        let runs = profile(of: arena, &recorder)?.sum(2, under: "takeAtFirstSite")
        recorder.expectEqual(runs ?? 0, 1, "runs")
        _ = unsafe try owner.leak()
      } catch { recorder.fail(error.description) }
      arena.give(run, &recorder)
      expectHeld(0, "held when it is free", &recorder)
    }
  },

  Check("profile: every kind of run is sampled once, and counts as what has become of it") {
    recorder in
    if leavesOutProfiles(&recorder) { return }
    // All are sampled.
    guard let arena = profiledArena(every: 1, seed: 7, &recorder) else { return }
    func expectHeld(_ runs: UInt64, pages: UInt64, _ what: String, line: UInt = #line) {
      guard let file = profile(of: arena, &recorder) else { return }
      recorder.expectEqual(file.sum(2, under: "takeAt"), runs, "runs: \(what)", line: line)
      recorder.expectEqual(file.sum(3, under: "takeAt"), pages * 8192, "bytes: \(what)", line: line)
      recorder.expect((arena.brokenInvariant() == nil), "the arena is sound: \(what)", line: line)
    }
    for pages in [1, 2, 16, 63, 64, 65, 127, 128, 129, 600, 5000] {
      for round in 0..<2 {
        guard let run = takeAtFirstSite(arena, pages, &recorder) else { return }
        expectHeld(1, pages: UInt64(pages), "\(pages) pages, round \(round)")
        arena.give(run, &recorder)
      }
      guard let aligned = takeAtFirstSite(arena, pages, alignment: 1 << 17, &recorder) else {
        return
      }
      arena.give(aligned, &recorder)
      guard var owned = ownAtFirstSite(arena, pages, &recorder) else { return }
      expectHeld(1, pages: UInt64(pages), "\(pages) pages with an owner")
      if owned.grow(to: pages + 70) {
        expectHeld(1, pages: UInt64(pages + 70), "\(pages) pages grew")
        owned.shrink(to: pages + 1)
        expectHeld(1, pages: UInt64(pages + 1), "they shrank")
      }
      if owned.pages > 1 {
        let halves = owned.split(at: 1)
        expectHeld(2, pages: UInt64(pages + 1), "two of one")
        var lower = halves.lower
        recorder.expect(lower.join(halves.upper) == nil, "they fit together")
        expectHeld(1, pages: UInt64(pages + 1), "one of two")
        lower.deallocate()
      } else {
        owned.deallocate()
      }
      expectHeld(0, pages: 0, "\(pages) pages, all free")
    }
    guard let run = takeAtFirstSite(arena, 10, &recorder) else { return }
    arena.give(run.part(3, 2), &recorder)
    expectHeld(2, pages: 8, "a hole was freed")
    recorder.expect(arena.errorOfGiving(run.part(3, 2)) != nil, "freed twice")
    recorder.expect(arena.errorOfGiving(run.part(0, 4)) != nil, "past the end")
    arena.give(run.part(0, 3), &recorder)
    arena.give(run.part(5, 5), &recorder)
    guard let guarded = ownAtFirstSite(arena, 4, guarded: true, &recorder) else { return }
    expectHeld(1, pages: 4, "between guards")
    guarded.deallocate()
    expectHeld(0, pages: 0, "all free")
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "bytes in use")
  },

  Check("profile: the file is written at the arena's end, and says what pprof expects") {
    recorder in
    if leavesOutProfiles(&recorder) { return }
    guard let memory = MemoryFile(&recorder) else { return }
    do {
      var options = PageArena.Options(reserving: 64 << 20, scavenging: .manual)
      options.profile = .sampled(every: 1, file: memory.path)
      options.profileSeed = 1
      guard let arena = makeArena(&recorder, options),
        takeAtFirstSite(arena, 9, &recorder) != nil
      else { return }
      recorder.expectEqual(memory.bytes(&recorder)?.count ?? -1, 0, "bytes before the end")
    }
    guard let file = memory.profile(&recorder) else { return }
    let types = file.sampleTypes.map { file.strings[Int($0.type)] }
    recorder.expect(types.count == 4 && types[3].utf8.elementsEqual("inuse_space".utf8), "types")
    recorder.expect(
      file.strings[Int(file.defaultType)].utf8.elementsEqual("inuse_space".utf8), "default")
    recorder.expectEqual(file.strings.first?.utf8.count ?? -1, 0, "the first string")
    recorder.expectEqual(file.period, 1, "period")
    recorder.expectEqual(file.sum(3, under: "takeAtFirstSite"), 9 * 8192, "bytes held")
    for sample in file.samples {
      recorder.expectEqual(sample.values.count, 4, "values of a sample")
      for number in sample.locations {
        recorder.expect(file.locations.contains { $0.number == number }, "location \(number)")
      }
    }
    for location in file.locations where location.mapping != 0 {
      let mapping = file.mappings.first { $0.number == location.mapping }
      recorder.expect(
        mapping != nil && mapping!.start <= location.address && location.address < mapping!.end,
        "location \(location.number) lies in its mapping")
    }
  },

  Check("profile: in the checked mode, without caches, and by four threads") { recorder in
    if leavesOutProfiles(&recorder) { return }
    var options = PageArena.Options(reserving: 256 << 20, scavenging: .manual)
    options.profile = .sampled(every: 1)
    options.profileSeed = 3
    for mode in 0..<3 {
      options.diagnosis = mode == 1 ? .checked() : .off
      options.threadCacheByteCount = mode == 2 ? 0 : 16 << 20
      guard let arena = makeArena(&recorder, options),
        let kept = takeAtFirstSite(arena, 5, &recorder)
      else { return }
      let workers = (1...4).map { Churn(arena, seed: UInt64($0)) }
      runThreads(workers) { $0.churn() }
      recorder.expect(workers.allSatisfy { $0.faults.load(ordering: .relaxed) == 0 }, "no faults")
      guard let file = profile(of: arena, &recorder) else { return }
      var runs: UInt64 = 0
      for sample in file.samples { runs += sample.values[2] }
      recorder.expectEqual(runs, 1, "runs held, mode \(mode)")
      var bytes: UInt64 = 0
      for sample in file.samples { bytes += sample.values[3] }
      recorder.expectEqual(bytes, 5 * 8192, "bytes, mode \(mode)")
      if mode == 0 || !isEmbedded {
        recorder.expectEqual(file.sum(3, under: "takeAtFirstSite"), 5 * 8192, "site, mode \(mode)")
      } else {
        recorder.leaveOut("as Embedded Swift, who called is not told where no cache has the run")
      }
      arena.give(kept, &recorder)
    }
  },

  Check("profile: the distance doubles where samples take too much of the time") { recorder in
    if leavesOutProfiles(&recorder) { return }
    var options = PageArena.Options(reserving: 64 << 20, scavenging: .manual)
    options.profile = .sampled(every: 1)
    guard let arena = makeArena(&recorder, options),
      let kept = takeAtFirstSite(arena, 1, &recorder)
    else { return }
    arena.give(kept, &recorder)
    for _ in 0..<200_000 {
      guard let run = takeAtFirstSite(arena, 16, &recorder) else { return }
      arena.give(run, &recorder)
    }
    recorder.expect(arena.profileDoublings ?? 0 >= 10, "\(arena.profileDoublings ?? -1) doublings")
    guard let file = profile(of: arena, &recorder) else { return }
    let taken = file.sum(0, under: "takeAtFirstSite")
    recorder.expect(taken > 100_000 && taken < 300_000, "\(taken) of 200,001 taken")
  },

  Check("profile: what cannot be is refused, and leaves nothing") { recorder in
    let maximum = Int(truncatingIfNeeded: min(UInt64(1) << 40, UInt64(Int.max)))
    for byteCount in [.min, -1, 0] {
      recorder.throwsError(
        .badProfile(byteCount: byteCount, minimum: 1, maximum: maximum)
      ) { () throws(PageArenaError) in
        _ = try PageArena(reserving: 64 << 20, profile: .sampled(every: byteCount))
      }
    }
    guard let arena = makeArena(&recorder, PageArena.Options(reserving: 64 << 20)) else { return }
    recorder.throwsError(.profile(Errno(rawValue: ENODATA))) { () throws(PageArenaError) in
      try arena.writeProfile(toPath: "/dev/null")
    }
    if !RunProfile.isSupported {
      recorder.throwsError(.profile(.noSuchCall)) { () throws(PageArenaError) in
        _ = try PageArena(reserving: 64 << 20, profile: .sampled())
      }
    }
    if leavesOutProfiles(&recorder) { return }
    recorder.throwsError(.profile(Errno(rawValue: ENOENT))) { () throws(PageArenaError) in
      _ = try PageArena(reserving: 64 << 20, profile: .sampled(file: "/dev/none/of/these"))
    }
    let long = String(repeating: "a", count: 5000)
    recorder.throwsError(.profile(Errno(rawValue: ENAMETOOLONG))) { () throws(PageArenaError) in
      _ = try PageArena(reserving: 64 << 20, profile: .sampled(file: long))
    }
    guard let arena = profiledArena(every: 1, seed: 1, &recorder),
      let run = takeAtFirstSite(arena, 1, &recorder)
    else { return }
    recorder.throwsError(.profile(Errno(rawValue: ENOSPC))) { () throws(PageArenaError) in
      try arena.writeProfile(toPath: "/dev/full")
    }
    arena.give(run, &recorder)
    let calls = FakeCalls()
    var options = PageArena.Options(calls: calls)
    options.reservedByteCount = 64 << 20
    options.profile = .sampled()
    do {
      let tables = (try? PageArena(options))?.statistics.metadataBytes ?? 0
      // A word a page, and the sites: made, counted, and ended.
      recorder.expect(tables > UInt64(Geometry.pageCount * 8), "\(tables) bytes of tables")
    }
    recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "bytes still mapped")
  },
]

/// Profiles, where the process is copied.
package let profileForkChecks: [Check] = [
  Check("profile: a child of a fork goes on, and leaves its parent's file alone") { recorder in
    if leavesOutProfiles(&recorder) { return }
    guard let memory = MemoryFile(&recorder), let other = MemoryFile(&recorder) else { return }
    var options = PageArena.Options(reserving: 64 << 20, scavenging: .manual)
    options.profile = .sampled(every: 1, file: memory.path)
    options.profileSeed = 1
    guard let arena = makeArena(&recorder, options),
      let run = takeAtFirstSite(arena, 7, &recorder)
    else { return }
    let path = other.path
    let status = inChild {
      guard (try? arena.run(9)) != nil, (try? arena.writeProfile(toPath: path)) != nil else {
        return 1
      }
      // What is done at the end of a process.
      exit(0)
    }
    recorder.expectEqual(status, 0, "the child's end")
    recorder.expectEqual(memory.bytes(&recorder)?.count ?? -1, 0, "bytes in the parent's file")
    guard let file = other.profile(&recorder) else { return }
    recorder.expectEqual(file.sum(3, under: "takeAtFirstSite"), 7 * 8192, "bytes held in the child")
    arena.give(run, &recorder)
  }
]

/// Built as Embedded Swift.
private var isEmbedded: Bool {
  #if hasFeature(Embedded)
    true
  #else
    false
  #endif
}
