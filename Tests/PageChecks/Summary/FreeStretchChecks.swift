import PageAlloc

/// A summary after a change, from the one before it, beside one that is counted anew.
package let freeStretchChecks: [Check] = [
  Check("free stretch: an entry with what is free on either side of it") { recorder in
    var random = SplitMix64(seed: 1)
    for _ in 0..<2000 {
      let size = 1 << random.below(7)
      let used = someUsed(size, &random)
      let (below, above) = (random.below(4) * random.below(9), random.below(4) * random.below(9))
      let free = { (count: Int) in [Bool](repeating: false, count: count) }
      let whole = SlowSum(free(below) + used + free(above))
      let stretch = FreeStretch(sum(SlowSum(used)), size: size, below: below, above: above)
      recorder.expectEqual(stretch.start, whole.start, "at the low edge")
      recorder.expectEqual(stretch.max, whole.longest, "the longest")
      recorder.expectEqual(stretch.end, whole.end, "at the high edge")
      if !recorder.isGood { return }
    }
    let edges = FreeStretch(start: 3, end: 5)
    recorder.expect(edges.start == 3 && edges.max == 5 && edges.end == 5, "the longer one")
    recorder.expectEqual(FreeStretch(start: 4, end: 1).max, 4, "the longer one, below")
  },

  Check("free stretch: a region of which a stretch changed") { recorder in
    var random = SplitMix64(seed: 2)
    var counts = 0
    for step in 0..<6000 {
      let size = 64
      var used = someUsed(size, &random)
      let (one, other) = (random.below(size + 1), random.below(size + 1))
      let (low, high) = (min(one, other), max(one, other))
      if low == high { continue }
      // It ends at an edge, or beside a page in use.
      if low > 0 { used[low - 1] = true }
      if high < size { used[high] = true }
      let before = SlowSum(used)
      let inside = SlowSum(Array(used[low..<high]))
      let outside = max(SlowSum(Array(used[..<low])).longest, SlowSum(Array(used[high...])).longest)
      used.replaceSubrange(low..<high, with: someUsed(high - low, &random))
      let after = SlowSum(used)
      let now = SlowSum(Array(used[low..<high]))
      // The room may be told exactly, or more.
      let room = outside + random.below(3) * random.below(20)
      let stretch = FreeStretch(sum(now), size: high - low, below: 0, above: 0)
      let changed = sum(before).changed(
        in: low, high, of: size, before: inside.longest, now: stretch, room: room,
        longestOfAll: {
          counts += 1
          return after.longest
        }())
      recorder.expectEqual(changed.start, after.start, "at the low edge, step \(step)")
      recorder.expectEqual(changed.max, after.longest, "the longest, step \(step)")
      recorder.expectEqual(changed.end, after.end, "at the high edge, step \(step)")
      if !recorder.isGood { return }
    }
    recorder.expect(counts > 0 && counts < 3000, "\(counts) regions were looked at as a whole")
  },

  Check("summary entries: each at its place, whoever has a handle") { recorder in
    let count = Geometry.summaryEntryCount
    let words = UnsafeMutablePointer<UInt64>.allocate(capacity: count)
    unsafe words.initialize(repeating: 0, count: count)
    defer { unsafe words.deallocate() }
    let entries = unsafe SummaryEntries(words: words)
    let copy = entries
    for place in 0..<count { entries[place] = PallocSum(start: place, max: place + 1, end: 1) }
    for place in 0..<count {
      recorder.expectEqual(copy[place].start, place, "an entry")
      recorder.expectEqual(
        unsafe words[place], PallocSum(start: place, max: place + 1, end: 1).packed, "a word")
    }
    copy[7] = .none
    recorder.expectEqual(entries[7].packed, 0, "changed by the other handle")
    recorder.expect(entries[6].start == 6 && entries[8].start == 8, "its neighbours")
  },
]

/// Pages, some of them in use.
private func someUsed(_ count: Int, _ random: inout SplitMix64) -> [Bool] {
  // All free, all in use, or between.
  let density = random.below(9)
  return (0..<count).map { _ in random.below(8) < density }
}

private func sum(_ counted: SlowSum) -> PallocSum {
  PallocSum(start: counted.start, max: counted.longest, end: counted.end)
}
