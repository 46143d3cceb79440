extension PageAllocator {
  /// Takes the lowest `pageCount` free pages in a row.
  ///
  /// - Parameter pageCount: at least 1.
  /// - Returns: the first page, and how many of them were scavenged and so read as zero; `nil`
  ///   where there is no such run.
  /// - Complexity: O(1) in the heap; O(`pageCount` / 512).
  package mutating func allocate(
    _ pageCount: Int
  ) -> (page: PageNumber, scavengedPages: Int)? {
    guard let place = place(pageCount) else { return nil }
    return (place.page, allocate(at: place, pageCount))
  }

  /// Takes a run where ``place(_:)`` said.
  ///
  /// - Returns: how many of its pages were scavenged.
  @inline(__always)
  package mutating func allocate(
    at place: (page: PageNumber, candidate: PageNumber), _ pageCount: Int
  ) -> Int {
    let scavengedPages = allocateRange(place.page, pageCount)
    if place.candidate > searchPage { searchPage = place.candidate }
    return scavengedPages
  }

  /// Decides where a run goes, and where the next search may start once it is taken.
  ///
  /// - Postcondition: where one page is refused, the search address says that nothing is free.
  @inline(__always)
  package mutating func place(_ pageCount: Int) -> (page: PageNumber, candidate: PageNumber)? {
    if let found = look(for: pageCount) { return found }
    if pageCount == 1 { searchPage = Geometry.pageCount }
    return nil
  }

  /// Only looks, into the chunk of the search address first, then at the tree: where a run would
  /// go, and where the next search may start once it is taken.
  @inline(__always)
  mutating func look(for pageCount: Int) -> (page: PageNumber, candidate: PageNumber)? {
    if searchPage == Geometry.pageCount { return nil }
    let chunk = Geometry.chunk(of: searchPage)
    let place = Geometry.place(of: searchPage)
    if Geometry.pagesPerChunk &- place >= pageCount, summaries.leaf(chunk).max >= pageCount {
      guard let found = chunks.data(chunk).allocated.find(pageCount, from: place) else {
        corrupted(
          "a summary promises a run that its chunk does not have", Geometry.firstPage(of: chunk))
      }
      let base = Geometry.firstPage(of: chunk)
      return (base &+ found.first, base &+ found.firstFree)
    }
    // What the root refuses needs no way down the tree.
    return pageCount <= summaries.longestRun ? find(pageCount) : nil
  }

  /// Only looks: where a run would go, and the candidate for the search address.
  ///
  /// Mutating all the same: to a method that is not, one that is hands a copy of the whole
  /// allocator.
  ///
  /// - Returns: `nil` where there is no such run.
  /// - Complexity: O(1).
  package mutating func find(_ pageCount: Int) -> (page: PageNumber, candidate: PageNumber)? {
    var firstFree = SummaryTree.FirstFreePage()
    switch summaries.find(pageCount, from: searchPage, firstFree: &firstFree) {
    case .none:
      return nil
    case .page(let page):
      return (page, firstGrownPage(atLeast: firstFree.low))
    case .chunk(let chunk):
      guard let found = chunks.data(chunk).allocated.find(pageCount, from: 0) else {
        corrupted(
          "a summary promises a run that its chunk does not have", Geometry.firstPage(of: chunk))
      }
      let base = Geometry.firstPage(of: chunk)
      // A page that is free was grown.
      let candidate =
        firstFree.isOnTheWay
        ? base &+ found.firstFree : firstGrownPage(atLeast: firstFree.low)
      return (base &+ found.first, candidate)
    }
  }

  /// The page itself where it was grown, else the start of the next range that was.
  @inline(__always)
  private func firstGrownPage(atLeast page: PageNumber) -> PageNumber {
    // A grown chunk has a record in the tree's leaf only while it is not full, so ask the ranges.
    guard let grown = ranges.lowest(atLeast: UInt32(truncatingIfNeeded: page)) else {
      return Geometry.pageCount
    }
    return Int(grown)
  }

  /// Takes exactly this range. Leaves the search address alone.
  ///
  /// - Precondition: all its pages are grown and free.
  /// - Returns: how many of them were scavenged.
  /// - Complexity: O(`pageCount` / 512).
  @inline(__always)
  package mutating func allocateRange(_ page: PageNumber, _ pageCount: Int) -> Int {
    let chunk = Geometry.chunk(of: page)
    let place = Geometry.place(of: page)
    if place &+ pageCount <= Geometry.pagesPerChunk {
      let data = chunks.data(chunk)
      let places = place..<(place &+ pageCount)
      let scavengedPages = data.allocate(places)
      // No fewer than there are: pages on their way to the kernel count, too.
      let free = Geometry.pagesPerChunk &- scavengeIndex.record(chunk).inUse
      noteAllocated(chunk: chunk, pageCount: pageCount)
      summaries.update(
        leaf: chunk,
        data.allocated.summary(afterTaking: places, summaries.leaf(chunk), free: free))
      return scavengedPages
    }
    return allocateLongRange(page, pageCount)
  }

  @inline(never)
  private mutating func allocateLongRange(_ page: PageNumber, _ pageCount: Int) -> Int {
    let end = page &+ pageCount
    var position = page
    var scavengedPages = 0
    while position < end {
      let chunk = Geometry.chunk(of: position)
      let base = Geometry.firstPage(of: chunk)
      let stop = min(end, base &+ Geometry.pagesPerChunk)
      let data = chunks.data(chunk)
      scavengedPages &+=
        stop &- position == Geometry.pagesPerChunk
        ? data.allocateAll() : data.allocate((position &- base)..<(stop &- base))
      noteAllocated(chunk: chunk, pageCount: stop &- position)
      position = stop
    }
    update(page, pageCount, areInnerFree: false)
    return scavengedPages
  }
}
