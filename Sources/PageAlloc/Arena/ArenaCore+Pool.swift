// Arenas that share a limit
// =========================
//
// An arena of a pool whose share of the limit is too small asks, in this order, and with no lock
// held but that of its own growth at most:
//
//   unused   what is spare; then the others part with shares that nothing of theirs needs
//   free     the others give free memory back, and then part with the shares of that

extension ArenaCore {
  /// Where a larger share may come from.
  enum ShareSource {
    case unused
    case free
  }

  /// Tries to have the share large enough to admit so many pages beside what is out of the
  /// allocator.
  ///
  /// - Returns: whether it is larger now; `false` where there is no pool.
  @inline(never)
  func claimShare(toAdmit pageCount: Int, from source: ShareSource) -> Bool {
    guard let pool, pool.limits.isAny else { return false }
    let need = withHeap { heap -> Int in
      let inUse = source == .unused ? heap.counts.allocated : heap.countedInUsePages
      // No bound is never reached.
      return inUse &+ heap.regionPages &+ pageCount &- heap.poolShare
    }
    if need <= 0, pool.missingPages == 0 {
      // The share is large enough, now that the limit is kept again.
      withHeap { $0.raisePoolShare(by: 0, pool) }
      return true
    }
    return claimShare(max(1, need), from: source, pool)
  }

  /// Tries to have the share so large that so many pages more are within the soft limit.
  ///
  /// - Returns: as above.
  func claimShare(toKeep excess: Int, from source: ShareSource) -> Bool {
    guard let pool, pool.limits.isAny else { return false }
    return claimShare(pool.limits.share(forSoft: excess), from: source, pool)
  }

  private func claimShare(_ need: Int, from source: ShareSource, _ pool: PoolAccount) -> Bool {
    if takeShare(need, pool) { return true }
    var isEnough = false
    pool.forEach { other in
      // What this one has free is of use to it, unless all have too much.
      if other.number == number, pool.missingPages == 0 { return true }
      if source == .free {
        other.giveBackForPool(min(need, Geometry.pageCount) + pool.missingPages)
      }
      pool.giveBack(other.withHeap { $0.fitPoolShare(pool, mayGrow: false) })
      isEnough = takeShare(need, pool)
      return !isEnough
    }
    return isEnough
  }

  /// Takes of what is spare.
  private func takeShare(_ need: Int, _ pool: PoolAccount) -> Bool {
    guard let grant = pool.take(need) else { return false }
    withHeap { $0.raisePoolShare(by: grant, pool) }
    return true
  }

  /// Gives free memory back because another arena of the pool needs its share.
  private func giveBackForPool(_ pages: Int) {
    // Where the kernel refuses, the share stays as large as what is resident.
    _ = try? release(Self.bytes(min(pages, Geometry.pageCount)), .limit)
  }

  /// Has the share and the bounds that follow as large as what is resident, after the pool's limit
  /// was changed.
  ///
  /// - Parameter watch: what finds the bounds of each arena, where the control group says.
  func refitShare(_ pool: PoolAccount, watching watch: GroupWatch?) {
    pool.giveBack(
      withHeap { $0.fitPoolShare(pool, watching: watch, mayGrow: true) })
    if isLimited { stopHugePages() }
    lookAtGroup()
  }

  /// Gives free memory back where the shares are more than a limit that was lowered.
  func shrinkShare(_ pool: PoolAccount) {
    let missing = pool.missingPages
    if missing > 0 { giveBackForPool(missing) }
    pool.giveBack(withHeap { $0.fitPoolShare(pool, mayGrow: false) })
  }

  /// What the caller is told of a request that the pool's hard limit refuses.
  func refusal(_ pageCount: Int, in pool: PoolAccount) -> PageArenaError {
    var inUse = 0
    pool.forEach { other in
      inUse += other.withHeap { $0.inUsePages + $0.regionPages }
      return true
    }
    return .limitReached(
      pages: pageCount, inUseBytes: Self.bytes(inUse), limitBytes: Self.bytes(pool.limits.hardPages)
    )
  }
}
