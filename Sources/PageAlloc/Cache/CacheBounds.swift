// How much caches may hold
// ========================
//
// Runs at hand are matched by their size, so they lie where they happen to lie: the more a cache holds, the
// further apart what is in use comes to lie, and the more memory a program needs at its peak. So much is
// kept at hand only where it is little, as a small heap's is, or little beside what is in use:
//
//   in use, a cache's share     short runs                       long runs
//   up to 3 limits              the limit                        the limit
//   beyond                      a 16th of the share, at least    the limit
//                               1 MiB, at most the limit
//   both, for all caches        or what is left of a tenth of what is in use, where that is more

extension ArenaState {
  /// Pages that a cache may hold, of short runs or of long ones. Call with `heap` held.
  ///
  /// - Parameters:
  ///   - granted: what the cache was let have of them.
  ///   - limit: what the arena's options allow.
  func cacheBound(_ granted: Int, isLong: Bool, limit: Int) -> Int {
    let shared = inUsePages / 10 &- (grantedPages &- granted)
    if isLong { return max(limit, shared) }
    let share = inUsePages / max(1, ownedCaches)
    // The limit is at most all pages there are: three of it fit a word.
    let own = share <= 3 &* limit ? limit : min(limit, max(RunCache.firstBound, share / 16))
    return max(own, shared)
  }
}
