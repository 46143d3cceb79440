extension PageAllocator {
  /// Takes the whole 64-page block that holds the lowest free page.
  ///
  /// - Returns: a cache of its free pages; an empty one where no page is free.
  /// - Complexity: O(1).
  package mutating func allocateBlock() -> PageBlock {
    if searchPage == Geometry.pageCount { return PageBlock() }
    var chunk = Geometry.chunk(of: searchPage)
    var word = Geometry.place(of: searchPage) >> 6
    if summaries.leaf(chunk).packed != 0 {
      guard let found = chunks.data(chunk).allocated.firstWordWithFreePage(from: word) else {
        corrupted(
          "a summary promises a free page that its chunk does not have",
          Geometry.firstPage(of: chunk))
      }
      word = found
    } else {
      guard let found = find(1) else {
        searchPage = Geometry.pageCount
        return PageBlock()
      }
      chunk = Geometry.chunk(of: found.page)
      word = Geometry.place(of: found.page) >> 6
    }

    let cache = takeBlock(chunk: chunk, word: word)
    let allocated = chunks.data(chunk).allocated
    // Below the lowest free page all are in use.
    summaries.update(
      leaf: chunk, allocated.summary(afterTakingUpTo: word, summaries.leaf(chunk)))
    searchPage = cache.base &+ Geometry.pagesPerCache &- 1
    return cache
  }

  /// Takes the whole 64-page block in which a run starts that ``place(_:)`` found.
  ///
  /// - Returns: a cache of its free pages, those of the run among them as far as they lie there.
  /// - Complexity: O(1).
  package mutating func allocateBlock(
    at place: (page: PageNumber, candidate: PageNumber)
  ) -> PageBlock {
    let chunk = Geometry.chunk(of: place.page)
    let cache = takeBlock(chunk: chunk, word: Geometry.place(of: place.page) >> 6)
    summaries.update(leaf: chunk, chunks.data(chunk).allocated.summarize())
    // What is free first may have lain in the block, of which nothing is.
    let candidate =
      place.candidate >= cache.base ? cache.base &+ Geometry.pagesPerCache &- 1 : place.candidate
    if candidate > searchPage { searchPage = candidate }
    return cache
  }

  /// Takes all free pages of a word of a chunk's; the summaries are the caller's to bring up to
  /// date.
  @inline(__always)
  private mutating func takeBlock(chunk: ChunkIndex, word: Int) -> PageBlock {
    let data = chunks.data(chunk)
    let free = ~data.allocated.bits.word(word)
    let scavenged = data.scavenged.word(word)
    data.allocated.bits.setWord(word, ~0)
    data.scavenged.setWord(word, scavenged & ~free)
    noteAllocated(chunk: chunk, pageCount: free.nonzeroBitCount)
    return PageBlock(
      base: Geometry.firstPage(of: chunk) &+ word &* Geometry.pagesPerCache,
      free: free, scavenged: scavenged)
  }

  /// Gives back what is left in a cache, and leaves it empty.
  ///
  /// - Complexity: O(1).
  package mutating func flush(_ cache: inout PageBlock) {
    if cache.isEmpty {
      cache = PageBlock()
      return
    }
    let chunk = Geometry.chunk(of: cache.base)
    let word = Geometry.place(of: cache.base) >> 6
    let data = chunks.data(chunk)
    data.allocated.bits.setWord(word, data.allocated.bits.word(word) & ~cache.free)
    data.scavenged.setWord(word, data.scavenged.word(word) | cache.scavenged)
    let highest = 63 &- cache.free.leadingZeroBitCount
    noteFreed(
      chunk: chunk, last: word &* 64 &+ highest, pageCount: cache.free.nonzeroBitCount)
    lowerSearchPage(to: cache.base)
    summaries.update(leaf: chunk, data.allocated.summarize())
    cache = PageBlock()
  }
}
