/// The allocation map of a chunk: a one is a page in use.
package struct PallocBits {
  /// The bits themselves.
  package let bits: PageBits

  /// The map that `bits` shows.
  @inline(__always)
  package init(_ bits: PageBits) { self.bits = bits }

  /// The first word with a free page, from word `index` on; `nil` where there is none.
  ///
  /// - Complexity: O(1); 8 words.
  @inline(__always)
  package func firstWordWithFreePage(from index: Int) -> Int? {
    var index = index
    while index < Geometry.wordsPerChunk {
      if bits.word(index) != ~0 { return index }
      index &+= 1
    }
    return nil
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
}
