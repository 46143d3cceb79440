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
        recorder.expectEqual(
          owner.tables.mappedByteCount, parts[4] - parts[0], "what is mapped at once")
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
      let all = UInt(Geometry.chunkCount * 128 + Geometry.pageCount)
      recorder.expectEqual(owner.tables.mappedByteCount - fixed, all, "all chunks")
    }
    recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "mapped at the end")
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
      let end = system.roundedToPhysicalPages(runs + UInt(Geometry.pageCount))
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
        recorder.expectEqual(owner.tables.mappedByteCount, fixed + (1 + pages) * unit, "counted")
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

extension AllocatorTables {
  /// Where each part starts.
  fileprivate var parts: [UInt] {
    [
      address(of: .head), address(of: .summaries), address(of: .scavengeRecords),
      address(of: .ranges), address(of: .chunks), address(of: .runs),
    ]
  }
}
