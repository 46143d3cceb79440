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
    return unsafe try core.allocateColdly(pages, alignment, zeroed: zeroed, by: nil)
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
    // Only the address is looked at. The cache lives as long as the arena.
    let address = UInt(bitPattern: base)
    if let cache = cacheInLastSlot(number),
      let page = cache.front.page(at: address, starting: pages), cache.front.enter()
    {
      if cache.front.takeBackHot(address, page, pages, as: .raw) { return }
      return try core.deallocateInside(address, page, pages, cache)
    }
    try core.deallocateColdly(address, pages, by: nil)
  }
}
