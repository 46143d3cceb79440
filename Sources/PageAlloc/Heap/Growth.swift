import SysMem

/// What the growth lock guards: memory to come.
struct Growth: ~Copyable {
  /// Address space.
  var reservation: Reservation
  /// The tables' memory.
  var tables: AllocatorTables
  /// The memory of caches.
  var cacheMemory = CacheMemory()
  /// Whether huge pages are worth asking for.
  var hugeGrowth = HugeGrowth()

  /// Takes zeroed memory for a cache.
  ///
  /// - Returns: its address.
  mutating func takeCacheMemory(
    _ system: SysMem, isPermanent: Bool
  ) throws(SysMemError) -> UInt {
    try cacheMemory.take(&tables, system, isPermanent: isPermanent)
  }

  /// Seals what never changes again, as far as the kernel can.
  func seal(by system: SysMem) {
    tables.seal()
    reservation.seal(by: system)
  }

  /// Where the arena can grow for a run, without more address space.
  ///
  /// - Parameter heap: the heap, whose lock the caller holds, too.
  func place(
    for pageCount: Int, _ alignment: PageAllocator.Alignment, _ heap: borrowing Heap
  ) -> GrowthPlace? {
    for index in 0..<reservation.pieceCount {
      let fresh = reservation[index].freshChunks
      let frontier = Geometry.firstPage(of: fresh.lowerBound)
      let page = alignment.roundUp(
        frontier - heap.allocator.freePages(below: fresh.lowerBound))
      let missing = page + pageCount - frontier
      let chunks = (missing + Geometry.pagesPerChunk - 1) >> Geometry.chunkPagesLog
      if missing > 0, chunks <= fresh.count {
        return GrowthPlace(
          piece: index, chunks: fresh.lowerBound..<(fresh.lowerBound + chunks), page: page)
      }
    }
    return nil
  }

  /// The chunks that must become accessible before an arena can grow in a place; `nil` where they
  /// are. With `isAhead` they are more than that: an eighth of what the arena has grown, so that
  /// the system calls of a growing arena become few. Nobody has touched them, so they cost nothing.
  func chunksToCommit(
    for place: GrowthPlace, grownPages: Int, isAhead: Bool
  ) -> Range<ChunkIndex>? {
    let piece = reservation[place.piece]
    let first = piece.uncommitted
    var end = place.chunks.upperBound
    if first >= end { return nil }
    if isAhead {
      let step = min(grownPages / Geometry.pagesPerChunk / 8, Self.mostChunks)
      end = min(max(end, first + step), piece.chunks.upperBound)
    }
    return first..<end
  }

  /// No more than 32 MiB at once that nobody has asked for: where a process locks all that it maps,
  /// they do cost something.
  private static var mostChunks: Int { 8 }
}

/// Where an arena would grow for a run.
package struct GrowthPlace {
  /// The piece of the reservation.
  package let piece: Int
  /// Fresh chunks, next to what the piece has grown so far.
  package let chunks: Range<ChunkIndex>
  /// Where the run would start, once they are there.
  package let page: PageNumber

  /// The first page that is added.
  package var firstAdded: PageNumber { Geometry.firstPage(of: chunks.lowerBound) }
  /// The chunk of the run's first page. Where the run lies apart, to be aligned, it starts a chunk:
  /// the frontier is as aligned as a chunk is.
  var firstChunkOfRun: ChunkIndex { Geometry.chunk(of: page) }
  /// Pages that are added.
  package var addedPages: Int { chunks.count << Geometry.chunkPagesLog }
}
