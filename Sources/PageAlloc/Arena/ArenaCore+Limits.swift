import SysMem

// Limits on resident memory
// =========================
//
// Resident, as the arena counts it, is what is in use and what is free but was not given back. It
// grows only when an allocation takes pages that were scavenged, or never used; so only such an
// allocation gives memory back, after it has taken its pages and before anybody touches them:
//
//   admitted: what is out of the allocator, and 10 pages more, are within the hard limit
//   take 10 pages, 4 of them scavenged --> 3 pages beyond the soft limit --> give 3 free ones back
//
// The kernel thus never sees more than the limit, whatever many threads do at once. A request that
// the hard limit refuses takes nothing at any moment, so that nobody else is refused for it.

extension ArenaCore {
  /// Sees to it that the hard limit allows so many pages beside what is out of the allocator, if
  /// only for a moment: caches and the quarantine give way.
  ///
  /// - Throws: ``PageArenaError/limitReached(pages:inUseBytes:limitBytes:)`` where what was handed
  ///   out and the request exceed the limit together.
  func admit(_ pageCount: Int) throws(PageArenaError) {
    var looks = 0
    var patience = Patience()
    var losses = 0
    while true {
      let (answer, inUse) = withHeap { heap -> (Admission, Int) in
        if heap.admits(pageCount) { return (.granted, 0) }
        let inUse = heap.inUsePages(beside: pageCount)
        if heap.withheldPages > 0 { return (.quarantined, inUse) }
        if !heap.limits.isHopeless(pageCount, inUse: inUse) { return (.cached, inUse) }
        return (heap.areOwnersOutside ? .refused : .doubtful, inUse)
      }
      if answer != .granted, losses < Self.mostLosses,
        claimShare(toAdmit: pageCount, from: .unused)
      {
        losses += 1
        continue
      }
      switch answer {
      case .granted: return
      case .cached:
        if drainCaches(own: cacheInItsSlot()) > 0 {
          losses += 1
        } else if !patience.waits() {
          return try refuse(pageCount, withHeap { $0.inUsePages })
        }
        if losses >= Self.mostLosses { return try refuse(pageCount, withHeap { $0.inUsePages }) }
      case .quarantined:
        // What it does not hold other threads are just putting there or taking out.
        if emptyQuarantine() == 0, !patience.waits() { return try refuse(pageCount, inUse) }
      case .refused, .doubtful:
        if losses < Self.mostLosses, claimShare(toAdmit: pageCount, from: .free) {
          losses += 1
          continue
        }
        looks += 1
        if looks == 1 {
          // Perhaps others in the control group use less by now; and what went from one cache to
          // another while these were added up was taken to be in use.
          lookAtGroup()
          continue
        }
        let mayFit = (answer == .doubtful && looks < Self.mostLooks) || fitsInPool(pageCount)
        if !mayFit || !patience.waits() { return try refuse(pageCount, inUse) }
      }
    }
  }

  /// What the hard limit says of a request.
  private enum Admission {
    /// It fits.
    case granted
    /// It would, without what caches hold.
    case cached
    /// It does not; but freed runs are in quarantine, and count as in use.
    case quarantined
    case refused
    /// It seems not to; but owners are in the middle of their caches, which look emptier then.
    case doubtful
  }

  /// How often it is looked whether a request fits, where owners are at work.
  private static var mostLooks: Int { 16 }

  /// How often others may get ahead of a request that would fit without what caches hold.
  private static var mostLosses: Int { 1024 }

  private func refuse(_ pageCount: Int, _ inUse: Int) throws(PageArenaError) {
    withHeap { $0.scavenger.counters.limitRefusals += 1 }
    throw refusal(pageCount, inUse: inUse)
  }

  /// What the caller is told of a request that the hard limit refuses.
  ///
  /// - Parameter inUse: pages of the arena's that others have.
  func refusal(_ pageCount: Int, inUse: Int) -> PageArenaError {
    if let pool, pool.limits.isAny { return refusal(pageCount, in: pool) }
    return withHeap { $0.limits.refusal(pageCount, inUse: inUse) }
  }

  /// Sees to it that a run that was taken, and that nobody has touched yet, is within the limits.
  ///
  /// - Throws: as ``enforceLimit(_:_:asks:)``.
  @inline(__always)
  func keepLimits(
    _ taken: TakenRun, _ pageCount: Int, asks: Bool = true
  ) throws(PageArenaError) {
    let isWatched = pagesUntilLook != .max
    if isWatched { lookIfLate(untouched: taken.scavengedPages) }
    if taken.isBeyondLimit || (isWatched && taken.scavengedPages != 0) {
      try enforceLimit(taken, pageCount, asks: asks)
    }
  }

  /// Brings resident memory under the limits again after a run was taken that nobody has touched
  /// yet.
  ///
  /// What is out of the allocator is within the hard limit: whoever took it was admitted. So giving
  /// free memory back is always enough, where the kernel takes it.
  /// - Parameter asks: the program may give something back before it is refused.
  /// - Throws: the hard limit cannot be kept; the run was given back.
  @inline(never)
  func enforceLimit(
    _ taken: TakenRun, _ pageCount: Int, asks: Bool
  ) throws(PageArenaError) {
    if bringUnderLimits() { return }
    if asks, callLimitHandler(pageCount), bringUnderLimits() { return }
    undo(taken, pageCount)
    throw refusal(pageCount, inUse: withHeap { $0.inUsePages })
  }

  /// Gives free memory back until what is resident is within the limits.
  ///
  /// - Returns: `false` where the hard limit cannot be kept.
  func bringUnderLimits() -> Bool {
    var patience = Patience()
    var isFirst = true
    while true {
      let now = clock.now()
      let (excess, isAllowed) = withHeap { heap in
        let found = heap.excessToGiveBack(now, canAskOthers: pool != nil)
        if found.0 == 0 { heap.noteBeyondSoft() }
        return found
      }
      if excess == 0 { return true }
      if claimShare(toKeep: excess, from: .unused) { continue }
      let answer = giveBack(excess, since: now, drains: isFirst)
      if answer == .some { continue }
      if isAllowed {
        withHeap { $0.noteBeyondSoft() }
        return true
      }
      // Somebody else's pass may have been enough, or freed what this one did not find.
      isFirst = false
      if answer == .refused || !patience.waits() { return false }
    }
  }

  /// Gives free memory back, and what is in quarantine; as a last resort what threads keep at hand.
  ///
  private func giveBack(_ pages: Int, since start: Moment, drains: Bool) -> GivenBack {
    defer {
      let spent = clock.now().elapsed(since: start)
      withHeap { $0.giveBackBudget.spend(spent) }
    }
    if emptyQuarantine() > 0 { return .some }
    // Waits for a batch under way, which may be all that was missing.
    let result = Releaser(self).release(Self.bytes(pages), .force, .limit)
    if result.releasedBytes > 0 { return .some }
    if drains, drainCaches(own: cacheInItsSlot()) > 0 { return .some }
    if claimShare(toKeep: pages, from: .free) { return .some }
    return result.firstRefusal == nil ? .none : .refused
  }

  /// What came of an attempt to give memory back.
  private enum GivenBack {
    case some
    /// There was nothing.
    case none
    /// There was something, and the kernel did not take it.
    case refused
  }

  /// Gives a run back that nobody has touched, scavenged as far as the kernel agrees.
  private func undo(_ taken: TakenRun, _ pageCount: Int) {
    // Where all was scavenged, nothing was there, and nobody touched it. The run is still ours
    // alone; what it holds is of no use to anybody.
    let isScavenged =
      taken.scavengedPages == pageCount
      || empty(address(of: taken.page), Self.byteCount(pageCount))
    let run = taken.page..<(taken.page + pageCount)
    let wakes = withHeap { heap in
      if isScavenged { giveBackEmpty(run, to: &heap) } else { heap.giveBack(run, of: run) }
      heap.scavenger.counters.limitRefusals += 1
      if taken.isHandedOut { heap.counters.frees &+= 1 }
      return heap.wakesScavenger()
    }
    wakeScavenger(if: wakes)
  }
}

extension Heap {
  /// How many pages an allocation that took fresh ones has to give back; 0, too, where it goes
  /// beyond the soft limit: where nothing is free, or the time for that is used up.
  ///
  /// - Parameter canAskOthers: other arenas may have free memory that counts for the same limit.
  /// - Returns: also whether the hard limit allows what is resident.
  fileprivate mutating func excessToGiveBack(
    _ now: Moment, canAskOthers: Bool
  ) -> (pages: Int, isAllowed: Bool) {
    let excess = limits.excess(residentPages: counts.resident)
    if excess == 0 { return (0, true) }
    if !limits.allows(residentPages: counts.resident) { return (excess, false) }
    if !canAskOthers, counts.freeResident == 0, cachedPages + withheldPages == 0, heldPages == 0 {
      return (0, true)
    }
    if giveBackBudget.allows(now) { return (excess, true) }
    scavenger.counters.softLimitYields += 1
    return (0, true)
  }
}
