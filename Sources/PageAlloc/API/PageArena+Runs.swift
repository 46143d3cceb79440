import SysMem

extension PageArena {
  /// Takes a run of pages that frees itself.
  ///
  /// ```swift
  /// var run = try arena.allocateRun(pages: 16, zeroed: true)
  /// var bytes = run.mutableBytes
  /// bytes.storeBytes(of: 42, as: Int.self)
  /// ```
  ///
  /// - Parameters:
  ///   - pages: how many, at least 1.
  ///   - alignment: what the address is to be a multiple of, in bytes; a power of two.
  ///   - zeroed: the memory is to read as zero.
  /// - Throws: as ``allocate(pages:alignment:zeroed:)``.
  /// - Complexity: as there.
  @inlinable
  public func allocateRun(
    pages: Int, alignment: Int = PageArena.pageSize, zeroed: Bool = false
  ) throws(PageArenaError) -> PageRun {
    // No alignment beyond the page, and nothing to clear: perhaps the thread has them at hand. The
    // cache lives as long as the arena.
    if alignment == Self.pageSize, !zeroed, core.ownersUseCaches,
      let cache = cacheInLastSlot(number), cache.front.enter()
    {
      let run = cache.front.handOutHot(pages, as: .owned)
      if run != 0 { return unsafe PageRun(at: run, pages: pages, core: core) }
      return try core.allocateRunInside(pages, cache)
    }
    return try core.allocateRunColdly(pages, alignment, zeroed: zeroed)
  }

  /// Takes a run that frees itself, of which it is said what it may be used for.
  ///
  /// With ``PageAccess/none`` it is address space that costs nothing: it counts as in use but not
  /// as resident, and no limit bounds it. ``PageRun/protect(_:)`` makes it memory, and has it
  /// count; ``PageRun/commit(in:)`` does so with a part of it.
  ///
  /// ```swift
  /// var run = try arena.allocateRun(pages: 131_072, access: .none)  // 1 GiB, whatever the limit
  /// try run.commit(in: 0..<1024)                                    // 8 MiB, if they fit
  /// ```
  ///
  /// - Parameters:
  ///   - pages: how many, at least 1.
  ///   - alignment: what the address is to be a multiple of, in bytes; a power of two.
  ///   - access: what it may be used for at first. The memory reads as zero, as soon as it may be.
  /// - Throws: as ``allocate(pages:alignment:zeroed:)`` and ``PageRun/protect(_:)``; without access
  ///   no limit refuses it. ``PageArenaError/partOfPhysicalPage(base:physicalPageSize:)`` where the
  ///   kernel's pages are larger and `pages` are not whole ones.
  /// - Complexity: O(`pages` / 512), and a call to the kernel.
  public func allocateRun(
    pages: Int, alignment: Int = PageArena.pageSize, access: PageAccess
  ) throws(PageArenaError) -> PageRun {
    if access == .readWrite {
      return try allocateRun(pages: pages, alignment: alignment, zeroed: true)
    }
    var run = try core.allocateInaccessible(pages, alignment: alignment)
    if access != .none { try run.protect(access) }
    return run
  }

  /// Takes a run that frees itself, between two guards: an access just before or after it ends the
  /// program.
  ///
  /// ```swift
  /// var stack = try arena.allocateGuardedRun(pages: 8)
  /// stack.copyBytes(from: [1, 2, 3].span)
  /// ```
  ///
  /// - Parameters: as for ``allocateRun(pages:alignment:zeroed:)``.
  /// - Throws: as that, and ``PageArenaError/tooManyMappings(limit:)``;
  ///   ``PageArenaError/partOfPhysicalPage(base:physicalPageSize:)`` where the kernel's pages are
  ///   larger and `pages` are not whole ones; ``PageArenaError/system(_:)`` where a guard was
  ///   refused.
  /// - Complexity: O(1) in the heap; O(`pages` / 512), and a call to the kernel for each guard.
  public func allocateGuardedRun(
    pages: Int, alignment: Int = PageArena.pageSize, zeroed: Bool = false
  ) throws(PageArenaError) -> PageRun {
    try core.allocateGuarded(pages, alignment: alignment, zeroed: zeroed)
  }

  /// Makes an owner for a run that has none: from ``allocate(pages:alignment:zeroed:)``, or leaked.
  ///
  /// ```swift
  /// let memory = unsafe try arena.allocate(pages: 4)
  /// let run = unsafe try arena.adopt(memory, pages: 4)  // frees itself from now on
  /// print(run.pages)
  /// ```
  ///
  /// - Parameters:
  ///   - base: the address of its first page.
  ///   - pages: how many it has, all of them.
  /// - Throws: what ``deallocate(_:pages:)`` throws for such a range;
  ///   ``PageArenaError/notInUse(base:pages:)`` where no run starts just there, and
  ///   ``PageArenaError/badPageCount(pages:limit:)`` for a part of one.
  /// - Warning: the run must have no owner yet, and nobody else may free it from now on.
  /// - Complexity: O(`pages` / 512).
  @unsafe
  public func adopt(
    _ base: UnsafeMutableRawPointer, pages: Int
  ) throws(PageArenaError) -> PageRun {
    try adopt(at: UInt(bitPattern: base), pages)
  }

  func adopt(at address: UInt, _ pages: Int) throws(PageArenaError) -> PageRun {
    try core.requireOutside()
    let page = try core.page(at: address, pages)
    let whole = page..<(page + pages)
    try core.withHeap { heap throws(PageArenaError) in
      let run = try heap.run(around: whole, at: address)
      guard run.lowerBound == page else { throw .notInUse(base: address, pages: pages) }
      guard run == whole else { throw .badPageCount(pages: pages, limit: run.count) }
      heap.owners.live &+= 1
    }
    return unsafe PageRun(at: address, pages: pages, core: core)
  }

  /// Turns a run's handle back into its memory.
  ///
  /// - Parameter offset: ``PageRun/offset`` of a run in use, guards and all that is special about
  ///   it aside.
  /// - Returns: the memory. It is the run's: what the owner says about using it holds.
  /// - Throws: ``PageArenaError/notARun(offset:)``.
  /// - Complexity: O(1).
  @unsafe
  public func bytes(at offset: UInt32) throws(PageArenaError) -> UnsafeMutableRawBufferPointer {
    let page = Int(offset >> UInt32(Geometry.pageShift))
    guard offset & UInt32(Self.pageSize - 1) == 0, let count = length(of: page) else {
      throw .notARun(offset: offset)
    }
    return unsafe UnsafeMutableRawBufferPointer(
      start: core.memory(of: page), count: count << Geometry.pageShift)
  }

  private func length(of page: PageNumber) -> Int? {
    core.withHeap { $0.runLength(at: page) }
  }
}
