// Between the caches and the allocator: a cache is refilled with the free runs of the 64-page block
// where the lowest run starts that is long enough, so that pages used before are used again first;
// it is relieved of many runs at once.

extension Heap {
  /// The largest request that a block of 64 pages is taken for.
  package static var longestRefilled: Int { Magazine.longestRun }

  /// Takes a run for the owner of a cache: one that others passed on, or what a refill brings.
  ///
  /// - Parameters:
  ///   - pages: 1 ... 16.
  ///   - cache: the caller's own, who is outside of it.
  ///   - limit: pages that the cache may hold.
  /// - Returns: the run, `nil` where there is none; and how many pages were taken that were
  ///   scavenged.
  package mutating func take(
    _ pages: Int, into cache: CacheReference, limit: Int
  ) -> (run: CachedRun?, scavengedPages: Int) {
    var taken: (run: CachedRun?, clean: Int) = (nil, 0)
    drainIfClosed(cache)
    if !isBeyondHardLimit, takePassed(pages, into: cache, limit: limit) {
      taken.run = cache.contents.take(pages)
    } else {
      taken = refill(cache, for: pages, limit: limit)
    }
    coverCharge(of: cache)
    if let run = taken.run { runs.setByte(run.page, UInt8(truncatingIfNeeded: pages)) }
    return (taken.run, taken.clean)
  }

  /// Takes the lowest run that is long enough, and moves what else is free in its block of 64 pages
  /// into a cache.
  ///
  /// That may be much more than was asked for, and nobody can be refused it afterwards: so nothing
  /// is taken where the block, or the run, might bring what is resident beyond a limit.
  /// - Parameters:
  ///   - pages: 1 ... 16.
  ///   - limit: pages that the cache may hold.
  /// - Returns: the run, `nil` where there is none; and how many of all these pages were scavenged.
  /// - Complexity: O(1).
  private mutating func refill(
    _ cache: CacheReference, for pages: Int, limit: Int
  ) -> (run: CachedRun?, clean: Int) {
    guard let place = allocator.place(pages) else { return (nil, 0) }
    let first = place.page & (Geometry.pagesPerCache &- 1)
    if first &+ pages > Geometry.pagesPerCache {
      // It goes on in the next block.
      guard limits.allowsRefill(fresh: pages, residentPages: counts.resident) else {
        return (nil, 0)
      }
      let taken = take(at: place, pages) { _, _ in }
      return (CachedRun((taken.page, taken.scavengedPages), pages), taken.scavengedPages)
    }
    var block = allocator.allocateBlock(at: place)
    let clean = (block.free & block.scavenged).nonzeroBitCount
    guard limits.allowsRefill(fresh: clean, residentPages: counts.resident) else {
      allocator.flush(&block)
      return (nil, 0)
    }
    // Warm memory is better than fresh.
    if clean != 0 { emptyDepot() }
    counts.allocated &+= block.free.nonzeroBitCount
    let run = CachedRun(block.take(from: first, pages), pages)
    var offered = block.free & ~block.rest(above: first &+ pages, ofRunsOf: pages)
    while offered != 0 {
      let start = offered.trailingZeroBitCount
      let length = (~(offered &>> UInt64(start))).trailingZeroBitCount
      var others = block
      let other = CachedRun(others.take(from: start, length), length)
      guard cache.contents.stack(other, length, limit: limit) else { break }
      sizes.add(length)
      block = others
      offered &= block.free
    }
    let left = (block.free & block.scavenged).nonzeroBitCount
    counts.allocated &-= block.free.nonzeroBitCount
    noteUsed(clean &- left)
    counters.allocations &+= 1
    sizes.add(pages)
    allocator.flush(&block)
    noteInUse()
    return (run, clean &- left)
  }
}

extension CachedRun {
  /// A run out of a block.
  @inline(__always)
  fileprivate init(_ taken: (page: PageNumber, scavengedPages: Int), _ pages: Int) {
    self.init(page: taken.page, isZero: taken.scavengedPages == pages)
  }
}

extension PageBlock {
  /// What is too short for one more run of a size, where all is free from a place to the end of the
  /// block: it may go on in the next one. Nothing where some of it is in use.
  ///
  /// - Parameters:
  ///   - place: 1 ... 64.
  ///   - pages: 1 ... 16.
  @inline(__always)
  fileprivate func rest(above place: Int, ofRunsOf pages: Int) -> UInt64 {
    let freeAtEnd = (~free).leadingZeroBitCount
    if place &+ freeAtEnd < Geometry.pagesPerCache { return 0 }
    let rest = (Geometry.pagesPerCache &- place) % pages
    // A shift of 0 ... 15.
    return ~(~0 &>> UInt64(truncatingIfNeeded: rest))
  }
}
