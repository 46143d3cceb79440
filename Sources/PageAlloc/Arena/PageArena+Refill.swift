import SysMem

// Between the caches and the allocator, by the lock: a cache is refilled with the free runs of the 64-page
// block where the lowest run starts that is long enough, so that pages used before are used again first;
// it is relieved of many runs at once.

extension PageArena {
  /// The largest request that a block of 64 pages is taken for.
  static var largestRefilled: Int { Magazine.longestRun }

  /// Takes a run by way of a cache: one at hand, or what a refill brings.
  ///
  /// - Parameters:
  ///   - alignment: in bytes, one that there is.
  ///   - wasTried: the cache was asked before.
  /// - Returns: `nil` where the request is for the allocator itself.
  func refillAndTake(
    _ pages: Int, _ alignment: Int, _ cache: UnsafeMutablePointer<RunCache>, wasTried: Bool
  ) -> CachedRun? {
    // The cache was at the wrong slot. It lives as long as the arena.
    if !wasTried, let run = unsafe cache.allocate(pages, alignment: alignment, by: .caller) {
      return run
    }
    // A block is taken for small runs that may lie anywhere.
    if pages > Self.largestRefilled || alignment > Self.pageSize { return nil }

    // The state lives as long as the arena.
    unsafe state.locks.pointee.heap.lock()
    var clean = 0
    var run: CachedRun?
    unsafe state.pointee.serve(cache)
    if unsafe state.pointee.takePassed(pages, into: cache, limit: cacheLimit) {
      run = unsafe cache.pointee.take(pages)
    } else if !hasLimit {
      // A block may bring more resident memory than a limit allows, and only one run can be refused.
      (run, clean) = unsafe state.pointee.refill(cache, for: pages, limit: cacheLimit)
    }
    if let run { runs.setByte(run.page, UInt8(truncatingIfNeeded: pages)) }
    unsafe state.locks.pointee.heap.unlock()
    unsafe noteUsed(clean, relieving: cache)
    return run
  }

  /// Takes back what all caches hold, those of idle threads included.
  ///
  /// A thread that is inside its cache just then is asked to give everything back by itself, the next
  /// time it needs its cache; so is every other thread where the kernel has no `membarrier`.
  /// - Complexity: O(caches + runs in them), one call to the kernel.
  package func drainCaches() {
    // Inside its cache a thread is for nanoseconds, unless it was preempted there.
    _ = unsafe state.drainCaches(own: cacheInFirstSlot(), patience: 100)
  }
}

extension ArenaState {
  /// Takes the lowest run that is long enough, and moves what else is free in its block of 64 pages into a
  /// cache. Call with `heap` held, as the cache's owner, outside of it, when it was served.
  ///
  /// - Parameters:
  ///   - pages: 1 ... 16.
  ///   - limit: pages that the cache may hold.
  /// - Returns: the run, `nil` where there is none; and how many of all these pages were scavenged.
  /// - Complexity: O(1).
  mutating func refill(
    _ cache: UnsafeMutablePointer<RunCache>, for pages: Int, limit: Int
  ) -> (run: CachedRun?, clean: Int) {
    guard let place = allocator.place(pages) else { return (nil, 0) }
    let first = place.page & (Geometry.pagesPerCache &- 1)
    if first &+ pages > Geometry.pagesPerCache {
      // It goes on in the next block.
      let taken = take(at: place, pages) { _, _ in }
      return (CachedRun((taken.page, taken.scavengedPages), pages), taken.scavengedPages)
    }
    var block = allocator.allocateBlock(at: place)
    let clean = (block.free & block.scavenged).nonzeroBitCount
    // Warm memory is better than fresh.
    if clean != 0 { giveBackSpares() }
    inUsePages &+= block.free.nonzeroBitCount
    let run = CachedRun(block.take(from: first, pages), pages)
    var offered = block.free & ~block.rest(above: first &+ pages, ofRunsOf: pages)
    while offered != 0 {
      let start = offered.trailingZeroBitCount
      let length = (~(offered &>> UInt64(start))).trailingZeroBitCount
      var others = block
      let other = CachedRun(others.take(from: start, length), length)
      guard unsafe cache.pointee.stack(other, length, limit: limit) else { break }
      block = others
      offered &= block.free
    }
    let left = (block.free & block.scavenged).nonzeroBitCount
    inUsePages &-= block.free.nonzeroBitCount
    noteUsed(clean &- left)
    allocator.flush(&block)
    noteInUse()
    return (run, clean &- left)
  }
}

extension CachedRun {
  /// A run out of a block.
  @inline(__always)
  fileprivate init(_ taken: (page: PageNumber, scavengedPages: Int), _ pages: Int) {
    self.init(page: taken.page, isClean: taken.scavengedPages == pages)
  }
}

extension PageBlock {
  /// What is too short for one more run of a size, where all is free from a place to the end of the block: it may
  /// go on in the next one. Nothing where some of it is in use.
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
