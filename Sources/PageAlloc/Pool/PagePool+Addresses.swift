// What is to be had of a bare address, or done with the contents there: as an arena's calls of
// these names, by way of the arena that owns it.
//
// An arena has more that a pool has not: makeCache, since a handle's runs are those of one arena;
// recordings of what happens, since a file is one arena's; huge pages on request, and steps of the
// scavenger. PageArena.all tells of the arenas of pools, too.

extension PagePool {
  /// Takes pages at a given address, if they are free.
  ///
  /// ```swift
  /// let pool = try PagePool(reserving: 64 << 30)
  /// let base = unsafe try pool.allocate(pages: 4)
  /// try unsafe pool.deallocate(base)
  /// print(try unsafe pool.allocate(at: base, pages: 4))  // true, as nobody else has taken them
  /// ```
  ///
  /// - Parameters: as for ``PageArena/allocate(at:pages:zeroed:)``; all of them lie in one arena.
  /// - Returns: as there.
  /// - Throws: as there.
  /// - Complexity: as there.
  public func allocate(
    at base: UnsafeMutableRawPointer, pages: Int, zeroed: Bool = false
  ) throws(PageArenaError) -> Bool {
    // Only the address is looked at; so below.
    let address = UInt(bitPattern: base)
    return try withOwner(of: address) { arena throws(PageArenaError) in
      try arena.take(at: address, pages, zeroed)
    }
  }

  /// Takes a run of pages, and tells whether it reads as zero.
  ///
  /// - Parameters: as for ``PageArena/allocate(pages:alignment:zeroed:isZero:)``.
  /// - Returns: as there.
  /// - Throws: as ``allocate(pages:alignment:zeroed:)``.
  /// - Complexity: as there.
  public func allocate(
    pages: Int, alignment: Int = PageArena.pageSize, zeroed: Bool = false, isZero: inout Bool
  ) throws(PageArenaError) -> UnsafeMutableRawPointer {
    let run = try serve(pages, alignment) { arena throws(PageArenaError) in
      try arena.take(pages, alignment, zeroed, isZero: &isZero)
    }
    // Of pages that were just taken for the caller.
    return unsafe PageSpace.memory(at: run)
  }

  /// Changes the size of a run, moving it where it must: in its arena, or to another one where that
  /// has no room. The contents stay, up to the smaller size.
  ///
  /// - Parameters: as for ``PageArena/resize(_:to:zeroed:)``.
  /// - Returns: where the run lies now.
  /// - Throws: as there; ``PageArenaError/outOfMemory(pages:largestFreeRun:)`` where no arena has
  ///   room. The run is as before.
  /// - Warning: the run must have no owner (``PageRun``).
  /// - Complexity: in place O(1); else O(`pages`), by copying.
  public func resize(
    _ base: UnsafeMutableRawPointer, to pages: Int, zeroed: Bool = false
  ) throws(PageArenaError) -> UnsafeMutableRawPointer {
    let address = UInt(bitPattern: base)
    var moved: UInt = 0
    do throws(PageArenaError) {
      moved = try withOwner(of: address) { arena throws(PageArenaError) in
        try arena.resize(at: address, to: pages, zeroed)
      }
    } catch {
      guard case .outOfMemory = error, let old = run(containing: address) else { throw error }
      moved = try take(pages, PageArena.pageSize, zeroed)
      // Two runs of the caller's, which do not overlap. The old one was to grow: it is shorter.
      unsafe PageSpace.memory(at: moved).copyMemory(from: base, byteCount: old.byteCount)
      try deallocateColdly(address, old.pages)
    }
    // Of pages that are the caller's.
    return unsafe PageSpace.memory(at: moved)
  }

  /// Gives the contents of pages in use back to the kernel: they stay, and read as zero.
  ///
  /// - Parameters: as for ``PageArena/discard(_:pages:)``.
  /// - Throws: as there.
  /// - Complexity: as there.
  public func discard(_ base: UnsafeMutableRawPointer, pages: Int) throws(PageArenaError) {
    let address = UInt(bitPattern: base)
    try withOwner(of: address) { arena throws(PageArenaError) in
      try arena.discard(at: address, pages)
    }
  }

  /// Lets the kernel take the contents of pages in use when it wants to.
  ///
  /// - Parameters: as for ``PageArena/discardLazily(_:pages:)``.
  /// - Throws: as there.
  /// - Complexity: as there.
  public func discardLazily(_ base: UnsafeMutableRawPointer, pages: Int) throws(PageArenaError) {
    let address = UInt(bitPattern: base)
    try withOwner(of: address) { arena throws(PageArenaError) in
      try arena.discardLazily(at: address, pages)
    }
  }

  /// Gives pages back whose contents are of no use to anybody, to the kernel at once.
  ///
  /// - Parameters: as for ``PageArena/deallocateDiscarding(_:pages:)``.
  /// - Throws: as there.
  /// - Complexity: as there.
  public func deallocateDiscarding(
    _ base: UnsafeMutableRawPointer, pages: Int
  ) throws(PageArenaError) {
    let address = UInt(bitPattern: base)
    try withOwner(of: address) { arena throws(PageArenaError) in
      try arena.giveBackDiscarding(address, pages)
    }
  }
}
