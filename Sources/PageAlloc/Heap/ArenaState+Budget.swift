// What the caches of an arena may hold. Call all of it with `heap` held.

extension ArenaState {
  /// The most pages that a cache may hold, of short runs or of long ones.
  ///
  /// - Parameter limit: what the arena's options allow.
  func mostCapacity(
    of cache: UnsafeMutablePointer<RunCache>, _ kind: CacheBudget.Kind, limit: Int
  ) -> Int {
    let budget = CacheBudget(
      allocatedPages: inUsePages, cacheCount: caches.ownedCount, extraPages: grantedPages,
      limit: limit)
    // The cache lives as long as the arena.
    return unsafe budget.mostCapacity(kind, ownExtra: cache.pointee.grant(kind))
  }

  /// Lets a cache have more at hand, which counts as free: it brings the scavenger's wake-up
  /// nearer.
  ///
  /// - Parameter limit: the most that its capacity may be.
  mutating func raiseBound(
    of cache: UnsafeMutablePointer<RunCache>, for pages: Int, limit: Int
  ) {
    // The cache lives as long as the arena.
    let before = unsafe cache.pointee.grant
    unsafe cache.pointee.raiseBound(for: pages, limit: limit)
    grant(unsafe cache.pointee.grant &- before)
  }

  /// Takes back what a cache was let have, when all was taken out of it.
  mutating func resetBound(of cache: UnsafeMutablePointer<RunCache>) {
    grant(unsafe 0 &- cache.pointee.grant)
    unsafe cache.pointee.resetBound()
  }

  private mutating func grant(_ pages: Int) {
    grantedPages &+= pages
    if scavenger.wakeAbove != .max { scavenger.wakeAbove &-= pages }
  }
}
