// A summary after a change, from the one before it, where that takes less than a look at all words.

extension PallocBits {
  /// The summary after pages were freed.
  ///
  /// A longest run only grows by a free: it is the old one, or the run that the freed pages are now
  /// part of.
  ///
  /// - Parameters:
  ///   - freed: the pages; their bits are zero already.
  ///   - before: the summary before.
  /// - Complexity: O(words in the run around them).
  @inline(__always)
  package func summary(afterFreeing freed: Range<Int>, _ before: PallocSum) -> PallocSum {
    let (low, high) = run(around: freed, before)
    return PallocSum(
      start: low == 0 ? high : before.startBelowRoot,
      max: max(before.maxBelowRoot, high &- low),
      end: high == Geometry.pagesPerChunk ? high &- low : before.endBelowRoot)
  }

  /// The summary after free pages were taken into use.
  ///
  /// - Parameters:
  ///   - taken: the pages; their bits are one already.
  ///   - before: the summary before.
  ///   - free: no more pages than so many were free before.
  /// - Complexity: O(1); 8 words at the most.
  @inline(__always)
  package func summary(
    afterTaking taken: Range<Int>, _ before: PallocSum, free: Int = Geometry.pagesPerChunk
  ) -> PallocSum {
    let (low, high) = run(around: taken, before)
    let now = FreeStretch(start: taken.lowerBound &- low, end: high &- taken.upperBound)
    return before.changed(
      in: low, high, of: Geometry.pagesPerChunk, before: high &- low, now: now,
      room: free &- (high &- low),
      longestOfAll: longestRun(atLeast: now.max, atMost: high &- low))
  }

  /// The summary after all free pages of the lowest word that had any were taken into use.
  ///
  /// - Parameters:
  ///   - word: the word; it and those below are all ones.
  ///   - before: the summary before.
  /// - Complexity: O(1); 8 words at the most.
  @inline(__always)
  package func summary(afterTakingUpTo word: Int, _ before: PallocSum) -> PallocSum {
    // What is left lies above, where no run can be longer, nor longer than before.
    let room = (Geometry.wordsPerChunk &- 1 &- word) &* 64
    let most = min(before.maxBelowRoot, room)
    let end = min(before.endBelowRoot, room)
    return PallocSum(
      start: 0, max: end == most ? end : longestRun(atLeast: end, atMost: most), end: end)
  }

  /// Pages that changed, with the free ones on either side of them.
  @inline(__always)
  private func run(around changed: Range<Int>, _ before: PallocSum) -> (low: Int, high: Int) {
    // Where all is free up to an edge of the chunk, the summary said so.
    let size = Geometry.pagesPerChunk
    return (
      before.startBelowRoot >= changed.lowerBound
        ? 0 : lowEnd(ofFreeRunBelow: changed.lowerBound),
      before.endBelowRoot >= size &- changed.upperBound
        ? size : highEnd(ofFreeRunFrom: changed.upperBound)
    )
  }

  /// The lowest place of the free run that ends right below `place`; `place` where none does.
  @inline(__always)
  private func lowEnd(ofFreeRunBelow place: Int) -> Int {
    var low = place
    while low > 0 {
      // The pages below, moved up to the top of a word: shifts of 0 ... 63.
      let count = ((low &- 1) & 63) &+ 1
      let used =
        bits.word((low &- 1) >> 6) &<< UInt64(truncatingIfNeeded: 64 &- count)
      let free = min(used.leadingZeroBitCount, count)
      low &-= free
      if free < count { break }
    }
    return low
  }

  /// One past the highest place of the free run that starts at `place`; `place` where none does.
  @inline(__always)
  private func highEnd(ofFreeRunFrom place: Int) -> Int {
    var high = place
    while high < Geometry.pagesPerChunk {
      // The pages from here on, moved down to the bottom of a word: a shift of 0 ... 63.
      let used = bits.word(high >> 6) &>> UInt64(truncatingIfNeeded: high & 63)
      let count = 64 &- (high & 63)
      let free = min(used.trailingZeroBitCount, count)
      high &+= free
      if free < count { break }
    }
    return high
  }
}
