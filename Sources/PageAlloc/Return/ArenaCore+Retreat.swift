import SysMem

// An arena that became empty
// ==========================
//
// In a pool an arena that nobody uses any more goes back to what it was when it was made: address
// space. The page tables of the kernel go with it, 8 MiB for 4 GiB, and most of the arena's own.
// Its head and its caches stay, since threads know them.

extension ArenaCore {
  /// Gives back what an arena has grown to, if nobody has any of it.
  ///
  /// - Returns: whether nothing is left.
  /// - Complexity: O(heap).
  @discardableResult
  func retreat() -> Bool {
    // What is checked has notes about runs that are gone; what is permanent has sealed tables; and
    // pieces of address space do not go back on their own.
    if checks != nil || isPermanent || Reservation.offsetsAreAddresses { return false }
    guard withHeap({ $0.counts.grown > 0 && $0.inUsePages == 0 }) else { return false }
    drainCaches(own: nil)
    _ = Releaser(self).release(.max, .force, .background)
    return withGrowth { growth in
      // Who needs pages from here on waits to grow.
      guard withHeap({ $0.startAnew(&growth) }) else { return false }
      let space = growth.reservation.retreat()
      do throws(SysMemError) {
        try system.sysFault(
          space.lowerBound, UInt(space.count), preparedByteCount: UInt(space.count))
        growth.reservation.didFault()
      } catch {
        // It stays accessible, and empty: the next growth need not ask for it.
      }
      growth.tables.giveBackPages()
      withHeap { $0.note(growth) }
      return true
    }
  }
}

extension Heap {
  /// Forgets all chunks, if no page of them is anybody's, nor holds anything.
  ///
  /// - Returns: whether that is so.
  fileprivate mutating func startAnew(_ growth: inout Growth) -> Bool {
    guard counts.allocated == 0, counts.inaccessible == 0, counts.scavenged == counts.grown,
      detached.isEmpty, limbo.count == 0, limbo.strandedPages == 0, lostCaches == 0
    else { return false }
    growth.tables.clear(chunks: allocator.startChunk..<allocator.endChunk)
    allocator = PageAllocator(tables: growth.tables, kernelPages: allocator.kernelPages)
    counts = HeapCounts()
    hugeChunks = ChunkSet()
    ownAdviceChunks = ChunkSet()
    decommittedChunks = ChunkSet()
    return true
  }
}
