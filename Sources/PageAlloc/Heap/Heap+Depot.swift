// The depot, and who decides what stays in it.

extension Heap {
  /// Passes half of a stack on, if that is full; older magazines give way.
  ///
  /// - Parameters:
  ///   - cache: the caller's own, who is outside of it; so below.
  ///   - limit: pages that a cache may hold; all magazines are a quarter of that at the most.
  mutating func passOn(_ pages: Int, from cache: CacheReference, limit: Int) {
    let more = Magazine.pageCount(of: pages)
    let bound = CacheBudget.magazinePages(limit)
    guard pages > 0, pages <= Magazine.longestRun, more <= bound,
      cache.contents.isFull(pages)
    else { return }
    evictMagazines(toFit: more, within: bound)
    depot.put(cache.contents.takeMagazine(of: pages))
  }

  /// Moves runs of a size into a cache that has none of it.
  ///
  /// - Returns: whether there were some, and room for them.
  mutating func takePassed(
    _ pages: Int, into cache: CacheReference, limit: Int
  ) -> Bool {
    guard depot.magazineCount > 0,
      cache.contents.hasRoomForMagazine(of: pages, limit: limit),
      let magazine = depot.takeMagazine(of: pages)
    else { return false }
    cache.contents.put(magazine)
    return true
  }

  /// Keeps a whole long run that is nobody's; older ones give way to it.
  package mutating func keepLong(_ page: PageNumber, _ pages: Int) {
    let bound = CacheBudget.longRunPages(allocated: counts.allocated &- depot.longRunPages)
    evictLongRuns(toFit: pages, within: bound)
    depot.putLong(page, pages)
  }

  /// Gives all that is in the depot back to the allocator.
  package mutating func emptyDepot() {
    evictLongRuns(toFit: 0, within: 0)
    evictMagazines(toFit: 0, within: 0)
  }

  private mutating func evictLongRuns(toFit pages: Int, within bound: Int) {
    while let run = depot.evictLong(toFit: pages, within: bound) {
      runs.forget(run.lowerBound, run.count)
      allocator.free(run.lowerBound, run.count)
      sizes.remove(run.count)
      counts.allocated &-= run.count
    }
  }

  private mutating func evictMagazines(toFit pages: Int, within bound: Int) {
    while let magazine = depot.evictMagazine(toFit: pages, within: bound) {
      var batch = RunBatch()
      for place in 0..<Magazine.capacity { batch.add(magazine[place].page, magazine.pagesPerRun) }
      giveBack(&batch)
    }
  }
}
