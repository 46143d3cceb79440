import SysMem

// Limits on resident memory
// =========================
//
// Resident, as the arena counts it, is what is in use and what is free but was not given back. It
// grows only when an allocation takes pages that were scavenged, or never used; so only such an
// allocation looks at the limits, after it has taken its pages and before anybody touches them:
//
//   take 10 pages, 4 of them scavenged --> 3 pages beyond the soft limit --> give 3 free ones back
//
// The kernel thus never sees more than the limit, whatever many threads do at once. What was taken
// beyond the hard limit goes back, and the caller gets an error.

extension ArenaCore {
  /// Refuses what cannot be had under the hard limit, whatever is given back.
  ///
  /// - Throws: ``PageArenaError/limitReached(pages:inUseBytes:limitBytes:)``
  func checkHardLimit(_ pageCount: Int) throws(PageArenaError) {
    let (refusal, isAnyWithheld) = withHeap { heap -> (PageArenaError?, Bool) in
      let inUse = heap.inUsePages
      if !heap.limits.isHopeless(pageCount, inUse: inUse) { return (nil, false) }
      if heap.withheldPages > 0 { return (nil, true) }
      heap.scavenger.counters.limitRefusals += 1
      return (heap.limits.refusal(pageCount, inUse: inUse), false)
    }
    if let refusal { throw refusal }
    if isAnyWithheld, emptyQuarantine() > 0 { try checkHardLimit(pageCount) }
  }

  /// Brings resident memory under the limits again after a run was taken that nobody has touched
  /// yet.
  ///
  /// - Throws: the hard limit cannot be kept; the run was given back.
  @inline(never)
  func enforceLimit(_ taken: TakenRun, _ pageCount: Int) throws(PageArenaError) {
    var isDrained = false
    while true {
      let (resident, inUse, limits) = withHeap { ($0.counts.resident, $0.inUsePages, $0.limits) }
      let excess = limits.excess(residentPages: resident)
      if excess == 0 { return }
      if checks != nil, emptyQuarantine() > 0 { continue }
      // Otherwise nothing that could be given back would help.
      if limits.allows(residentPages: inUse) {
        // Waits for a batch under way, which may be all that was missing.
        let result = Releaser(self).release(Self.bytes(excess), .force, .limit)
        if result.releasedBytes > 0 { continue }
        if !isDrained {
          // The last resort: what threads keep at hand.
          drainCaches(own: cacheInLastSlot())
          isDrained = true
          continue
        }
        if limits.allows(residentPages: resident) { return }
      }
      undo(taken, pageCount)
      throw limits.refusal(pageCount, inUse: inUse - min(inUse, pageCount))
    }
  }

  /// Gives a run back that nobody has touched, scavenged as far as the kernel agrees.
  private func undo(_ taken: TakenRun, _ pageCount: Int) {
    let size = Self.byteCount(pageCount)
    var isScavenged = taken.scavengedPages == pageCount
    if isScavenged {
      // Nothing was there, and nobody touched it.
      system.sysUnused(byteCount: size)
    } else {
      // The run is still ours alone; what it holds is of no use to anybody.
      isScavenged = (try? system.sysUnused(address(of: taken.page), size)) != nil
    }
    let run = taken.page..<(taken.page + pageCount)
    let wakes = withHeap { heap in
      heap.giveBack(run, of: run)
      if isScavenged { heap.noteScavenged(taken.page, pageCount) }
      heap.scavenger.counters.limitRefusals += 1
      return heap.wakesScavenger()
    }
    wakeScavenger(if: wakes)
  }
}
