// The summary of a chunk, from all its words
// ==========================================
//
// Most chunks are fragmented: no half of a word, 32 pages, is free as a whole. Then the edges of
// the chunk lie in its first and last word, a run lies in one word or in two, and all words are
// searched side by side.
//
//   word i             word i + 1
//   #..##.#.....##..|..##.....###...        inside: all words at once
//                 ^^^^                      across: a word's high zeros and the next one's low ones
//
// In any other chunk a run can go on over many words; they are walked one by one. There the longest
// run is 32 pages or more, so that a longer one inside a word covers the middle of the word.

extension PallocBits {
  /// Free pages at the low edge, the longest free run, free pages at the high edge.
  ///
  /// - Complexity: O(1); 8 words.
  package func summarize() -> PallocSum { summary(least: 0, most: Geometry.pagesPerChunk) }

  /// The longest free run, where it is known to have `least` ... `most` pages.
  ///
  /// - Complexity: O(1); 8 words.
  @inline(never)
  package func longestRun(atLeast least: Int, atMost most: Int) -> Int {
    summary(least: least, most: most).maxBelowRoot
  }

  /// The summary of a map whose longest free run is known to have `least` ... `most` pages.
  @inline(__always)
  private func summary(least: Int, most: Int) -> PallocSum {
    let used = bits.lanes
    if !used.hasOnes { return .freeChunk }
    if used.hasEmptyHalf { return summaryOfLongRuns(least: least, most: most) }

    // Both below 32.
    let start = bits.word(0).trailingZeroBitCount
    let end = bits.word(Geometry.wordsPerChunk &- 1).leadingZeroBitCount
    var longest = max(least, start, end)
    if longest < most {
      longest = (~used).longestRun(atLeast: longest)
      for index in 1..<Geometry.wordsPerChunk {
        // Low zeros of a word are a run inside it: no more than `longest`, and that is below 63. So
        // this is a shift of 1 ... 63, which leaves nothing where the two make a longer run.
        let low = bits.word(index).trailingZeroBitCount
        let rest =
          bits.word(index &- 1) &>> UInt64(truncatingIfNeeded: 63 &- longest &+ low)
        if rest == 0 {
          longest = longestRunAcross(atLeast: longest)
          break
        }
      }
    }
    return PallocSum(start: start, max: longest, end: end)
  }

  /// The longest free run that lies in two neighbouring words, or `floor` where none is longer.
  ///
  /// - Precondition: no word is all free.
  @inline(never)
  private func longestRunAcross(atLeast floor: Int) -> Int {
    var longest = floor
    for index in 1..<Geometry.wordsPerChunk {
      let run =
        bits.word(index &- 1).leadingZeroBitCount &+ bits.word(index).trailingZeroBitCount
      longest = max(longest, run)
    }
    return longest
  }

  /// The summary of a map with a page in use and with half a word, or more, that is free.
  @inline(never)
  private func summaryOfLongRuns(least: Int, most: Int) -> PallocSum {
    var start = -1
    var run = 0  // free pages up to the low edge of the word
    var longest = least
    for index in 0..<Geometry.wordsPerChunk {
      let used = bits.word(index)
      if used == 0 {
        run &+= 64
        continue
      }
      run &+= used.trailingZeroBitCount
      if start < 0 { start = run }
      longest = max(longest, run)
      run = used.leadingZeroBitCount
    }
    longest = max(longest, run)
    // Inside a word there is a used page on either side.
    if longest < min(62, most) { longest = longestRunAroundMiddle(atLeast: longest) }
    return PallocSum(start: start, max: longest, end: run)
  }

  /// The longest free run inside a word, or `floor` where none is longer.
  ///
  /// - Precondition: `floor` is in 32 ... 61; no word is all free.
  @inline(__always)
  private func longestRunAroundMiddle(atLeast floor: Int) -> Int {
    // What any longer run covers: places 63 - floor ... floor.
    let margin = UInt64(truncatingIfNeeded: 63 &- floor)
    let middle = ~0 &<< margin & ~0 &>> margin
    var longest = floor
    for index in 0..<Geometry.wordsPerChunk {
      let used = bits.word(index)
      if used & middle == 0 {
        // A used page in either half: one half free as a whole would be an edge's run, and its end
        // in the middle.
        longest = max(
          longest, (used &>> 32).trailingZeroBitCount &+ (used &<< 32).leadingZeroBitCount)
      }
    }
    return longest
  }
}
