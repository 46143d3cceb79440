import SysMem

/// How much of a range huge pages back, by the kernel's list of mappings.
package let hugePageScanChecks: [Check] = [
  Check("huge page scan: mappings that start in a range, and no others") { recorder in
    let list: StaticString = """
      00400000-00600000 r-xp 00000000 08:01 42    /a/program/with/a/name/that/is/longer/than/a/line
      Size:               2048 kB
      AnonHugePages:         1 kB
      00600000-00a00000 rw-p 00000000 00:00 0
      Size:               4096 kB
      AnonHugePages:      2048 kB
      ShmemPmdMapped:     8192 kB
      00a00000-00b00000 rw-p 00000000 00:00 0
      AnonHugePages:         0 kB
      VmFlags: rd wr mr mw me ac
      00c00000-01000000 rw-p 00000000 00:00 0
      AnonHugePages:      4096 kB
      ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0  [vsyscall]
      AnonHugePages:        16 kB

      """
    let rows: [(name: StaticString, ranges: [Range<UInt>], kibibytes: UInt64)] = [
      ("none", [], 0),
      ("one mapping", [0x600000..<0x600001], 2048),
      ("one that starts below", [0x600001..<0xa00000], 0),
      ("two, the end of the range left out", [0x600000..<0xc00000], 2048),
      ("two ranges", [0x400000..<0x500000, 0xc00000..<0xc00001], 4097),
      ("ranges that overlap count once", [0x600000..<0xb00000, 0x500000..<0xd00000], 6144),
      ("an empty range", [0x600000..<0x600000], 0),
    ]
    for row in rows {
      recorder.context = row.name.description
      var scan = HugePageScan()
      for range in row.ranges { scan.add(range) }
      forEachLine(in: list) { scan.take($0) }
      recorder.expectEqual(scan.byteCount, row.kibibytes * 1024, "bytes")
    }
  },

  Check("huge page scan: no more ranges than there is room for, and the real file") { recorder in
    var scan = HugePageScan()
    for index: UInt in 0..<100 { scan.add((index << 12)..<((index + 1) << 12)) }
    // The first pages of the space, which nobody maps.
    let found = scan.run()
    if found == nil { return recorder.leaveOut("the kernel has no /proc/self/smaps") }
    recorder.expectEqual(found ?? 1, 0, "bytes in the first pages of the space")
  },
]
