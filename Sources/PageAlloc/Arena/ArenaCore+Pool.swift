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
  /// - Returns: whether it is worth to ask again; `false` where there is no pool.
  @inline(never)
  func claimShare(toAdmit pageCount: Int, from source: ShareSource) -> Bool {
    guard let pool, pool.limits.isAny else { return false }
    let (need, isNews) = withHeap { heap -> (Int, Bool) in
      let inUse = source == .unused ? heap.counts.allocated : heap.countedInUsePages
      return (
        inUse &+ heap.regionPages &+ pageCount &- heap.poolShare, heap.usePoolShare(pool)
      )
    }
    return isNews || claimShare(max(1, need), from: source, pool)
  }

  /// Tries to have the share so large that so many pages more are within the soft limit.
  ///
  /// - Returns: as above.
  func claimShare(toKeep excess: Int, from source: ShareSource) -> Bool {
    guard let pool, pool.limits.isAny else { return false }
    if withHeap({ $0.usePoolShare(pool) }) { return true }
    return claimShare(pool.limits.share(forSoft: excess), from: source, pool)
  }

  private func claimShare(_ need: Int, from source: ShareSource, _ pool: PoolAccount) -> Bool {
    if withHeap({ $0.claimPoolShare(need, pool) }) { return true }
    var isEnough = false
    pool.forEach { other in
      // What this one has free is of use to it, unless all have too much.
      if other.number == number, pool.missingPages == 0 { return true }
      if source == .free {
        other.giveBackForPool(min(need, Geometry.pageCount) + pool.missingPages)
      }
      other.withHeap { $0.trimPoolShare(pool) }
      isEnough = withHeap { $0.claimPoolShare(need, pool) }
      return !isEnough
    }
    return isEnough
  }

  /// Gives free memory back because another arena of the pool needs its share.
  private func giveBackForPool(_ pages: Int) {
    if checks != nil { emptyQuarantine() }
    // Where the kernel refuses, the share stays as large as what is resident.
    _ = try? release(Self.bytes(min(pages, Geometry.pageCount)), .limit)
  }

  /// Has the share and the bounds that follow as large as what is resident, after the pool's limit
  /// was changed.
  func refitShare(_ pool: PoolAccount) {
    withHeap { $0.resetPoolShare(pool, watching: pool.watch) }
    if isLimited { stopHugePages() }
    lookAtGroup()
  }

  /// Gives free memory back where the shares are more than a limit that was lowered.
  func shrinkShare(_ pool: PoolAccount) {
    if !pool.limits.isAny { return }
    let missing = pool.missingPages
    if missing > 0 { giveBackForPool(missing) }
    withHeap { $0.trimPoolShare(pool) }
  }

  /// Whether the pool's hard limit allows so many pages beside what its arenas have in use: then a
  /// share that is missing is on its way from one arena to another.
  ///
  /// - Complexity: O(arenas, and their caches).
  func fitsInPool(_ pageCount: Int) -> Bool {
    guard let pool, pool.limits.isAny else { return false }
    let hard = pool.limits.hardPages
    return pageCount <= hard && inUsePages(in: pool) <= hard - pageCount
  }

  /// What the caller is told of a request that the pool's hard limit refuses.
  func refusal(_ pageCount: Int, in pool: PoolAccount) -> PageArenaError {
    let (inUse, hard) = (inUsePages(in: pool), pool.limits.hardPages)
    return .limitReached(
      pages: pageCount, inUseBytes: Self.bytes(inUse),
      // Somebody may have taken the limit away meanwhile.
      limitBytes: hard == .max ? .max : Self.bytes(hard))
  }

  /// Pages that all arenas of a pool have in use, one after the other, this one's among them; all
  /// caches are added up.
  private func inUsePages(in pool: PoolAccount) -> Int {
    var (inUse, isOwnCounted) = (0, false)
    pool.forEach { other in
      inUse += other.withHeap { $0.countedInUsePages + $0.regionPages }
      isOwnCounted = isOwnCounted || other.number == number
      return true
    }
    // The pool has gone, and this is an owner that outlived it.
    if !isOwnCounted { inUse += withHeap { $0.countedInUsePages + $0.regionPages } }
    return inUse
  }
}
