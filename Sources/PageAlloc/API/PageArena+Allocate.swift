extension PageArena {
  /// Takes a run of pages.
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
  /// - Complexity: O(1) in the heap; O(`pages` / 512). A run of memory that nothing backs may first
  ///   have about as much free memory given back, as ``Scavenging/background(headroom:cpuShare:)``
  ///   says.
  @inlinable
  public func allocate(
    pages: Int, alignment: Int = PageArena.pageSize, zeroed: Bool = false
  ) throws(PageArenaError) -> UnsafeMutableRawPointer {
    // No alignment beyond the page, and nothing to clear: perhaps the thread has them at hand.
    if alignment == Self.pageSize, !zeroed {
      // Where there is one, it is the address of pages that were just taken for the caller.
      if let run = unsafe UnsafeMutableRawPointer(bitPattern: takeHot(pages)) { return unsafe run }
    }
    return unsafe try allocateColdly(pages, alignment, zeroed)
  }

  /// Takes a run of the size asked for out of the thread's cache.
  ///
  /// - Returns: its address; 0 where the cache has none, whatever was asked for.
  @inlinable @inline(__always)
  func takeHot(_ pages: Int) -> UInt {
    // The cache lives as long as the arena.
    guard let cache = cacheInLastSlot(number) else { return 0 }
    return cache.allocate(pages, as: .raw)
  }

  /// Everything but a run at hand that may lie anywhere and need not be zeroed.
  @usableFromInline @inline(never)
  func allocateColdly(
    _ pages: Int, _ alignment: Int, _ zeroed: Bool
  ) throws(PageArenaError) -> UnsafeMutableRawPointer {
    if alignment != Self.pageSize || zeroed, let cache = cacheInLastSlot(number),
      let run = unsafe core.takeCached(pages, alignment, zeroed, cache, as: .raw)
    {
      return unsafe run
    }
    return unsafe try core.allocateSlowly(pages, alignment, zeroed: zeroed, by: nil)
  }

  /// Gives a run back, or a part of one.
  ///
  /// What is left of the run on either side stays in use, as runs of their own. The contents are
  /// lost to the caller at once.
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
    // Only the address is looked at.
    let address = UInt(bitPattern: base)
    if !putHot(address, pages) { try deallocateColdly(address, pages) }
  }

  /// Puts a whole run, as it was handed out, into the thread's cache.
  ///
  /// - Returns: `false`, with nothing changed, where it is no such run or the cache has no room.
  @inlinable @inline(__always)
  func putHot(_ address: UInt, _ pages: Int) -> Bool {
    // The cache lives as long as the arena.
    guard let cache = cacheInLastSlot(number) else { return false }
    return cache.deallocate(address, pages, as: .raw)
  }

  /// Everything else.
  @usableFromInline @inline(never)
  func deallocateColdly(_ address: UInt, _ pages: Int) throws(PageArenaError) {
    try core.deallocateSlowly(address, pages, by: nil)
  }
}
