import SysMem

// A run changes its size where it lies when it can. Else it moves: by copying, or, where that would
// have the kernel back much memory first, by page tables.

extension PageRun {
  /// Gives pages at the end back.
  ///
  /// - Parameter pages: how many stay.
  /// - Precondition: `pages` is in 1 ... the pages it has; where the kernel's pages are larger, a
  ///   run that is protected, guarded or the like is cut between two of them.
  /// - Complexity: O(1) in the heap.
  public mutating func shrink(to pages: Int) {
    precondition(pages > 0 && pages <= self.pages, "shrink(to:): pages is not in 1 ... the run's")
    if pages == self.pages { return }
    // The rest ends as any run does, whatever is special about it; a guard after it goes with it.
    let whole = unsafe PageRun(at: start, pages: self.pages, core: core, traits: traits)
    let halves = whole.split(at: pages)
    self.pages = pages
    traits.remove(.guardAfter)
    halves.upper.deallocate()
    halves.lower.forget()
  }

  /// Takes the pages that follow the run, if they are free, or the arena can grow there.
  ///
  /// ```swift
  /// if !run.grow(to: 64) { try run.resize(to: 64) }  // in place, or else moved
  /// ```
  ///
  /// A guard behind the run moves with its end. New pages are readable and writable, whatever the
  /// access to the others; they are locked in memory, or left out of dumps, if the run was. About
  /// huge pages the kernel knows of them what the arena told it. A run that is inaccessible as a
  /// whole does not grow, nor does one that is locked or left out of dumps and has a guard behind
  /// it.
  /// - Parameters:
  ///   - pages: how many the run is to have; fewer than it has change nothing.
  ///   - zeroed: the new pages are to read as zero.
  /// - Returns: whether the run has so many now: never in a signal's handler, in the middle of
  ///   another call.
  /// - Complexity: O(1) in the heap; O(new pages / 512).
  public mutating func grow(to pages: Int, zeroed: Bool = false) -> Bool {
    if pages <= self.pages { return true }
    if core.isInside { return false }
    if !traits.isDisjoint(with: [.guardAfter, .protected, .locked, .undumped, .advised]) {
      return growSpecial(to: pages, zeroed: zeroed)
    }
    let hasGrown = core.extendOwned(start, from: self.pages, to: pages, zeroed: zeroed)
    if hasGrown { self.pages = pages }
    return hasGrown
  }

  /// Changes the size, moving the run where it must. The contents stay, up to the smaller size.
  ///
  /// A run of which more is special than that it is wiped in the end is not moved: it grows where
  /// it lies, as ``grow(to:zeroed:)`` says, or not at all.
  ///
  /// ```swift
  /// let hasMoved = try run.resize(to: 64)
  /// print(hasMoved, run.address)
  /// ```
  ///
  /// - Parameters:
  ///   - pages: how many it is to have, at least 1.
  ///   - zeroed: the new pages are to read as zero.
  /// - Returns: whether the run has moved: its address is another then.
  /// - Throws: what ``PageArena/allocate(pages:alignment:zeroed:)`` throws;
  ///   ``PageArenaError/notPlain(base:)``. The run is as before.
  /// - Complexity: in place O(1); else O(pages), by copying or by page tables.
  @discardableResult
  public mutating func resize(
    to pages: Int, zeroed: Bool = false
  ) throws(PageArenaError) -> Bool {
    try resize(to: pages, zeroed: zeroed, mayMoveTables: true)
  }

  /// The same.
  ///
  /// - Parameter mayMoveTables: the run's end will undo what moving page tables leaves behind.
  @discardableResult
  mutating func resize(
    to pages: Int, zeroed: Bool, mayMoveTables: Bool
  ) throws(PageArenaError) -> Bool {
    let limit = Geometry.growableChunks.count << Geometry.chunkPagesLog
    guard pages > 0, pages <= limit else { throw .badPageCount(pages: pages, limit: limit) }
    try core.requireOutside()
    if pages <= self.pages {
      guard canSplit(at: pages) else {
        throw .partOfPhysicalPage(base: address, physicalPageSize: physicalPageSize)
      }
      shrink(to: pages)
      return false
    }
    if grow(to: pages, zeroed: zeroed) { return false }
    guard traits.isSubset(of: [.wiped, .moved, .discarded]) else { throw .notPlain(base: address) }

    let moved = try core.moveOwned(
      start, from: self.pages, to: pages, traits, zeroed: zeroed, mayMoveTables: mayMoveTables)
    start = moved.address
    self.pages = pages
    self.traits = moved.traits
    return true
  }

  /// Leaves the run as it is, with an owner less to be counted elsewhere.
  consuming func forget() { discard self }
}

/// Where a run went.
struct MovedRun {
  let address: UInt
  let traits: RunTraits
}
