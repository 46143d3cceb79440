extension PagePool {
  /// Takes a run of pages that frees itself.
  ///
  /// - Parameters: as for ``PageArena/allocateRun(pages:alignment:zeroed:)``.
  /// - Throws: as ``allocate(pages:alignment:zeroed:)``.
  /// - Complexity: as there.
  @inlinable
  public func allocateRun(
    pages: Int, alignment: Int = PageArena.pageSize, zeroed: Bool = false
  ) throws(PageArenaError) -> PageRun {
    if alignment == PageArena.pageSize, !zeroed, ownersUseCaches, let cache = cacheInLastSlot,
      cache.front.enter()
    {
      let core = unsafe ArenaCore(cache.front.core)
      let run = cache.front.handOutHot(pages, as: .owned)
      // Where there is one, it is the address of pages that were just taken for the caller.
      if let base = unsafe UnsafeMutableRawPointer(bitPattern: run) {
        return unsafe PageRun(base: base, pages: pages, core: core)
      }
      if let base = unsafe takeInside(pages, cache, as: .owned) {
        return unsafe PageRun(base: base, pages: pages, core: core)
      }
    }
    return try allocateRunColdly(pages, alignment, zeroed)
  }

  @usableFromInline @inline(never)
  func allocateRunColdly(
    _ pages: Int, _ alignment: Int, _ zeroed: Bool
  ) throws(PageArenaError) -> PageRun {
    try serve(pages, alignment) { arena throws(PageArenaError) in
      try arena.allocateRun(pages: pages, alignment: alignment, zeroed: zeroed)
    }
  }

  /// Takes a run that frees itself, of which it is said what it may be used for.
  ///
  /// - Parameters: as for ``PageArena/allocateRun(pages:alignment:access:)``.
  /// - Throws: as there.
  /// - Complexity: as there.
  public func allocateRun(
    pages: Int, alignment: Int = PageArena.pageSize, access: PageAccess
  ) throws(PageArenaError) -> PageRun {
    if access == .readWriteExecute, !options.allowsWritableCode {
      try check(pages, alignment)
      throw .writableCode
    }
    return try serve(pages, alignment) { arena throws(PageArenaError) in
      try arena.allocateRun(pages: pages, alignment: alignment, access: access)
    }
  }

  /// Takes a run that frees itself, between two guards.
  ///
  /// - Parameters: as for ``PageArena/allocateGuardedRun(pages:alignment:zeroed:)``.
  /// - Throws: as there.
  /// - Complexity: as there.
  public func allocateGuardedRun(
    pages: Int, alignment: Int = PageArena.pageSize, zeroed: Bool = false
  ) throws(PageArenaError) -> PageRun {
    let guards = 2 * (withArena(0) { $0.core.guardPages } ?? 1)
    return try serve(pages, alignment, guards: guards) { arena throws(PageArenaError) in
      try arena.allocateGuardedRun(pages: pages, alignment: alignment, zeroed: zeroed)
    }
  }

  /// Makes an owner for a run that has none.
  ///
  /// - Parameters: as for ``PageArena/adopt(_:pages:)``.
  /// - Throws: as there.
  /// - Warning: as there.
  /// - Complexity: as there.
  @unsafe
  public func adopt(
    _ base: UnsafeMutableRawPointer, pages: Int
  ) throws(PageArenaError) -> PageRun {
    let address = UInt(bitPattern: base)
    guard let index = index(of: address),
      let run = try withArena(
        index,
        { arena throws(PageArenaError) in unsafe try arena.adopt(base, pages: pages) })
    else { throw .foreign(base: address) }
    return run
  }
}

// MARK: - Pointers and offsets

extension PagePool {
  /// Whether an address lies in memory that the pool has grown to, in use or not.
  ///
  /// - Complexity: as ``PageArena/contains(_:)``.
  public func contains(_ pointer: UnsafeRawPointer) -> Bool {
    guard let index = index(of: UInt(bitPattern: pointer)) else { return false }
    return withArena(index) { unsafe $0.contains(pointer) } ?? false
  }

  /// The run in use that an address lies in.
  ///
  /// - Complexity: as ``PageArena/run(containing:)``.
  public func run(containing pointer: UnsafeRawPointer) -> PageExtent? {
    guard let index = index(of: UInt(bitPattern: pointer)) else { return nil }
    return withArena(index) { unsafe $0.run(containing: pointer) } ?? nil
  }

  /// Takes the pages that follow a run, if they are free.
  ///
  /// - Parameters: as for ``PageArena/extend(_:to:zeroed:)``.
  /// - Throws: as there.
  /// - Complexity: as there.
  public func extend(
    _ base: UnsafeMutableRawPointer, to pages: Int, zeroed: Bool = false
  ) throws(PageArenaError) -> Bool {
    try withOwner(of: UInt(bitPattern: base)) { arena throws(PageArenaError) in
      unsafe try arena.extend(base, to: pages, zeroed: zeroed)
    }
  }

  /// Where an address lies in the pool, in bytes: a handle of 64 bits.
  ///
  /// - Returns: `nil` where it does not lie in the pool's address space.
  /// - Complexity: O(1).
  public func offset(of pointer: UnsafeRawPointer) -> UInt64? {
    let address = UInt(bitPattern: pointer)
    return index(of: address) == nil ? nil : UInt64(address &- base)
  }

  /// Where a run lies in the pool, in bytes; `nil` where it is not the pool's.
  ///
  /// - Complexity: O(1).
  public func offset(of run: borrowing PageRun) -> UInt64? {
    index(of: run.address) == nil ? nil : UInt64(run.address &- base)
  }

  /// Turns an offset back into an address.
  ///
  /// - Returns: `nil` where the offset is beyond the pool's address space, or 0 on a 32-bit host.
  /// - Complexity: O(1).
  @unsafe
  public func pointer(at offset: UInt64) -> UnsafeMutableRawPointer? {
    if offset >= reservedByteCount { return nil }
    return unsafe UnsafeMutableRawPointer(bitPattern: base &+ UInt(truncatingIfNeeded: offset))
  }
}
