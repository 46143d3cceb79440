import SysMem

// Runs set apart
// ==============
//
// To the run table, a run that is set apart is guards from its first page to its last:
//
//   a run of 11 pages     11 . . . . . . . . . .
//   set apart             guard of 8 . . . . . . .  of 2 .  of 1
//
// So no call finds it by an address, and nobody can free it but its owner: not even a cache, which
// looks at the table alone. The door for C keeps the owners of runs that it has protected, and
// whoever frees one by its address goes by that owner, who makes it plain first.

extension PageRun {
  /// Sets the run apart: it cannot be found or freed by its address until ``rejoin()``.
  ///
  /// - Returns: `false`, with nothing changed, where somebody has freed it as a raw one.
  package func setApart() -> Bool {
    let run = wholeRun
    return core.withHeap { heap in
      if heap.runs.length(run.lowerBound) != run.count { return false }
      heap.setApart(run)
      return true
    }
  }

  /// Makes it a run as any other.
  package func rejoin() {
    let run = wholeRun
    core.withHeap { $0.join(run) }
  }

  /// Whether the two parts of it before and from a page on could be undone by themselves.
  package func canBeCut(at page: Int) -> Bool {
    page > 0 && page < pages && canSplit(at: page)
      && UInt(page << Geometry.pageShift) & UInt(physicalPageSize - 1) == 0
  }

  /// Makes it plain memory, with what it holds, but for what was advised about huge pages.
  ///
  /// - Returns: what the kernel refused: then it is as before, or plain in part, such as in memory
  ///   no more; `nil` where the run is plain.
  package mutating func becomePlain() -> PageArenaError? { makePlain() }

  /// Maps fresh memory over the run and what follows it, so that all of that is plain and empty.
  ///
  /// - Parameter pages: how many in all, in runs that are the caller's.
  /// - Throws: ``PageArenaError/system(_:)``; nothing has changed.
  package func replace(pages: Int) throws(PageArenaError) {
    let memory = AdvisedRange(address: address, byteCount: ArenaCore.byteCount(pages))
    do throws(SysMemError) { try core.renew(memory) } catch { throw .system(error) }
  }

  /// Gives the pages back, which ``replace(pages:)`` has made plain.
  package consuming func deallocateReplaced() {
    core.giveBackReplaced(wholeRun, traits)
    forget()
  }

  /// As ``protect(_:)``, where what is decommitted of it counts already, as
  /// `PageArena.countDecommitted` says.
  ///
  /// - Throws: as that; it counts no more then.
  package mutating func protectCounted(_ access: PageAccess) throws(PageArenaError) {
    try protect(access, in: 0..<pages, isCounted: true)
  }

  private var wholeRun: Range<PageNumber> {
    let first = core.page(of: address)
    return first..<(first &+ pages)
  }
}
