import SysMem

// For the door for C, which makes several runs accessible as one.

extension PageArena {
  /// The calling thread is in the middle of a call of the library's, and this the handler of a
  /// signal: what cannot throw may trap.
  package static var isReentered: Bool { InsideMark.isAny }

  /// Has all count that is decommitted of some pages, before one run of them after the other is
  /// made accessible by ``PageRun/protectCounted(_:)``: the limits admit all of it or nothing. The
  /// caller, who may hold what a free takes, asks the program itself: ``askingOnce(_:)``.
  ///
  /// - Throws: ``PageArenaError/writableCode``, ``PageArenaError/reentered``,
  ///   ``PageArenaError/partOfPhysicalPage(base:physicalPageSize:)``,
  ///   ``PageArenaError/limitReached(pages:inUseBytes:limitBytes:)``: nothing has changed.
  package func countDecommitted(
    at address: UInt, pages: Int, for access: PageAccess
  ) throws(PageArenaError) {
    if access == .readWriteExecute, !core.allowsWritableCode { throw .writableCode }
    try core.requireOutside()
    let part = try core.page(at: address, pages)
    try core.checkWholePhysicalPages(
      AdvisedRange(address: address, byteCount: ArenaCore.byteCount(pages)))
    try core.countDecommitted(part..<(part + pages), asks: false)
  }

  /// What was counted so, and is not made accessible after all, counts no more.
  package func discountDecommitted(at address: UInt, pages: Int) {
    let part = core.page(of: address)
    core.withHeap { heap in
      heap.setAside(heap.runs.decommitted.count(in: part..<(part + pages)))
    }
  }
}
