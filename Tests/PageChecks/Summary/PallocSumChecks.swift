import PageAlloc

/// One region's summary in one word.
package let pallocSumChecks: [Check] = [
  Check("summary: three counts are packed and come back") { recorder in
    let counts = [0, 1, 2, 511, 512, 513, 0x1_5555, 0x2_aaaa, 262_142, 262_143]
    for start in counts {
      for longest in counts where longest >= start {
        for end in counts where longest >= end {
          let sum = PallocSum(start: start, max: longest, end: end)
          let packed = UInt64(start) | UInt64(longest) << 18 | UInt64(end) << 36
          recorder.expectEqual(sum.packed, packed, "packed \(start) \(longest) \(end)")
          recorder.expectEqual(sum.start, start, "start of \(start) \(longest) \(end)")
          recorder.expectEqual(sum.max, longest, "max of \(start) \(longest) \(end)")
          recorder.expectEqual(sum.end, end, "end of \(start) \(longest) \(end)")
        }
      }
    }
  },
  Check("summary: 2^18 free pages are one bit") { recorder in
    let all = 1 << 18
    let sum = PallocSum(start: all, max: all, end: all)
    recorder.expectEqual(sum.packed, 1 << 63, "packed")
    recorder.expectEqual(sum.start, all, "start")
    recorder.expectEqual(sum.max, all, "max")
    recorder.expectEqual(sum.end, all, "end")
    let free = PallocSum(start: 1 << 15, max: 1 << 15, end: 1 << 15)
    let merged = PallocSum.merge(count: 8, logPagesPerChild: 15) { _ in free }
    recorder.expectEqual(merged.packed, 1 << 63, "a merge of eight that are free")
    recorder.expectEqual(PallocSum.none.packed, 0, "nothing free")
    recorder.expect(PallocSum.freeChunk == PallocSum(start: 512, max: 512, end: 512), "a chunk")
  },
  Check("summary: a merge says what counting the pages says") { recorder in
    for seed in 0..<400 {
      recorder.context = "seed \(seed)"
      var random = SplitMix64(seed: UInt64(seed))
      let log = random.below(8)
      let count = 1 + random.below(8)
      var used = random.bits(count << log)
      // Whole children that are free or in use are where merging has its cases.
      for child in 0..<count where random.below(2) == 0 {
        let value = random.below(2) == 0
        for page in (child << log)..<((child + 1) << log) { used[page] = value }
      }
      var children: [PallocSum] = []
      for child in 0..<count {
        children.append(packed(SlowSum((child << log)..<((child + 1) << log)) { used[$0] }))
      }
      let merged = PallocSum.merge(count: count, logPagesPerChild: log) { children[$0] }
      recorder.expectEqual(merged.packed, packed(SlowSum(used)).packed, "\(count) of 2^\(log)")
    }
  },
]

/// A counted summary in one word.
func packed(_ slow: SlowSum) -> PallocSum {
  PallocSum(start: slow.start, max: slow.longest, end: slow.end)
}
