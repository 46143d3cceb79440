// The arena's share of its pool's limit (see PoolLimits). What changes hands between the account
// and the share does so within one section, so that a fork finds both or neither.

extension Heap {
  /// Takes of what is spare in the pool.
  ///
  /// - Parameter need: pages, at least 1.
  /// - Returns: `false`, with nothing changed, where there is too little.
  mutating func claimPoolShare(_ need: Int, _ pool: PoolAccount) -> Bool {
    guard let grant = pool.take(need) else { return false }
    poolShare += grant
    usePoolShare(pool)
    return true
  }

  /// Gives up what of the share is more than what may be resident.
  mutating func trimPoolShare(_ pool: PoolAccount) {
    let needed = counts.resident + regionPages
    if needed < poolShare { setPoolShare(needed, pool) }
    usePoolShare(pool)
  }

  /// Has the share as large as what may be resident, after the pool's limit was changed.
  ///
  /// - Parameter watch: what finds the bounds, where the control group says.
  mutating func resetPoolShare(_ pool: PoolAccount, watching watch: GroupWatch?) {
    setPoolShare(counts.resident + regionPages, pool)
    set(pool.limits(ofShare: poolShare), watching: watch)
  }

  /// Puts the bounds in force that follow from the share, where they are not yet.
  ///
  /// - Returns: whether that was so.
  @discardableResult
  mutating func usePoolShare(_ pool: PoolAccount) -> Bool {
    // Without a limit of the pool's, a control group may say what the bounds are.
    if !pool.limits.isAny { return false }
    let bounds = pool.limits(ofShare: poolShare)
    if bounds == givenLimits { return false }
    set(bounds)
    return true
  }

  private mutating func setPoolShare(_ pages: Int, _ pool: PoolAccount) {
    pool.giveBack(poolShare - pages)
    poolShare = pages
  }
}
