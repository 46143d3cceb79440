import PageAlloc

package let arenaBasicsChecks: [Check] = [
  Check("arena: runs are writable, distinct, and keep what is written") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    var runs: [Run] = []
    for index in 0..<200 {
      guard let run = arena.take(1 + index * 7 % 45, &recorder) else { return }
      run.stamp(UInt64(index) << 32)
      runs.append(run)
    }
    for index in 0..<runs.count {
      recorder.expect(
        runs[index].isStamped(UInt64(index) << 32), "run \(index) lost what was written")
      arena.give(runs[index], &recorder)
    }
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "bytes in use at the end")
  },

  Check("arena: first fit by address; what was freed comes again") { recorder in
    guard let arena = makeArena(&recorder, caching: false), let a = arena.take(3, &recorder),
      let b = arena.take(2, &recorder), let c = arena.take(1, &recorder)
    else { return }
    recorder.expect(b == a.part(3, 2), "b follows a")
    recorder.expect(c == b.part(2, 1), "c follows b")
    arena.give(b.part(0, 2), &recorder)
    guard let d = arena.take(2, &recorder) else { return }
    recorder.expect(d == b, "d takes the place of b")
    arena.give(a.part(0, 3), &recorder)
    guard let e = arena.take(4, &recorder), let f = arena.take(3, &recorder) else { return }
    recorder.expect(e.address > c.address, "e does not fit below c")
    recorder.expect(f == a, "f takes the place of a")
  },

  Check("arena: parts of a run are freed in any order") { recorder in
    guard let arena = makeArena(&recorder, caching: false), let run = arena.take(1200, &recorder)
    else { return }
    let page = PageArena.pageSize
    arena.give(run.part(500, 100), &recorder)  // over the edge of a chunk
    arena.give(run.part(0, 1), &recorder)
    arena.give(run.part(1199, 1), &recorder)
    recorder.expectEqual(arena.statistics.inUseBytes, UInt64(1098 * page), "bytes in use")
    arena.give(run.part(1, 499), &recorder)
    arena.give(run.part(600, 599), &recorder)
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "bytes in use at the end")
    recorder.expectEqual(
      arena.statistics.largestCommittedRun, 3 * 512, "all of three chunks is free")
  },

  Check("arena: alignment from one byte to 64 MiB") { recorder in
    guard let arena = makeArena(&recorder), arena.take(1, &recorder) != nil else { return }
    var alignment = 1
    while alignment <= 64 << 20 {
      guard let base = arena.take(3, alignment: alignment, &recorder) else { return }
      recorder.expect(
        base.address & UInt(alignment - 1) == 0, "aligned to \(alignment)")
      base.part(0, 3).stamp(7)
      alignment *= 2
    }
  },

  Check("arena: an aligned run is found in a hole that just fits") { recorder in
    guard let arena = makeArena(&recorder, byteCount: 64 << 20, caching: false) else { return }
    // Fill all, then free one aligned hole of 4 pages amid the rest.
    var pages: [Run] = []
    while let page = try? arena.run(1) { pages.append(page) }
    guard
      let hole = pages.firstIndex(where: {
        $0.address & UInt(4 * PageArena.pageSize - 1) == 0
      })
    else {
      recorder.fail("no aligned page")
      return
    }
    // Decoys: holes of 4 pages at odd places.
    for decoy in stride(from: hole + 9, to: hole + 2000, by: 12) {
      for index in decoy..<(decoy + 4) { arena.give(pages[index], &recorder) }
    }
    let target = hole + 2400
    for index in target..<(target + 4) { arena.give(pages[index], &recorder) }
    guard let found = arena.take(4, alignment: 4 * PageArena.pageSize, &recorder) else { return }
    recorder.expect(found == pages[target].part(0, 4), "the aligned hole was found")
  },

  Check("arena: statistics add up") { recorder in
    guard let arena = makeArena(&recorder, caching: false) else { return }
    let fresh = arena.statistics
    recorder.expectEqual(fresh.readyBytes, 0, "nothing is committed at first")
    guard let run = arena.take(100, &recorder) else { return }
    let used = arena.statistics
    recorder.expectEqual(used.readyBytes, 4 << 20, "one chunk was committed")
    recorder.expectEqual(used.inUseBytes, 100 * 8192, "in use")
    recorder.expectEqual(used.scavengedBytes, 412 * 8192, "never used")
    recorder.expectEqual(used.freeMaybeResidentBytes, 0, "free and resident")
    recorder.expectEqual(used.largestCommittedRun, 412, "largest free run")
    arena.give(run.part(0, 100), &recorder)
    let freed = arena.statistics
    recorder.expectEqual(
      freed.freeMaybeResidentBytes, 100 * 8192, "free and resident after the free")
    recorder.expectEqual(freed.inUseBytes, 0, "in use after the free")
    let released = (try? arena.releaseFreeMemory()) ?? -1
    recorder.expectEqual(released, 100 * 8192, "released")
    recorder.expectEqual(arena.statistics.scavengedBytes, 4 << 20, "scavenged after release")
    let system = arena.systemStatistics
    recorder.expectEqual(
      system.readyBytes, arena.statistics.metadataBytes, "only the tables are ready")
    recorder.expectEqual(system.preparedBytes, 4 << 20, "the chunk is prepared")
  },
]
