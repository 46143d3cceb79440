/// The allocation map of a chunk: a one is a page in use.
package struct PallocBits {
  /// The bits themselves.
  package let bits: PageBits

  /// The map that `bits` shows.
  @inline(__always)
  package init(_ bits: PageBits) { self.bits = bits }

  /// Free pages at the low edge, the longest free run, free pages at the high edge.
  ///
  /// One walk over the words finds the edges and every run that touches an edge of a word. A run
  /// inside a word has at most 62 pages, so the second walk happens only where that could matter.
  ///
  /// - Complexity: O(1); 8 words.
  package func summarize() -> PallocSum {
    var start = -1
    var run = 0  // free pages up to the low edge of the word
    var longest = 0
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
    if start < 0 { return .freeChunk }
    longest = max(longest, run)
    if longest < 62 {
      for index in 0..<Geometry.wordsPerChunk {
        let used = bits.word(index)
        // Free bits with used ones on both sides.
        let inner = ~used & ~lowFree(used) & ~highFree(used)
        if inner != 0 { longest = longestRun(in: inner, atLeast: longest) }
      }
    }
    return PallocSum(start: start, max: longest, end: run)
  }

  /// Looks for free pages in a row.
  ///
  /// - Parameters:
  ///   - pageCount: how many, 1 ... 512.
  ///   - index: the search starts at the 64-page word which holds this place; pages below it are
  ///     in use.
  /// - Returns: the lowest place of such a run and the first free place, or `nil` for no such run.
  /// - Complexity: O(1); 8 words.
  @inline(__always)
  package func find(_ pageCount: Int, from index: Int) -> (first: Int, firstFree: Int)? {
    var run = 0  // free pages up to the low edge of the word
    var firstFree = -1
    for wordIndex in (index >> 6)..<Geometry.wordsPerChunk {
      let used = bits.word(wordIndex)
      let base = wordIndex &* 64
      if used == ~0 {
        run = 0
        continue
      }
      if firstFree < 0 { firstFree = base &+ (~used).trailingZeroBitCount }
      // 64 for a word that is free.
      let low = used.trailingZeroBitCount
      if run &+ low >= pageCount { return (base &- run, firstFree) }
      if used == 0 {
        run &+= 64
        continue
      }
      if pageCount <= 63, let inner = firstRun(of: pageCount, in: ~used) {
        return (base &+ inner, firstFree)
      }
      run = used.leadingZeroBitCount
    }
    return nil
  }

  /// The lowest place, `place` or above, with `pageCount` free pages in a row.
  ///
  /// - Returns: `nil` where there is no such run.
  /// - Complexity: O(1); 8 words.
  package func find(_ pageCount: Int, notBelow place: Int) -> Int? {
    var run = 0
    for index in (place >> 6)..<Geometry.wordsPerChunk {
      var used = bits.word(index)
      // What lies below the place counts as used: a shift of 0 ... 63.
      if index == place >> 6 { used |= ~(~0 &<< UInt64(truncatingIfNeeded: place & 63)) }
      let low = used.trailingZeroBitCount
      if run &+ low >= pageCount { return index &* 64 &- run }
      if used == 0 {
        run &+= 64
        continue
      }
      if pageCount <= 63, let inner = firstRun(of: pageCount, in: ~used) {
        return index &* 64 &+ inner
      }
      run = used.leadingZeroBitCount
    }
    return nil
  }

  /// Ones at the free bits below the lowest used one. All ones where none is used.
  @inline(__always)
  private func lowFree(_ used: UInt64) -> UInt64 { ~used & (used &- 1) }

  /// Ones at the free bits above the highest used one.
  @inline(__always)
  private func highFree(_ used: UInt64) -> UInt64 {
    // A shift by 64, for 0, would wrap to none.
    used == 0 ? ~0 : ~(~0 &>> UInt64(truncatingIfNeeded: used.leadingZeroBitCount))
  }
}
