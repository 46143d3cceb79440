import SysMem

/// The memory of an allocator's tables, mapped out of line, between guard pages.
///
/// ```
///   guard | head | summaries | scavenge records | ranges | chunk map | run table | guard
///         |<--------------- mapped at once (sysInit) --------------->|<--- mapped by need --->|
/// ```
/// Nothing of it comes from malloc. Chunk map and run table are mapped for the chunks that are
/// grown; the rest of them is address space only, and the run table's reads as zero.
@safe
package struct AllocatorTables: ~Copyable {
  /// What can be stored in front of the tables.
  package let head: UnsafeMutableRawPointer
  /// 1,170 words for the summary tree.
  package let summaries: UnsafeMutablePointer<UInt64>
  /// 1,024 words for the scavenge index.
  package let scavengeRecords: UnsafeMutablePointer<UInt64>
  /// Room for as many ranges as can lie apart.
  package let ranges: UnsafeMutableBufferPointer<Range<UInt32>>
  /// The chunk map.
  package let chunks: UnsafeMutablePointer<UInt64>

  /// The run table, a byte a page: readable everywhere, writable for mapped chunks.
  package let runs: UnsafeMutableRawPointer

  private let system: SysMem
  private let reservation: UInt
  private let reservedByteCount: UInt
  private let guardByteCount: UInt
  private let fixedByteCount: UInt
  private let chunkMapByteCount: UInt
  /// Which physical pages of the chunk map and of the run table are mapped: 32 and 128 at the most.
  private var mappedPages = InlineArray<3, UInt64>(repeating: 0)
  /// Whether what is mapped is sealed.
  private var isSealed = false
  /// Bytes that are mapped: what the tables may cost.
  package private(set) var mappedByteCount: UInt

  /// More ranges than this cannot lie apart in 1,022 chunks.
  private static let rangeCapacity = Geometry.chunkCount / 2

  /// Maps the tables.
  ///
  /// - Parameter headByteCount: room for the owner's own state, in front.
  /// - Throws: the kernel refused; nothing stays behind.
  package static func sysInit(
    system: SysMem, headByteCount: Int
  ) throws(SysMemError) -> AllocatorTables {
    let headSize = UInt(headByteCount + 63) & ~63
    let fixed = system.roundedToPhysicalPages(headSize + tablesByteCount)
    let guardSize = UInt(system.physicalPageSize)
    let chunkMap = system.roundedToPhysicalPages(UInt(ChunkMap.byteCount))
    let runTable = system.roundedToPhysicalPages(UInt(RunTable.byteCount))
    let whole = 2 * guardSize + fixed + chunkMap + runTable
    let reservation = try system.sysReserve(whole)
    do throws(SysMemError) {
      try system.sysReadable(reservation + guardSize + fixed + chunkMap, runTable)
      try system.sysMap(reservation + guardSize, fixed)
    } catch {
      // The reservation is ours and whole; if even this is refused, address space stays behind.
      system.sysFreeAtLast(reservation, whole)
      throw error
    }
    system.sysUsed(byteCount: fixed)
    return AllocatorTables(
      system: system, reservation: reservation, reservedByteCount: whole,
      guardByteCount: guardSize, fixedByteCount: fixed, chunkMapByteCount: chunkMap,
      headByteCount: headSize)
  }

  private static let summaryByteCount = UInt(SummaryTree.byteCount)
  private static let recordByteCount = UInt(ScavengeIndex.byteCount)
  private static let rangeByteCount = UInt(rangeCapacity * MemoryLayout<Range<UInt32>>.stride)
  private static let tablesByteCount = summaryByteCount + recordByteCount + rangeByteCount

  private init(
    system: SysMem, reservation: UInt, reservedByteCount: UInt, guardByteCount: UInt,
    fixedByteCount: UInt, chunkMapByteCount: UInt, headByteCount: UInt
  ) {
    self.system = system
    self.reservation = reservation
    self.reservedByteCount = reservedByteCount
    self.guardByteCount = guardByteCount
    self.fixedByteCount = fixedByteCount
    self.chunkMapByteCount = chunkMapByteCount
    mappedByteCount = fixedByteCount

    // The range was just mapped, is zero, and is bound to each table's element once, here.
    guard let base = unsafe UnsafeMutableRawPointer(bitPattern: reservation + guardByteCount) else {
      corrupted("the kernel mapped the tables at address 0")
    }
    unsafe head = base
    let tables = unsafe base + Int(headByteCount)
    unsafe summaries = tables.bindMemory(to: UInt64.self, capacity: Geometry.summaryEntryCount)
    let records = unsafe tables + Int(Self.summaryByteCount)
    unsafe scavengeRecords = records.bindMemory(to: UInt64.self, capacity: Geometry.chunkCount)
    let rangeBase = unsafe records + Int(Self.recordByteCount)
    unsafe ranges = UnsafeMutableBufferPointer(
      start: rangeBase.bindMemory(to: Range<UInt32>.self, capacity: Self.rangeCapacity),
      count: Self.rangeCapacity)
    unsafe chunks = (base + Int(fixedByteCount)).bindMemory(
      to: UInt64.self, capacity: ChunkMap.byteCount / MemoryLayout<UInt64>.size)
    unsafe runs = base + Int(fixedByteCount + chunkMapByteCount)
  }

  /// Maps the parts of chunk map and run table that belong to chunks which are about to be grown.
  ///
  /// - Throws: the kernel refused; what was mapped on the way stays, and is used the next time.
  package mutating func mapChunks(_ added: Range<ChunkIndex>) throws(SysMemError) {
    try mapPart(of: 0, bytesPerChunk: ChunkMap.bytesPerChunk, added)
    try mapPart(of: Int(chunkMapByteCount), bytesPerChunk: RunTable.bytesPerChunk, added)
  }

  /// Maps what chunks need of a table that starts `offset` bytes behind the fixed tables.
  private mutating func mapPart(
    of offset: Int, bytesPerChunk: Int, _ added: Range<ChunkIndex>
  ) throws(SysMemError) {
    let unit = system.physicalPageSize
    let first = (offset + added.lowerBound * bytesPerChunk) / unit
    let last = (offset + added.upperBound * bytesPerChunk - 1) / unit
    let base = reservation + guardByteCount + fixedByteCount
    for page in first...last where mappedPages[page >> 6] &>> UInt64(page & 63) & 1 == 0 {
      try system.sysMap(base + UInt(page * unit), UInt(unit))
      system.sysUsed(byteCount: UInt(unit))
      if isSealed { system.sysSeal(base + UInt(page * unit), UInt(unit)) }
      mappedPages[page >> 6] |= 1 &<< UInt64(page & 63)
      mappedByteCount += UInt(unit)
    }
  }

  /// Where the tables lie, with the guards around them.
  package var addresses: Range<UInt> { reservation..<(reservation + reservedByteCount) }

  /// Seals the guards and the fixed tables, as far as the kernel can; what is mapped later is
  /// sealed then. The tables must live as long as the process.
  ///
  /// - Precondition: no chunk was mapped yet.
  package mutating func seal() {
    isSealed = true
    system.sysSeal(reservation, guardByteCount + fixedByteCount)
    system.sysSeal(reservation + reservedByteCount - guardByteCount, guardByteCount)
  }

  deinit {
    // Nobody is left to tell of a refusal, and none is to be expected: the range is a mapping of
    // its own.
    system.sysFreeAtLast(reservation, reservedByteCount, readyByteCount: mappedByteCount)
  }
}
