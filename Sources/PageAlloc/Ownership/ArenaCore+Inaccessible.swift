import SysMem

// Address space now, memory later: a run that nobody can access and that nothing backs does not
// count, neither as resident nor for the limits. It comes to count when its owner makes it
// accessible, and no longer does when it is inaccessible again and was discarded after that.

extension ArenaCore {
  /// Takes a run that any access to faults, as ``PageArena/allocateRun(pages:alignment:access:)``
  /// says.
  func allocateInaccessible(_ pages: Int, alignment: Int) throws(PageArenaError) -> PageRun {
    let limit = Geometry.growableChunks.count << Geometry.chunkPagesLog
    guard pages > 0, pages <= limit else { throw .badPageCount(pages: pages, limit: limit) }
    try requireOutside()
    guard pages % guardPages == 0 else {
      throw .partOfPhysicalPage(base: 0, physicalPageSize: physicalPageSize)
    }
    guard Geometry.isAlignment(alignment) else { throw .badAlignment(alignment: alignment) }
    let aligned = try check(max(alignment, physicalPageSize))
    let taken = try takeUncounted(pages, aligned)
    let run = taken.page..<(taken.page + pages)
    countDecommittedTable(of: run)
    countOwner()
    var uncounted = taken.scavengedPages
    do throws(PageArenaError) {
      let memory = range(of: run)
      if uncounted < pages {
        try attempt { system throws(SysMemError) in
          try system.advise(memory.address, memory.byteCount, .dontNeed)
        }
        setAside(pages - uncounted)
        uncounted = pages
      }
      try countMappings(from: [], to: .protected)
      try attempt { system throws(SysMemError) in
        try system.protect(memory.address, memory.byteCount, .none)
      }
    } catch {
      withHeap { $0.countAgain(uncounted, of: run) }
      endSpecial(run, mappings: 0)
      throw error
    }
    return unsafe PageRun(
      at: address(of: run.lowerBound), pages: pages, core: self,
      traits: [.protected, .closed, .decommitted])
  }

  /// Takes a run of which the pages that nothing backs do not count.
  private func takeUncounted(
    _ pages: Int, _ alignment: PageAllocator.Alignment
  ) throws(PageArenaError) -> TakenRun {
    let fast = withHeap { heap in
      let taken = heap.take(
        pages, alignment, searchLimit: Self.searchLimit, isCounted: false
      ) { _, _ in }
      if let taken { makeReady(taken.scavengedPages) }
      return taken
    }
    let taken =
      if let fast { fast } else {
        try growAndTake(pages, alignment, draining: nil, isCounted: false) { _, _ in }
      }
    record(.allocate, taken.page, pages)
    if checks != nil { noteAllocation(taken.page, pages, isZero: true) }
    return taken
  }

  /// Pages of a run are inaccessible and empty now, as the run table knows already.
  private func setAside(_ pages: Int) { withHeap { $0.setAside(pages) } }

  /// Has decommitted pages count that are about to be made accessible, and keeps the limits as for
  /// fresh ones.
  ///
  /// - Parameter asks: the program may give something back before it is refused.
  /// - Throws: ``PageArenaError/limitReached(pages:inUseBytes:limitBytes:)``; nothing has changed.
  @inline(never)
  func countAccessible(_ pages: Int, asks: Bool = true) throws(PageArenaError) {
    if !asks { return try countAccessibleAtOnce(pages) }
    try askingOnce { () throws(PageArenaError) in try countAccessibleAtOnce(pages) }
  }

  @inline(never)
  private func countAccessibleAtOnce(_ pages: Int) throws(PageArenaError) {
    lookAhead(pages)
    var answer: Bool?
    repeat {
      // Others may get ahead, after the look.
      try admit(pages)
      answer = withHeap { $0.countAdmitted(pages) }
    } while answer == nil
    if isHeadroomDue { trimForGrowth(draining: cacheInItsSlot()) }
    let isWatched = pagesUntilLook != .max
    if isWatched { lookIfLate(untouched: pages) }
    if answer == true || isWatched, !bringUnderLimits() {
      withHeap { heap in
        heap.setAside(pages)
        heap.scavenger.counters.limitRefusals += 1
      }
      throw refusal(pages, inUse: withHeap { $0.inUsePages })
    }
  }
}
