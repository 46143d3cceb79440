import PageAlloc

/// The bit routines on one word.
package let wordChecks: [Check] = [
  Check("words: a single run is found at its place, and nothing longer") { recorder in
    for count in 1...64 {
      for place in 0...(64 - count) {
        let word = mask(from: place, count: count)
        recorder.expectEqual(
          word, slowMask(place, count), "mask(from: \(place), count: \(count))")
        recorder.expectEqual(
          firstRun(of: count, in: word) ?? -1, place, "run of \(count) at \(place)")
        if count < 64 {
          recorder.expect(
            firstRun(of: count + 1, in: word) == nil, "run of \(count + 1) where \(count) are")
        }
      }
    }
  },
  Check("words: firstRun agrees with the slow search") { recorder in
    forEachWord(seed: 1) { word in
      let bits = slowBits(word)
      for count in 1...64 {
        recorder.expectEqual(
          firstRun(of: count, in: word) ?? -1,
          slowFirstRun(bits, of: true, count: count) ?? -1, "\(count) in \(hex(word))")
      }
      return recorder.isGood
    }
  },
  Check("words: fillAligned agrees with the slow fill for every group size") { recorder in
    forEachWord(seed: 3) { word in
      var size = 1
      while size <= 64 {
        recorder.expectEqual(
          fillAligned(word, size), slowFill(word, size), "groups of \(size) in \(hex(word))")
        size *= 2
      }
      return recorder.isGood
    }
  },
]

/// Calls a body with words at the edges and random ones of several densities, while it says so.
private func forEachWord(seed: UInt64, _ body: (UInt64) -> Bool) {
  let edges: [UInt64] = [
    0, 1, 2, 3, 1 << 63, 3 << 62, ~0, ~1, ~0 >> 1, 0x8000_0000_0000_0001,
    0x5555_5555_5555_5555, 0xaaaa_aaaa_aaaa_aaaa, 0x0000_0000_ffff_ffff, 0xffff_ffff_0000_0000,
    0x0000_ffff_ffff_0000, 0x7fff_ffff_7fff_ffff, 0x0101_0101_0101_0101, 0x8080_8080_8080_8080,
  ]
  for word in edges where !body(word) { return }
  for bit in 0..<64 {
    if !body(1 << UInt64(bit)) || !body(~(1 << UInt64(bit))) { return }
  }
  var random = SplitMix64(seed: seed)
  for _ in 0..<160 where !body(slowWord(random.bits(64), 0)) { return }
}

private func slowMask(_ first: Int, _ count: Int) -> UInt64 {
  var word: UInt64 = 0
  for bit in first..<(first + count) { word |= 1 << UInt64(bit) }
  return word
}

private func slowFill(_ word: UInt64, _ size: Int) -> UInt64 {
  let bits = slowBits(word)
  var filled = bits
  for bit in 0..<64 {
    let group = bit / size * size
    filled[bit] = slowCount(bits, of: true, in: group..<(group + size)) > 0
  }
  return slowWord(filled, 0)
}

/// A word in hexadecimal digits.
func hex(_ word: UInt64) -> String { String(word, radix: 16) }
