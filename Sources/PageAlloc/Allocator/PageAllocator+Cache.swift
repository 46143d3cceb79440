extension PageAllocator {
  /// Takes the whole 64-page block that holds the lowest free page.
  ///
  /// - Returns: a cache of its free pages; an empty one where no page is free.
  /// - Complexity: O(1).
  package mutating func allocateCache() -> PageCache {
    if searchPage == Geometry.pageCount { return PageCache() }
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
        return PageCache()
      }
      chunk = Geometry.chunk(of: found.page)
      word = Geometry.place(of: found.page) >> 6
    }

    let data = chunks.data(chunk)
    let free = ~data.allocated.bits.word(word)
    let scavenged = data.scavenged.word(word)
    let cache = PageCache(
      base: Geometry.firstPage(of: chunk) &+ word &* Geometry.pagesPerCache,
      free: free, scavenged: scavenged)
    data.allocated.bits.setWord(word, ~0)
    data.scavenged.setWord(word, scavenged & ~free)
    noteAllocated(chunk: chunk, pageCount: free.nonzeroBitCount)
    // Below the lowest free page all are in use.
    summaries.update(
      leaf: chunk, data.allocated.summary(afterTakingUpTo: word, summaries.leaf(chunk)))
    searchPage = cache.base &+ Geometry.pagesPerCache &- 1
    return cache
  }

  /// Gives back what is left in a cache, and leaves it empty.
  ///
  /// - Complexity: O(1).
  package mutating func flush(_ cache: inout PageCache) {
    if cache.isEmpty {
      cache = PageCache()
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
    cache = PageCache()
  }
}
