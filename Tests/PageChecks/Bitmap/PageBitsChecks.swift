import PageAlloc

/// The view of a chunk's 512 bits.
package let pageBitsChecks: [Check] = [
  Check("page bits: ranges at the edges of words, on drawn chunks") { recorder in
    let edges = [0, 1, 62, 63, 64, 65, 127, 128, 129, 320, 447, 448, 449, 511, 512]
    for picture in [0, 1, 8, 18, 22, 28] {
      let bits = HeapPicture(chunkPictures[picture]).used
      recorder.context = chunkPictures[picture].description
      for low in edges {
        for high in edges where high >= low { check(bits, low..<high, &recorder) }
      }
    }
  },
  Check("page bits: random ranges on random bits") { recorder in
    for seed in 0..<200 {
      var random = SplitMix64(seed: UInt64(seed))
      recorder.context = "seed \(seed)"
      check(random.bits(512), random.range(512), &recorder)
    }
  },
  Check("page bits: each bit lies where the picture says") { recorder in
    for place in 0..<512 {
      var bits = [Bool](repeating: false, count: 512)
      bits[place] = true
      withBits(bits) { view in
        recorder.expect(view.contains(place), "bit \(place) is one")
        recorder.expectEqual(view.word(place / 64), 1 << UInt64(place % 64), "word of \(place)")
        recorder.expectEqual(view.count(in: 0..<512), 1, "one bit at \(place)")
      }
    }
  },
]

/// Each routine on one range, against the array.
private func check(_ bits: [Bool], _ range: Range<Int>, _ recorder: inout Recorder) {
  let ones = slowCount(bits, of: true, in: range)
  withBits(bits) { view in
    recorder.expectEqual(view.count(in: range), ones, "count in \(text(range))")
    if range.lowerBound < 512 {
      recorder.expect(
        view.firstOne(in: range) == range.first { bits[$0] }, "first one in \(text(range))")
    }
    recorder.expect(
      view.isAllOnes(in: range) == (ones == range.count), "isAllOnes in \(text(range))")
    recorder.expect(view.isAllZeros(in: range) == (ones == 0), "isAllZeros in \(text(range))")
    recorder.expectEqual(firstDifference(view, bits), -1, "asking changes nothing")
  }
  var changed = bits
  for place in range { changed[place] = true }
  withBits(bits) { view in
    view.insert(range)
    recorder.expectEqual(firstDifference(view, changed), -1, "insert \(text(range))")
  }
  for place in range { changed[place] = false }
  withBits(bits) { view in
    view.remove(range)
    recorder.expectEqual(firstDifference(view, changed), -1, "remove \(text(range))")
  }
}

/// The first place where a view is not what an array says; -1 where it is.
func firstDifference(_ view: PageBits, _ bits: [Bool]) -> Int {
  for index in 0..<Geometry.wordsPerChunk where view.word(index) != slowWord(bits, index) {
    let difference = view.word(index) ^ slowWord(bits, index)
    return index * 64 + difference.trailingZeroBitCount
  }
  return -1
}

/// A range as text.
func text(_ range: Range<Int>) -> String { "\(range.lowerBound)..<\(range.upperBound)" }
