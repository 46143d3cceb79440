import PageAlloc

/// Which pages are decommitted, beside an array of flags.
package let decommittedPagesChecks: [Check] = [
  Check("decommitted pages: random ranges, as an array has them") { recorder in
    for seed in UInt64(1)...5 {
      recorder.context = "seed \(seed)"
      var random = SplitMix64(seed: seed)
      let pages = BareTable().runs.decommitted
      // The first page of the space, its last one, and some in between.
      let origin = [0, 64 * 77 + 3, Geometry.pageCount - 1024][Int(seed % 3)]
      var flags = [Bool](repeating: false, count: 1024)
      for step in 0..<400 where recorder.isGood {
        let first = random.below(1024)
        let range = first..<min(1024, first + random.logarithmic(9))
        let before = range.count { flags[$0] }
        let moved = (origin + range.lowerBound)..<(origin + range.upperBound)
        recorder.expectEqual(pages.count(in: moved), before, "count in step \(step)")
        let found = pages.first(in: moved)
        recorder.expect(found == firstRange(flags, in: range, from: origin), "first, step \(step)")
        switch random.below(3) {
        case 0:
          pages.remove(moved)
          for page in range { flags[page] = false }
        default:
          recorder.expectEqual(pages.insert(moved), range.count - before, "new in step \(step)")
          for page in range { flags[page] = true }
        }
      }
      let all = origin..<(origin + 1024)
      recorder.expectEqual(pages.count(in: all), flags.count { $0 }, "all")
      recorder.expectEqual(
        pages.count(in: 0..<Geometry.pageCount), flags.count { $0 }, "and none elsewhere")
    }
  },

  Check("decommitted pages: no pages at all") { recorder in
    let pages = BareTable().runs.decommitted
    recorder.expectEqual(pages.insert(70..<70), 0, "inserted")
    pages.remove(70..<70)
    recorder.expect(pages.first(in: 70..<70) == nil, "the first of none")
    recorder.expect(pages.first(in: 0..<Geometry.pageCount) == nil, "the first of all")
  },
]

/// The first pages in a row, as the flags of the pages from `origin` on have them.
private func firstRange(_ flags: [Bool], in range: Range<Int>, from origin: Int) -> Range<Int>? {
  guard let first = range.first(where: { flags[$0] }) else { return nil }
  let end = (first..<range.upperBound).first { !flags[$0] } ?? range.upperBound
  return (origin + first)..<(origin + end)
}
