// The depot of an arena, and who decides what stays in it. Call all of it with `heap` held.

extension ArenaState {
  /// Pages in the depot.
  var sparePages: Int { depot.pageCount }

  /// Whether there is somebody to pass runs on to.
  var hasManyCaches: Bool { caches.count > 1 }

  /// Passes half of a stack on, if that is full; older magazines give way. Call as the cache's
  /// owner, outside of it.
  ///
  /// - Parameter limit: pages that a cache may hold; all magazines are a quarter of that at the
  ///   most.
  mutating func passOn(_ pages: Int, from cache: UnsafeMutablePointer<RunCache>, limit: Int) {
    let more = Magazine.pageCount(of: pages)
    let bound = CacheBudget.magazinePages(limit)
    // The cache lives as long as the arena.
    guard pages > 0, pages <= Magazine.longestRun, more <= bound,
      unsafe cache.pointee.isFull(pages)
    else { return }
    giveBackMagazines(toFit: more, within: bound)
    unsafe depot.put(cache.pointee.takeMagazine(of: pages))
  }

  /// Moves runs of a size into a cache that has none of it. As above.
  ///
  /// - Returns: whether there were some, and room for them.
  mutating func takePassed(
    _ pages: Int, into cache: UnsafeMutablePointer<RunCache>, limit: Int
  ) -> Bool {
    // The cache lives as long as the arena.
    guard depot.magazineCount > 0,
      unsafe cache.pointee.hasRoomForMagazine(of: pages, limit: limit),
      let magazine = depot.takeMagazine(of: pages)
    else { return false }
    unsafe cache.pointee.put(magazine)
    return true
  }

  /// Keeps a whole run that is nobody's; older ones give way to it.
  ///
  /// All together they are a quarter of what is in use at the most, or one run.
  mutating func keepSpare(_ page: PageNumber, _ pages: Int) {
    let bound = CacheBudget.longRunPages(allocated: inUsePages &- depot.longRunPages)
    giveBackLongRuns(toFit: pages, within: bound)
    depot.putLong(page, pages)
  }

  /// Gives all that is in the depot back to the allocator.
  mutating func giveBackSpares() {
    giveBackLongRuns(toFit: 0, within: 0)
    giveBackMagazines(toFit: 0, within: 0)
  }

  private mutating func giveBackLongRuns(toFit pages: Int, within bound: Int) {
    while let run = depot.evictLong(toFit: pages, within: bound) {
      allocator.free(run.lowerBound, run.count)
      inUsePages &-= run.count
    }
  }

  private mutating func giveBackMagazines(toFit pages: Int, within bound: Int) {
    while let magazine = depot.evictMagazine(toFit: pages, within: bound) {
      var batch = RunBatch()
      for place in 0..<Magazine.capacity { batch.add(magazine[place].page, magazine.pagesPerRun) }
      giveBack(&batch)
    }
  }
}
