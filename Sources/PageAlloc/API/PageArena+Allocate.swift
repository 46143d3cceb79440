extension PageArena {
  /// Takes a run of pages.
  ///
  /// ```swift
  /// let run = unsafe try arena.allocate(pages: 16, zeroed: true)
  /// unsafe run.storeBytes(of: 42, as: Int.self)
  /// unsafe try arena.deallocate(run, pages: 16)
  /// ```
  ///
  /// - Parameters:
  ///   - pages: how many, at least 1.
  ///   - alignment: what the address is to be a multiple of, in bytes; a power of two. Up to the
  ///     page size it is given.
  ///   - zeroed: the memory is to read as zero. Pages that the kernel has not backed yet, or has
  ///     got back since, are zero as they are; the others are cleared.
  /// - Returns: the address of `pages` × 8,192 bytes, readable and writable. Not zeroed, the
  ///   contents are arbitrary.
  /// - Throws: ``PageArenaError/badPageCount(pages:limit:)``,
  ///   ``PageArenaError/badAlignment(alignment:)``;
  ///   ``PageArenaError/outOfMemory(pages:largestFreeRun:)``,
  ///   ``PageArenaError/limitReached(pages:inUseBytes:limitBytes:)``; ``PageArenaError/system(_:)``
  ///   where the kernel refused to commit more memory.
  /// - Complexity: O(1) in the heap; O(`pages` / 512); zeroed, O(pages that are cleared). A wide
  ///   alignment may look at each chunk, 4 MiB, of the arena. A run of memory that nothing backs may
  ///   first have about as much free memory given back, as
  ///   ``Scavenging/background(headroom:cpuShare:)`` says.
  @inlinable
  public func allocate(
    pages: Int, alignment: Int = PageArena.pageSize, zeroed: Bool = false
  ) throws(PageArenaError) -> UnsafeMutableRawPointer {
    // No alignment beyond the page, and nothing to clear: perhaps the thread has them at hand. The
    // cache lives as long as the arena.
    if alignment == Self.pageSize, !zeroed, let cache = cacheInLastSlot(number),
      cache.front.enter()
    {
      let run = cache.front.handOutHot(pages, as: .raw)
      // Where there is one, it is the address of pages that were just taken for the caller.
      if let pointer = unsafe UnsafeMutableRawPointer(bitPattern: run) { return unsafe pointer }
      return unsafe try core.allocateInside(pages, cache)
    }
    return unsafe try allocateColdly(pages, alignment, zeroed)
  }

  /// Everything but a run that may lie anywhere and need not be zeroed, by way of a cache that the
  /// caller can get into without more ado.
  @usableFromInline @inline(never)
  func allocateColdly(
    _ pages: Int, _ alignment: Int, _ zeroed: Bool
  ) throws(PageArenaError) -> UnsafeMutableRawPointer {
    // Of pages that were just taken for the caller.
    unsafe PageSpace.memory(at: try take(pages, alignment, zeroed))
  }

  /// The same.
  ///
  /// - Returns: the address.
  @inline(__always)
  func take(_ pages: Int, _ alignment: Int, _ zeroed: Bool) throws(PageArenaError) -> UInt {
    try core.allocate(pages, alignment, zeroed: zeroed, through: cacheOfThread)
  }

  /// The cache that the calling thread has, wherever its slot is.
  @inline(__always)
  private var cacheOfThread: CacheReference? {
    cacheInLastSlot(number) ?? cacheInAnySlot(number, at: place)
  }

  /// Gives a run back, or a part of one.
  ///
  /// What is left of the run on either side stays in use, as runs of their own. The contents are
  /// lost to the caller at once.
  ///
  /// ```swift
  /// let run = unsafe try arena.allocate(pages: 16)
  /// unsafe try arena.deallocate(run + 4 * PageArena.pageSize, pages: 2)  // from the middle
  /// unsafe try arena.deallocate(run, pages: 4)
  /// ```
  ///
  /// - Parameters:
  ///   - base: the address of the first page to free.
  ///   - pages: how many, at least 1; not past the end of the run.
  /// - Throws: ``PageArenaError/badPageCount(pages:limit:)``, ``PageArenaError/misaligned(base:)``,
  ///   ``PageArenaError/foreign(base:)``, ``PageArenaError/notInUse(base:pages:)``,
  ///   ``PageArenaError/pastEndOfRun(base:pages:)``. Nothing has changed then.
  /// - Complexity: O(1) in the heap; O(`pages` / 512).
  @inlinable
  public func deallocate(
    _ base: UnsafeMutableRawPointer, pages: Int
  ) throws(PageArenaError) {
    // Only the address is looked at. The cache lives as long as the arena.
    let address = UInt(bitPattern: base)
    if let cache = cacheInLastSlot(number),
      let run = cache.front.run(at: address, of: pages), cache.front.enter()
    {
      if cache.front.takeBackHot(run, address, pages, as: .raw) { return }
      return try core.deallocateInside(address, run.page, pages, cache)
    }
    try deallocateColdly(address, pages)
  }

  /// Everything but a run of up to 127 pages, by way of a cache that the caller can get into
  /// without more ado.
  @usableFromInline @inline(never)
  func deallocateColdly(_ address: UInt, _ pages: Int) throws(PageArenaError) {
    try core.deallocate(address, pages, through: cacheOfThread)
  }
}
