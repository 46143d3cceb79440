import SysMem

// Parts of a run that give up their memory, and get it back.
//
//   decommit   access rights first, then the contents, then the figures: what fails in between is
//              memory that holds something, and counts
//   commit     the figures first, where the limits admit it, then access rights, then the bits of
//              the run table: what fails in between is inaccessible again, or counts

extension ArenaCore {
  /// How many of some pages are decommitted.
  func decommittedPages(in pages: Range<PageNumber>) -> Int {
    withHeap { $0.runs.decommitted.count(in: pages) }
  }

  /// The first pages in a row that are decommitted, of those in a range.
  func firstDecommitted(in pages: Range<PageNumber>) -> Range<PageNumber>? {
    withHeap { $0.runs.decommitted.first(in: pages) }
  }

  /// Some pages are going to be noted as decommitted, or were just now: what says so counts as
  /// memory of the tables.
  func countDecommittedTable(of pages: Range<PageNumber>) {
    if withHeap({ $0.countsDecommittedTable(of: pages) }) { return }
    let chunks = Geometry.chunks(of: pages)
    withGrowth { growth in
      growth.tables.mapDecommitted(chunks)
      withHeap { heap in
        heap.decommittedChunks.insert(chunks)
        heap.note(growth)
      }
    }
  }

  /// Pages are inaccessible and empty now.
  @inline(never)
  func noteDecommitted(_ pages: Range<PageNumber>, discardedBytes: UInt = 0) {
    countDecommittedTable(of: pages)
    let wakes = withHeap { heap in
      heap.decommit(pages)
      heap.scavenger.counters.discardedBytes += UInt64(discardedBytes)
      return heap.wakesScavenger()
    }
    wakeScavenger(if: wakes)
  }

  /// Pages count, and are memory now.
  func noteCommitted(_ pages: Range<PageNumber>) {
    withHeap { $0.runs.decommitted.remove(pages) }
  }

  /// Has those of some pages count that are decommitted, and about to be memory.
  ///
  /// - Parameter asks: the program may give something back before it is refused.
  /// - Throws: ``PageArenaError/limitReached(pages:inUseBytes:limitBytes:)``; nothing has changed.
  func countDecommitted(
    _ pages: Range<PageNumber>, asks: Bool = true
  ) throws(PageArenaError) {
    let count = decommittedPages(in: pages)
    if count > 0 { try countAccessible(count, asks: asks) }
  }

  /// Makes pages inaccessible.
  ///
  /// - Returns: `false` where the kernel refused.
  func close(_ pages: Range<PageNumber>) -> Bool {
    let memory = range(of: pages)
    return (try? system.protect(memory.address, memory.byteCount, .none)) != nil
  }

  /// Gives the contents of inaccessible pages back, and has them count no more.
  ///
  /// - Throws: the kernel refused; they count.
  @inline(never)
  func decommit(_ pages: Range<PageNumber>) throws(PageArenaError) {
    let memory = range(of: pages)
    try attempt { system throws(SysMemError) in
      try system.advise(memory.address, memory.byteCount, .dontNeed)
    }
    record(.discard, pages.lowerBound, pages.count)
    noteDecommitted(pages, discardedBytes: memory.byteCount)
  }

  /// Makes decommitted pages memory again, which was not counted until now.
  ///
  /// - Parameter run: the one that they are a part of.
  /// - Throws: the limits do not admit them, or the kernel refused.
  @inline(never)
  func commit(_ pages: Range<PageNumber>, of run: Range<PageNumber>) throws(PageArenaError) {
    let count = decommittedPages(in: pages)
    if count == 0 { return }
    if cutsInTwo(pages, run) { try addMappings(2) }
    try countAccessible(count)
    while let part = firstDecommitted(in: pages) {
      let memory = range(of: part)
      do throws(PageArenaError) {
        try attempt { system throws(SysMemError) in
          try system.protect(memory.address, memory.byteCount, .readWrite)
        }
      } catch {
        recommit(pages)
        throw error
      }
      noteCommitted(part)
    }
  }

  /// Whether pages before and behind some stay inaccessible, which are one mapping until now.
  private func cutsInTwo(_ pages: Range<PageNumber>, _ run: Range<PageNumber>) -> Bool {
    withHeap { heap in
      let bits = heap.runs.decommitted
      return bits.count(in: max(run.lowerBound, pages.lowerBound - 1)..<pages.lowerBound) > 0
        && bits.count(in: pages.upperBound..<min(run.upperBound, pages.upperBound + 1)) > 0
    }
  }

  /// The kernel has refused to make pages memory, some of them perhaps, that count already: closes
  /// those again that were decommitted, or takes notice that they are memory.
  func recommit(_ pages: Range<PageNumber>) {
    var page = pages.lowerBound
    while let part = firstDecommitted(in: page..<pages.upperBound) {
      let isClosed = close(part)
      withHeap { heap in
        // Nobody had access meanwhile: they are as empty as before.
        if isClosed { heap.setAside(part.count) } else { heap.runs.decommitted.remove(part) }
      }
      page = part.upperBound
    }
  }
}
