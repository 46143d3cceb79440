extension SummaryTree {
  /// Where a search of the tree ended.
  package enum Finding {
    /// No run is long enough.
    case none
    /// The run starts at this page; it crosses an edge of the tree's.
    case page(PageNumber)
    /// The run lies inside this chunk: its bitmap says where.
    case chunk(ChunkIndex)
  }

  /// What a search on its way down learns of the first free page: where the next search may start.
  package struct FirstFreePage {
    /// All pages below are in use or not grown.
    package fileprivate(set) var low: PageNumber = 0
    /// Whether the way led to the entry with the first free page on every level.
    package fileprivate(set) var isOnTheWay = true

    /// Nothing is known.
    package init() {}
  }

  /// The lowest place with `pageCount` free pages in a row, down to the chunk.
  ///
  /// - Parameters:
  ///   - pageCount: at least 1.
  ///   - searchPage: all pages below it are in use.
  ///   - firstFree: what the search learned of the first free page.
  /// - Complexity: O(1); at most 2 + 3 × 8 entries.
  @inline(__always)
  package func find(
    _ pageCount: Int, from searchPage: PageNumber, firstFree: inout FirstFreePage
  ) -> Finding {
    // "Nothing free is known" starts at the last page.
    let start = min(searchPage, Geometry.pageCount &- 1)
    var logPages = Geometry.levelLogPages(0)
    var base = 0  // where the level starts among all entries
    var found = look(
      for: pageCount, from: start, base: 0, block: 0, count: Geometry.entryCount(0),
      logPages: logPages, isRoot: true, &firstFree)
    while logPages > Geometry.chunkPagesLog, case .chunk(let index) = found {
      logPages &-= Geometry.childrenLog
      base = Geometry.firstChild(of: base)
      found = look(
        for: pageCount, from: start, base: base, block: index &<< Geometry.childrenLog,
        count: 1 &<< Geometry.childrenLog, logPages: logPages, isRoot: false, &firstFree)
    }
    return found
  }

  /// The same among the entries of a block; `.chunk` is the one of them to go down into.
  @inline(__always)
  private func look(
    for pageCount: Int, from start: PageNumber, base: Int, block: Int, count: Int, logPages: Int,
    isRoot: Bool, _ firstFree: inout FirstFreePage
  ) -> Finding {
    let size = 1 &<< logPages
    let startIndex = start &>> logPages
    let end = block &+ count
    var index = startIndex & (0 &- count) == block ? startIndex : block

    // The first with free pages.
    var sum = self[base &+ index]
    while sum.packed == 0 {
      index &+= 1
      if index == end { return .none }
      sum = self[base &+ index]
    }
    let first = index
    if firstFree.isOnTheWay { firstFree.low = first &<< logPages }

    var run = 0  // free pages up to the low edge of the entry
    while true {
      let low = isRoot ? sum.start : sum.startBelowRoot
      if run &+ low >= pageCount { return .page((index &<< logPages) &- run) }
      // A run that reaches the block's end is in what the last entry says.
      if (isRoot ? sum.max : sum.maxBelowRoot) >= pageCount { break }
      run = low == size ? run &+ size : isRoot ? sum.end : sum.endBelowRoot
      index &+= 1
      if index == end { return .none }
      sum = self[base &+ index]
    }
    // From an entry above the first one on, nothing more is learned of that one.
    if index != first { firstFree.isOnTheWay = false }
    return .chunk(index)
  }
}
