import PageAlloc
import SysMem

/// Where the tables of an allocator lie, and what they cost.
package let allocatorTablesChecks: [Check] = [
  Check("tables: head, summaries, records, ranges, chunk map and run table, in this order") {
    recorder in
    for headByteCount in [0, 1, 63, 64, 65, 5000] {
      recorder.context = "head of \(headByteCount) bytes"
      recorder.expectNoError("tables") { recorder throws(SysMemError) in
        let system = SysMem(calls: LinuxCalls())
        let owner = try StandaloneTables(system: system, headByteCount: headByteCount)
        let unit = UInt(system.physicalPageSize)
        let parts = owner.tables.parts
        recorder.expectEqual(parts[0], owner.tables.addresses.lowerBound + unit, "the head")
        recorder.expectEqual(
          parts[1] - parts[0], UInt(headByteCount + 63) / 64 * 64, "room for the head")
        recorder.expectEqual(parts[2] - parts[1], UInt(Geometry.summaryEntryCount * 8), "summaries")
        recorder.expectEqual(parts[3] - parts[2], UInt(Geometry.chunkCount * 8), "records")
        let rangeCount = owner.tables.ranges.capacity
        let rangeByteCount = UInt(rangeCount * MemoryLayout<Range<UInt32>>.stride)
        recorder.expectEqual(rangeByteCount, 4096, "room for ranges")
        recorder.expect(parts[3] + rangeByteCount <= parts[4], "the ranges end before the map")
        recorder.expect(parts[4] - parts[3] - rangeByteCount < unit, "and no page too early")
        recorder.expect((parts[4] - parts[0]) % unit == 0, "the chunk map starts a page")
        let first = system.roundedToPhysicalPages(parts[3] - parts[0] + 64)
        recorder.expectEqual(owner.tables.mappedByteCount, first, "what is mapped at once")
        recorder.expect(first <= parts[4] - parts[0], "no more than there is")
        recorder.expectEqual(
          parts[5] - parts[4], system.roundedToPhysicalPages(UInt(Geometry.chunkCount * 128)),
          "the chunk map")
        recorder.expectEqual(
          owner.tables.addresses.upperBound - parts[5],
          system.roundedToPhysicalPages(UInt(RunTable.byteCount)) + unit,
          "the run table and a guard")
      }
    }
  },

  Check("tables: what is mapped for chunks is mapped once, and all goes at the end") { recorder in
    let calls = FakeCalls()
    let system = SysMem(calls: calls)
    recorder.expectNoError("tables") { recorder throws(SysMemError) in
      let owner = try StandaloneTables(system: system, headByteCount: 0)
      let fixed = owner.tables.mappedByteCount
      owner.tables.mapChunks(5..<6)
      let one = owner.tables.mappedByteCount
      recorder.expect(one > fixed, "one chunk costs something")
      owner.tables.mapChunks(5..<6)
      recorder.expectEqual(owner.tables.mappedByteCount, one, "and nothing the second time")
      owner.tables.mapChunks(0..<Geometry.chunkCount)
      let all = UInt(Geometry.chunkCount * 128) + system.roundedToPhysicalPages(runsByteCount)
      recorder.expectEqual(owner.tables.mappedByteCount - fixed, all, "all chunks")
    }
    recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "mapped at the end")
  },

  Check("tables: ranges and decommitted pages are counted when there are some") { recorder in
    let system = SysMem(calls: FakeCalls())
    // The ranges begin on the last page that is counted at once, and go on behind it.
    recorder.expectNoError("tables") { recorder throws(SysMemError) in
      let owner = try StandaloneTables(system: system, headByteCount: 0)
      owner.tables.mapChunks(0..<Geometry.chunkCount)
      let all = owner.tables.mappedByteCount
      // Chunks that follow each other are one range.
      for chunk in 0..<900 { owner.tables.mapChunks(chunk..<(chunk + 1)) }
      recorder.expectEqual(owner.tables.mappedByteCount, all, "one range")
      for chunk in stride(from: 0, to: 900, by: 2) {
        owner.tables.mapChunks(chunk..<(chunk + 1))
      }
      let parts = owner.tables.parts
      let first = system.roundedToPhysicalPages(parts[3] - parts[0] + 64)
      recorder.expectEqual(
        owner.tables.mappedByteCount - all, parts[4] - parts[0] - first, "450 ranges")
      // 64 bytes a chunk.
      let before = owner.tables.mappedByteCount
      owner.tables.mapDecommitted(3..<5)
      let one = owner.tables.mappedByteCount - before
      recorder.expectEqual(one % UInt(system.physicalPageSize), 0, "whole pages")
      recorder.expect(one <= UInt(system.physicalPageSize), "of one place")
      owner.tables.mapDecommitted(3..<5)
      recorder.expectEqual(owner.tables.mappedByteCount, before + one, "once")
      owner.tables.mapDecommitted(0..<Geometry.chunkCount)
      let whole = system.roundedToPhysicalPages(UInt(RunTable.byteCount))
      recorder.expectEqual(
        owner.tables.mappedByteCount, before + whole - system.roundedToPhysicalPages(runsByteCount),
        "all chunks")
    }
  },

  Check("tables: an arena counts as much of them as the kernel has in memory, or more") {
    recorder in
    if isEmulated {
      recorder.leaveOut("an emulator's kernel tells what its own pages are")
      return
    }
    for (index, caching) in [true, false].enumerated() {
      guard let arena = makeArena(&recorder, byteCount: 1 << 30, caching: caching) else { return }
      var random = SplitMix64(seed: UInt64(index))
      var runs: [Run] = []
      expectCounted(arena, "fresh", &recorder)
      for step in 0..<60 {
        let pages = [1, 100, 128, 700, 3000][random.below(5)]
        guard let run = arena.take(pages, &recorder) else { return }
        runs.append(run)
        if random.below(3) == 0 { arena.give(runs.remove(at: random.below(runs.count)), &recorder) }
        if step % 6 == 0 { expectCounted(arena, "after \(step) runs", &recorder) }
      }
      guard var one = arena.own(5000, &recorder), var two = arena.own(64, &recorder) else { return }
      recorder.succeeds("decommit") { () throws(PageArenaError) in
        try two.decommit(in: 32..<64)
        try one.decommit(in: 0..<5000)
      }
      expectCounted(arena, "decommitted", &recorder)
      let closed = try? arena.allocateRun(pages: 20_000, access: .none)
      recorder.expect(closed != nil, "a run that nobody can access")
      expectCounted(arena, "inaccessible", &recorder)
      for run in runs { arena.give(run, &recorder) }
      _ = try? arena.releaseFreeMemory()
      expectCounted(arena, "given back", &recorder)
    }
  },

  Check("tables: the annex ends where the run table begins, and their page is counted once") {
    recorder in
    let system = SysMem(calls: FakeCalls())
    let unit = UInt(system.physicalPageSize)
    recorder.expectNoError("tables") { recorder throws(SysMemError) in
      let owner = try StandaloneTables(system: system, headByteCount: 0, annexByteCount: 8200)
      let fixed = owner.tables.mappedByteCount
      let (annex, runs) = (owner.tables.annex, owner.tables.parts[5])
      recorder.expectEqual(annex % unit, 0, "it starts a page")
      recorder.expectEqual(runs - annex, 8256, "whole lines of it")
      owner.tables.useAnnex()
      let pages = (runs - 1) / unit - annex / unit + 1
      recorder.expectEqual(owner.tables.mappedByteCount, fixed + pages * unit, "its pages")
      owner.tables.useAnnex()
      recorder.expectEqual(owner.tables.mappedByteCount, fixed + pages * unit, "once")
      owner.tables.mapChunks(0..<Geometry.chunkCount)
      let end = system.roundedToPhysicalPages(runs + runsByteCount)
      let map = system.roundedToPhysicalPages(UInt(ChunkMap.byteCount))
      recorder.expectEqual(
        owner.tables.mappedByteCount, fixed + map + end - annex, "with the map and the run table")
      recorder.expectEqual(
        system.statistics.readyBytes, UInt64(owner.tables.mappedByteCount), "ready bytes")
    }
  },

  Check("tables: the annex with larger pages, and when chunks were mapped before") { recorder in
    for size in [4096, 16_384, 65_536] {
      recorder.context = "pages of \(size)"
      let system = SysMem(calls: FakeCalls(physicalPageSize: size))
      recorder.expectNoError("tables") { recorder throws(SysMemError) in
        let owner = try StandaloneTables(system: system, headByteCount: 0, annexByteCount: 17_500)
        let fixed = owner.tables.mappedByteCount
        owner.tables.mapChunks(1..<2)
        owner.tables.useAnnex()
        // The chunk map's page; those of the annex, on the last of which chunk 1 starts, or begins
        // the next.
        let (annex, runs) = (owner.tables.annex, owner.tables.parts[5])
        let unit = UInt(size)
        let pages = (runs + 1023) / unit - annex / unit + 1
        // What says where long runs start, of chunk 1.
        let starts = runs + UInt(Geometry.pageCount)
        let more = (starts + 520 + 7) / unit - starts / unit + 1
        recorder.expectEqual(
          owner.tables.mappedByteCount, fixed + (1 + pages + more) * unit, "counted")
        recorder.expectEqual(
          system.statistics.readyBytes, UInt64(owner.tables.mappedByteCount), "ready bytes")
        let none = try StandaloneTables(system: system, headByteCount: 0)
        let before = none.tables.mappedByteCount
        none.tables.useAnnex()
        recorder.expectEqual(none.tables.mappedByteCount, before, "none at all")
      }
    }
  },

  Check("tables: the front of an arena's first cache shares a page with what it writes to") {
    recorder in
    // The cache's last line or two are its front; the first chunk that is used is chunk 1.
    let front = UInt(MemoryLayout<RunCache>.size + 63) & ~63 - 192
    let bytes = front + 192 + 2 * UInt(Geometry.pagesPerChunk)
    recorder.expectEqual(front / 4096, (bytes - 1) / 4096, "the page")
  },
]

/// Bytes of the run table without what says which pages are decommitted.
private let runsByteCount = UInt(RunTable.byteCount - DecommittedPages.byteCount)

extension AllocatorTables {
  /// Where each part starts.
  fileprivate var parts: [UInt] {
    [
      address(of: .head), address(of: .summaries), address(of: .scavengeRecords),
      address(of: .ranges), address(of: .chunks), address(of: .runs),
    ]
  }
}

/// Looks at each page of an arena's tables that the kernel has in memory: it must count.
private func expectCounted(_ arena: PageArena, _ name: String, _ recorder: inout Recorder) {
  let system = SysMem(calls: LinuxCalls())
  let unit = UInt(system.physicalPageSize)
  var mapped: UInt = 0
  var resident = 0
  var uncounted: [UInt] = []
  arena.withTables { tables in
    mapped = tables.mappedByteCount
    // Without the guards.
    let (start, end) = (tables.addresses.lowerBound + unit, tables.addresses.upperBound - unit)
    for page in stride(from: start, to: end, by: Int(unit))
    where (try? system.residentByteCount(page, unit)) ?? 0 > 0 {
      resident += 1
      if !tables.isCounted(page) { uncounted.append((page - start) / unit) }
    }
  }
  recorder.expect(resident > 0, "\(resident) pages in memory, \(name)")
  recorder.expect(uncounted.isEmpty, "pages \(uncounted) do not count, \(name)")
  recorder.expect(arena.statistics.metadataBytes >= UInt64(mapped), "in the figures")
}
