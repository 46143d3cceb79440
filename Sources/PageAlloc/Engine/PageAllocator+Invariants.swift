extension PageAllocator {
  /// Looks whether the tables contradict each other or the bitmaps.
  ///
  /// While pages are detached, their chunk's scavenge record counts fewer pages than are in use;
  /// call it when none are.
  /// - Returns: the name of the first invariant that does not hold; `nil` where all hold.
  /// - Complexity: O(heap), bit by bit.
  package func brokenInvariant() -> StaticString? {
    if let broken = brokenRange() { return broken }
    for chunk in 0..<Geometry.chunkCount {
      let broken = isGrown(chunk) ? brokenChunk(chunk) : brokenGap(chunk)
      if let broken { return broken }
    }
    if let broken = brokenInnerEntry() { return broken }
    return brokenSearchPage()
  }

  /// Ranges are sorted, apart from each other, and made of whole chunks that may be grown.
  private func brokenRange() -> StaticString? {
    var total: UInt32 = 0
    for index in 0..<ranges.count {
      let range = ranges[index]
      let low = Int(range.lowerBound)
      let high = Int(range.upperBound)
      if range.isEmpty { return "a range covers something" }
      if Geometry.place(of: low) != 0 || Geometry.place(of: high) != 0 {
        return "ranges are made of whole chunks"
      }
      if low < Geometry.firstPage(of: Geometry.growableChunks.lowerBound)
        || high > Geometry.firstPage(of: Geometry.growableChunks.upperBound)
      {
        return "ranges lie among the chunks that may be grown"
      }
      if index > 0, ranges[index - 1].upperBound >= range.lowerBound {
        return "ranges are sorted and do not touch"
      }
      total += range.upperBound - range.lowerBound
    }
    if total != ranges.total { return "the total is the sum of the ranges" }
    if ranges.count == 0 {
      return startChunk == 0 && endChunk == 0 ? nil : "nothing was grown, and the ends are 0"
    }
    if Geometry.firstPage(of: startChunk) != Int(ranges[0].lowerBound) {
      return "the start is the lowest chunk that was grown"
    }
    if Geometry.firstPage(of: endChunk) != Int(ranges[ranges.count - 1].upperBound) {
      return "the end is one past the highest chunk that was grown"
    }
    return scavengeIndex.lowestChunk == startChunk
      ? nil : "the scavenge index knows the lowest chunk that was grown"
  }

  /// The summary and the scavenge record of a grown chunk say what its bits say.
  private func brokenChunk(_ chunk: ChunkIndex) -> StaticString? {
    let used = chunks.data(chunk).allocated.bits
    var start = 0
    var longest = 0
    var run = 0
    var inUse = 0
    for place in 0..<Geometry.pagesPerChunk {
      if used.contains(place) {
        inUse += 1
        run = 0
      } else {
        run += 1
        longest = max(longest, run)
        if inUse == 0 { start = run }
      }
    }
    if summaries.leaf(chunk) != PallocSum(start: start, max: longest, end: run) {
      return "a leaf summarises its chunk"
    }
    let record = scavengeIndex.record(chunk)
    if record.inUse != inUse { return "a scavenge record counts the pages in use" }
    if record.inUse == Geometry.pagesPerChunk, record.hasFree {
      return "a chunk that is all in use has nothing to give back"
    }
    return nil
  }

  /// Nothing is known of a chunk that was never grown.
  private func brokenGap(_ chunk: ChunkIndex) -> StaticString? {
    if summaries.leaf(chunk) != .none { return "a leaf without a chunk is zero" }
    if scavengeIndex.record(chunk).packed != 0 { return "a record without a chunk is zero" }
    return nil
  }

  /// Every inner entry is the merge of its children, and what is not zero lies below the length.
  private func brokenInnerEntry() -> StaticString? {
    for level in 0..<Geometry.summaryLevels {
      for index in 0..<Geometry.entryCount(level) {
        let sum = summaries.entry(level: level, index: index)
        if sum != .none, index >= summaries.length(level: level) {
          return "entries beyond the length of a level are zero"
        }
        if level < Geometry.leafLevel,
          sum != summaries.mergeOfChildren(level: level, index: index)
        {
          return "an inner entry is the merge of its children"
        }
      }
    }
    return nil
  }

  /// All pages below the search address are in use.
  private func brokenSearchPage() -> StaticString? {
    if searchPage < 0 || searchPage > Geometry.pageCount { return "the search address is a page" }
    for index in 0..<ranges.count {
      for page in ranges[index] where page < searchPage {
        let place = Geometry.place(of: Int(page))
        if !chunks.data(Geometry.chunk(of: Int(page))).allocated.bits.contains(place) {
          return "all pages below the search address are in use"
        }
      }
    }
    return nil
  }
}
