extension ArenaCore {
  /// Takes a run by way of a cache: one at hand, or what a refill brings.
  ///
  /// - Parameters:
  ///   - alignment: in bytes, one that there is.
  ///   - wasAsked: the cache was asked before.
  /// - Returns: `nil` where the request is for the allocator itself.
  func refillAndTake(
    _ pages: Int, _ alignment: Int, _ cache: CacheReference, wasAsked: Bool
  ) -> CachedRun? {
    // The cache was not in the slot used last. It lives as long as the arena.
    if !wasAsked, let run = cache.allocate(pages, alignment: alignment, as: .raw) {
      return run
    }
    // A block is taken for small runs that may lie anywhere.
    if pages > Heap.longestRefilled || alignment > Geometry.pageSize { return nil }
    let limit = cacheLimit
    lookAhead(pages)
    let (run, scavenged) = withHeap { heap in
      let taken = heap.take(pages, into: cache, limit: limit)
      makeReady(taken.scavengedPages)
      return taken
    }
    noteUsed(scavenged, draining: cache)
    lookIfLate(untouched: scavenged)
    if let run { countTaken(run.page, pages, by: cache) }
    return run
  }
}
