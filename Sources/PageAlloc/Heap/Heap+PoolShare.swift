// The arena's share of its pool's limit (see PoolLimits).

extension Heap {
  /// The share grows by so many pages.
  mutating func raisePoolShare(by pages: Int, _ pool: PoolAccount) {
    poolShare += pages
    set(pool.limits(ofShare: poolShare))
  }

  /// The share becomes no larger than what may be resident.
  ///
  /// - Returns: by how many pages it is smaller now; negative where it was too small.
  mutating func fitPoolShare(
    _ pool: PoolAccount, watching watch: GroupWatch? = nil, mayGrow: Bool
  ) -> Int {
    let before = poolShare
    let needed = counts.resident + regionPages
    if mayGrow || needed < before { poolShare = needed }
    set(pool.limits(ofShare: poolShare), watching: watch)
    return before - poolShare
  }
}
