import SysMem

extension PageArena {
  /// What an arena holds, at one moment. Figures are bytes but for the run.
  public struct Statistics: Equatable, Sendable {
    /// Address space, with what must stay reserved.
    public let reservedBytes: UInt64
    /// Memory that was committed: in use, or free. The sum of the next three.
    public let readyBytes: UInt64
    /// Runs that were handed out.
    public let inUseBytes: UInt64
    /// Free, and with contents that may be resident.
    public let freeResidentBytes: UInt64
    /// Free, and kept at hand by threads; part of what is free and resident.
    public let cachedBytes: UInt64
    /// Free, and never backed or given back: costs no memory and reads as zero.
    public let scavengedBytes: UInt64
    /// The longest run of free pages in what is committed, in pages of 8 KiB.
    public let largestFreeRun: Int
    /// Memory of the arena's own tables.
    public let metadataBytes: UInt64
  }

  /// What the arena holds now.
  ///
  /// The figures are of one moment but for the address space and the tables, which may be of a moment
  /// later.
  /// - Complexity: O(1).
  public var statistics: Statistics {
    // The state lives as long as the arena.
    unsafe state.pointee.heap.lock()
    let grown = unsafe state.pointee.grownPages
    let cached = unsafe state.pointee.cachedPages
    let inUse = unsafe state.pointee.inUsePages - cached
    let scavenged = unsafe state.pointee.scavengedPages
    let largest = unsafe state.pointee.allocator.summaries.longestRun
    let caches = unsafe state.pointee.cacheCount
    unsafe state.pointee.heap.unlock()
    unsafe state.pointee.growth.lock()
    let reserved = unsafe state.pointee.reservation.byteCount
    let metadata =
      unsafe state.pointee.tables.mappedByteCount
      + UInt(caches) * CacheMapping.byteCount(system)
    unsafe state.pointee.growth.unlock()
    return Statistics(
      reservedBytes: reserved, readyBytes: bytes(grown), inUseBytes: bytes(inUse),
      freeResidentBytes: bytes(grown - inUse - scavenged), cachedBytes: bytes(cached),
      scavengedBytes: bytes(scavenged),
      largestFreeRun: largest, metadataBytes: UInt64(metadata))
  }

  private func bytes(_ pages: Int) -> UInt64 { UInt64(pages) << UInt64(Geometry.pageShift) }
}

extension PageArena {
  /// The states of all memory that the arena has of the system, its tables included.
  package var systemStatistics: SysMem.Statistics { system.statistics }
}
