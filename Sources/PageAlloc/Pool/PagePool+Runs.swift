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
      let core = ArenaCore(of: cache.front)
      let hot = cache.front.handOutHot(pages, as: .owned)
      if hot != 0 { return unsafe PageRun(at: hot, pages: pages, core: core) }
      let run = takeInside(pages, cache, as: .owned)
      if run != 0 { return unsafe PageRun(at: run, pages: pages, core: core) }
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
        { arena throws(PageArenaError) in try arena.adopt(at: address, pages) })
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
    // Only the address is looked at; so below.
    let address = UInt(bitPattern: pointer)
    guard let index = index(of: address) else { return false }
    return withArena(index) { $0.contains(address) } ?? false
  }

  /// The run in use that an address lies in.
  ///
  /// - Complexity: as ``PageArena/run(containing:)``.
  public func run(containing pointer: UnsafeRawPointer) -> PageExtent? {
    run(containing: UInt(bitPattern: pointer))
  }

  func run(containing address: UInt) -> PageExtent? {
    guard let index = index(of: address) else { return nil }
    return withArena(index) { $0.run(containing: address) } ?? nil
  }

  /// Takes the pages that follow a run, if they are free.
  ///
  /// - Parameters: as for ``PageArena/extend(_:to:zeroed:)``.
  /// - Throws: as there.
  /// - Complexity: as there.
  public func extend(
    _ base: UnsafeMutableRawPointer, to pages: Int, zeroed: Bool = false
  ) throws(PageArenaError) -> Bool {
    let address = UInt(bitPattern: base)
    return try withOwner(of: address) { arena throws(PageArenaError) in
      try arena.extend(at: address, to: pages, zeroed)
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
