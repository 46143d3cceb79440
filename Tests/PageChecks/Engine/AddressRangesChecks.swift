import PageAlloc

/// The list of what was grown.
package let addressRangesChecks: [Check] = [
  Check("ranges: what is added joins below, above, on both sides, or not") { recorder in
    withRanges(8) { ranges in
      ranges.add(10..<20)
      ranges.add(30..<40)
      recorder.expectEqual(ranges.count, 2, "two apart")
      ranges.add(20..<22)
      recorder.expect(ranges[0] == 10..<22, "joined below")
      ranges.add(28..<30)
      recorder.expect(ranges[1] == 28..<40, "joined above")
      ranges.add(22..<28)
      recorder.expectEqual(ranges.count, 1, "joined on both sides")
      recorder.expect(ranges[0] == 10..<40, "one range")
      ranges.add(0..<5)
      recorder.expect(ranges[0] == 0..<5 && ranges[1] == 10..<40, "in front")
      recorder.expectEqual(ranges.total, 35, "total")
    }
  },
  Check("ranges: random changes agree with one Bool a place") { recorder in
    for seed in 0..<15 {
      recorder.context = "seed \(seed)"
      var random = SplitMix64(seed: UInt64(seed))
      // Bounds of 8 bits, up to the last: nothing may wrap.
      withRanges(128) { ranges in
        var covered = [Bool](repeating: false, count: 255)
        for step in 0..<40 {
          change(&ranges, &covered, &random, "step \(step)", &recorder)
          compare(ranges, covered, "step \(step)", &recorder)
          if !recorder.isGood { return }
        }
      }
    }
  },
]

private func withRanges(_ capacity: Int, _ body: (inout AddressRanges<UInt8>) -> Void) {
  let storage = UnsafeMutableBufferPointer<Range<UInt8>>.allocate(capacity: capacity)
  // The list does not outlive the body; its elements need no deinitialisation.
  defer { unsafe storage.deallocate() }
  var ranges = unsafe AddressRanges(storage: storage)
  body(&ranges)
}

private func change(
  _ ranges: inout AddressRanges<UInt8>, _ covered: inout [Bool], _ random: inout SplitMix64,
  _ step: String, _ recorder: inout Recorder
) {
  switch random.below(10) {
  case 0:
    let bound = random.below(256)
    ranges.removeAll(from: UInt8(bound))
    for place in bound..<max(bound, 255) { covered[place] = false }
  case 1:
    let size = 1 + random.below(40)
    let cut = ranges.removeLast(UInt8(size))
    var high = 255
    while high > 0, !covered[high - 1] { high -= 1 }
    if high == 0 {
      recorder.expect(cut == nil, "\(step): nothing to cut")
      return
    }
    var low = high
    while low > 0, covered[low - 1], high - low < size { low -= 1 }
    for place in low..<high { covered[place] = false }
    recorder.expect(cut == UInt8(low)..<UInt8(high), "\(step): cut of \(size)")
  default:
    let first = random.below(255)
    let range = first..<min(255, first + random.logarithmic(5))
    if slowCount(covered, of: true, in: range) > 0 { return }
    ranges.add(UInt8(range.lowerBound)..<UInt8(range.upperBound))
    for place in range { covered[place] = true }
  }
}

private func compare(
  _ ranges: AddressRanges<UInt8>, _ covered: [Bool], _ step: String, _ recorder: inout Recorder
) {
  var expected: [Range<Int>] = []
  var place = 0
  while place < 255 {
    let first = place
    while place < 255, covered[place] { place += 1 }
    if place > first { expected.append(first..<place) } else { place += 1 }
  }
  recorder.expectEqual(ranges.count, expected.count, "\(step): count")
  recorder.expectEqual(
    Int(ranges.total), slowCount(covered, of: true, in: 0..<255), "\(step): total")
  if !recorder.isGood { return }
  for index in 0..<expected.count {
    recorder.expectEqual(
      Int(ranges[index].lowerBound), expected[index].lowerBound, "\(step): start of \(index)")
    recorder.expectEqual(
      Int(ranges[index].upperBound), expected[index].upperBound, "\(step): end of \(index)")
  }
  for bound in 0..<255 {
    var successor = 0
    while successor < expected.count, expected[successor].lowerBound <= bound { successor += 1 }
    recorder.expectEqual(
      ranges.indexOfSuccessor(UInt8(bound)), successor, "\(step): successor of \(bound)")
    recorder.expect(
      ranges.contains(UInt8(bound)) == covered[bound], "\(step): contains \(bound)")
    let lowest = slowFirstRun(covered, of: true, count: 1, from: bound)
    recorder.expectEqual(
      ranges.lowest(atLeast: UInt8(bound)).map { Int($0) } ?? -1, lowest ?? -1,
      "\(step): lowest at least \(bound)")
  }
}
