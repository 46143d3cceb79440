extension Heap {
  /// The name of the first invariant that does not hold; `nil` where all do.
  ///
  /// - Precondition: no pages are on their way to the kernel: they are neither free nor in use to
  ///   the scavenge index.
  /// - Complexity: O(heap).
  package func brokenInvariant() -> StaticString? {
    if let broken = allocator.brokenInvariant() { return broken }
    var grown = 0
    var inUse = 0
    var scavenged = 0
    var handedOut = 0
    for index in 0..<allocator.ranges.count {
      let range = allocator.ranges[index]
      grown += range.count
      allocator.forEachChunk(of: Int(range.lowerBound), range.count) { chunk, places in
        let data = allocator.chunk(chunk)
        inUse += data.allocated.bits.count(in: places)
        scavenged += data.scavenged.count(in: places)
      }
      guard let length = pagesHandedOut(in: Int(range.lowerBound)..<Int(range.upperBound)) else {
        return "a run that was handed out overlaps another, or is not in use"
      }
      handedOut += length
    }
    let nobodys =
      counts.allocated + counts.inaccessible - heldPages - withheldPages - handedOut
    if nobodys < 0 || (nobodys > 0 && lostCaches == 0) { return "the run table does not add up" }
    let grownPages =
      Geometry.firstPage(of: allocator.startChunk)..<Geometry.firstPage(of: allocator.endChunk)
    // Pages that are about to be memory again count already.
    if counts.inaccessible > runs.decommitted.count(in: grownPages) {
      return "more pages count as inaccessible than the run table knows"
    }
    if grown != counts.grown { return "the count of grown pages is wrong" }
    if inUse != counts.allocated + counts.inaccessible + detached.pageCount {
      return "the count of pages in use is wrong"
    }
    if scavenged != counts.scavenged { return "the count of scavenged pages is wrong" }
    if caches.totalCapacity != cacheCapacity { return "what caches may hold is counted wrong" }
    if !caches.hasAllStocked { return "a drain would pass over a cache that holds something" }
    return nil
  }

  /// Pages of the runs and guards that start in a range; `nil` where they overlap or have a free
  /// page.
  private func pagesHandedOut(in range: Range<PageNumber>) -> Int? {
    var total = 0
    var page = range.lowerBound
    while page < range.upperBound {
      let length = runs.extent(page)
      for inner in page..<(page + length) {
        let isInUse = allocator.chunk(Geometry.chunk(of: inner)).allocated.bits
          .contains(Geometry.place(of: inner))
        if !isInUse || (inner > page && runs.extent(inner) != 0) { return nil }
      }
      total += length
      page += max(length, 1)
    }
    return total
  }
}
