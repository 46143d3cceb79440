import SysMem

extension PageArena {
  /// Takes a run of pages.
  ///
  /// - Parameters:
  ///   - pages: how many, at least 1.
  ///   - alignment: what the address is to be a multiple of, in bytes; a power of two. Up to the page
  ///     size it is given.
  ///   - zeroed: the memory is to read as zero. Pages that the kernel has not backed yet, or has got
  ///     back since, are zero as they are; the others are cleared.
  /// - Returns: the address of `pages` × 8,192 bytes, readable and writable. Not zeroed, the contents are
  ///   arbitrary.
  /// - Throws: ``PageArenaError/badPageCount(pages:limit:)``, ``PageArenaError/badAlignment(alignment:)``;
  ///   ``PageArenaError/outOfMemory(pages:largestFreeRun:)``; ``PageArenaError/system(_:)`` where
  ///   the kernel refused to commit more memory.
  /// - Complexity: O(1) in the heap; O(`pages` / 512).
  public func allocate(
    pages: Int, alignment: Int = PageArena.pageSize, zeroed: Bool = false
  ) throws(PageArenaError) -> UnsafeMutableRawPointer {
    let limit = Geometry.growableChunks.count << Geometry.chunkPagesLog
    guard pages > 0, pages <= limit else { throw .badPageCount(pages: pages, limit: limit) }
    let aligned = try check(alignment)

    // A pointer is handed on, not used.
    if zeroed { return unsafe try allocateZeroed(pages, aligned) }

    // The state lives as long as the arena.
    unsafe state.pointee.heap.lock()
    let fast = unsafe state.pointee.take(pages, aligned, steps: Self.alignedSteps) { _, _ in }
    unsafe state.pointee.heap.unlock()
    let taken = if let fast { fast } else { try growAndTake(pages, aligned) { _, _ in } }
    noteUsed(taken)
    return unsafe pointer(to: taken.page)
  }

  @inline(never)
  private func allocateZeroed(
    _ pages: Int, _ aligned: PageAllocator.Alignment
  ) throws(PageArenaError) -> UnsafeMutableRawPointer {
    // The scavenged bits go when the run is taken, so they are copied before.
    var dirt = DirtMap()
    // The state lives as long as the arena.
    unsafe state.pointee.heap.lock()
    let fast = unsafe state.pointee.take(pages, aligned, steps: Self.alignedSteps) {
      dirt.read($1, pages, $0)
    }
    unsafe state.pointee.heap.unlock()
    let taken =
      if let fast { fast } else {
        try growAndTake(pages, aligned) { dirt.read($1, pages, $0) }
      }
    noteUsed(taken)
    if taken.scavengedPages < pages {
      clear(taken.page, pages, dirt, isAllDirty: taken.scavengedPages == 0)
    }
    return unsafe pointer(to: taken.page)
  }

  @inline(__always)
  private func noteUsed(_ taken: Taken) {
    if taken.scavengedPages != 0 {
      system.sysUsed(byteCount: UInt(taken.scavengedPages) << UInt(Geometry.pageShift))
    }
  }

  /// How many runs an aligned search walks over before the arena grows instead.
  static var alignedSteps: Int { 64 }

  private func check(_ alignment: Int) throws(PageArenaError) -> PageAllocator.Alignment {
    guard alignment > 0, alignment & (alignment - 1) == 0,
      alignment >> Geometry.pageShift < Geometry.pageCount
    else { throw .badAlignment(alignment: alignment) }
    return PageAllocator.Alignment(
      pages: max(1, alignment >> Geometry.pageShift),
      phase: Int(truncatingIfNeeded: base >> UInt(Geometry.pageShift)))
  }
}
