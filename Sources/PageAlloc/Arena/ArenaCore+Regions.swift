// Memory of regions that counts as an arena's: for its limits, and in its figures.

extension ArenaCore {
  /// Has pages of a region count that are about to be committed, and keeps the limits as for fresh
  /// pages of the arena.
  ///
  /// - Throws: ``PageArenaError/limitReached(pages:inUseBytes:limitBytes:)``; nothing has changed.
  func countRegion(_ pages: Int) throws(PageArenaError) {
    if pages > 0 {
      try askingOnce { () throws(PageArenaError) in try countRegionAtOnce(pages) }
    }
  }

  private func countRegionAtOnce(_ pages: Int) throws(PageArenaError) {
    lookAhead(pages)
    var answer: Bool?
    repeat {
      // Others may get ahead, after the look.
      try admit(pages)
      answer = withHeap { $0.countRegion(pages) }
    } while answer == nil
    let isWatched = pagesUntilLook != .max
    if isWatched { lookIfLate(untouched: pages) }
    if answer == true || isWatched, !bringUnderLimits() {
      withHeap { heap in
        heap.discountRegion(pages)
        heap.scavenger.counters.limitRefusals += 1
      }
      throw refusal(pages, inUse: withHeap { $0.inUsePages })
    }
  }

  /// Pages of a region went back.
  func discountRegion(_ pages: Int) { withHeap { $0.discountRegion(pages) } }
}
