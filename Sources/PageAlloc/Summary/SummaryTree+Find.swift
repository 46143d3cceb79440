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

  /// The smallest region of the space that is known to hold the first free page.
  ///
  /// A search narrows it as it goes down; its low end is where the next search may start.
  package struct FirstFreeWindow {
    package private(set) var low: PageNumber = 0
    package private(set) var high: PageNumber = Geometry.pageCount

    /// A window of the whole space.
    package init() {}

    /// Some page of a region is free: the region takes the window's place if it lies inside.
    @inline(__always)
    package mutating func narrow(to region: Range<PageNumber>) {
      if low <= region.lowerBound, region.upperBound <= high {
        low = region.lowerBound
        high = region.upperBound
      }
    }
  }

  /// The lowest place with `pageCount` free pages in a row, down to the chunk.
  ///
  /// - Parameters:
  ///   - pageCount: at least 1.
  ///   - searchPage: all pages below it are in use.
  ///   - window: narrowed to what the search learned of the first free page.
  /// - Complexity: O(1); at most 2 + 3 × 8 entries.
  @inline(__always)
  package func find(
    _ pageCount: Int, from searchPage: PageNumber, window: inout FirstFreeWindow
  ) -> Finding {
    // "Nothing free is known" starts at the last page.
    let start = min(searchPage, Geometry.pageCount &- 1)
    var level = 0
    var base = 0  // where the level starts among all entries
    var block = 0
    while true {
      let logPages = Geometry.levelLogPages(level)
      let size = 1 &<< logPages
      let entriesPerBlock = 1 &<< Geometry.levelBits(level)
      let startIndex = start &>> logPages
      let end = block &+ entriesPerBlock
      var index = startIndex & (0 &- entriesPerBlock) == block ? startIndex : block

      // The first with free pages; those after it lie outside the window, whatever they say.
      while self[base &+ index].packed == 0 {
        index &+= 1
        if index == end { return .none }
      }
      let page = index &<< logPages
      window.narrow(to: page..<(page &+ size))

      var run = 0  // free pages up to the low edge of the entry
      while true {
        let sum = self[base &+ index]
        let low = sum.start
        if run &+ low >= pageCount { return .page((index &<< logPages) &- run) }
        // A run that reaches the block's end is in what the last entry says.
        if sum.max >= pageCount { break }
        run = low == size ? run &+ size : sum.end
        index &+= 1
        if index == end { return .none }
      }
      if level == Geometry.leafLevel { return .chunk(index) }
      block = index &<< Geometry.childrenLog
      base = Geometry.firstChild(of: base)
      level &+= 1
    }
  }
}
