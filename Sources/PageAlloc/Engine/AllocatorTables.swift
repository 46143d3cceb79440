import SysMem

/// The memory of an allocator's tables, mapped out of line, between guard pages.
///
/// ```
///   guard | head | summaries | scavenge records | ranges | chunk map | annex | run table | guard
///         |<----------- counted at once (sysInit) ----------->|<---- counted by need --->|
/// ```
/// Nothing of it comes from malloc. All is one mapping; of chunk map and run table only what
/// belongs to grown chunks is written to, and counted as memory that the tables cost.
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

  /// The run table, a byte a page and what follows.
  package let runs: UnsafeMutableRawPointer

  /// Room for something else of the owner's, zero at first. It ends where the run table begins:
  /// what is used together with that lies on the same page.
  package let annex: UInt

  private let system: SysMem
  private let start: UInt
  private let byteCount: UInt
  private let fixedByteCount: UInt
  /// Which physical pages behind the fixed tables are counted: with pages of 4 KiB 32 of the chunk
  /// map, 128 where runs start, and those of the annex; never the few behind these.
  private var countedPages = InlineArray<4, UInt64>(repeating: 0)
  /// Bytes that are counted: what the tables may cost.
  package private(set) var mappedByteCount: UInt

  /// More ranges than this cannot lie apart in 1,022 chunks.
  private static let rangeCapacity = Geometry.chunkCount / 2

  /// Maps the tables.
  ///
  /// - Parameters:
  ///   - headByteCount: room for the owner's own state, in front.
  ///   - annexByteCount: room for more of the owner's, right before the run table.
  /// - Throws: the kernel refused; nothing stays behind.
  package static func sysInit(
    system: SysMem, headByteCount: Int, annexByteCount: Int = 0
  ) throws(SysMemError) -> AllocatorTables {
    let headSize = UInt(headByteCount + 63) & ~63
    let annexSize = UInt(annexByteCount + 63) & ~63
    precondition(annexSize <= largestAnnex)
    let fixed = system.roundedToPhysicalPages(headSize + tablesByteCount)
    let chunkMap = system.roundedToPhysicalPages(UInt(ChunkMap.byteCount))
    let rest = system.roundedToPhysicalPages(annexSize + UInt(RunTable.byteCount))
    let byteCount = fixed + chunkMap + rest
    let start = try system.sysMapGuarded(byteCount, readyByteCount: fixed)
    return AllocatorTables(
      system: system, start: start, byteCount: byteCount, fixedByteCount: fixed,
      headByteCount: headSize, annexOffset: fixed + chunkMap, annexByteCount: annexSize)
  }

  private static let summaryByteCount = UInt(SummaryTree.byteCount)
  private static let recordByteCount = UInt(ScavengeIndex.byteCount)
  private static let rangeByteCount = UInt(rangeCapacity * MemoryLayout<Range<UInt32>>.stride)
  private static let tablesByteCount = summaryByteCount + recordByteCount + rangeByteCount

  private init(
    system: SysMem, start: UInt, byteCount: UInt, fixedByteCount: UInt, headByteCount: UInt,
    annexOffset: UInt, annexByteCount: UInt
  ) {
    self.system = system
    self.start = start
    self.byteCount = byteCount
    annex = start + annexOffset
    self.fixedByteCount = fixedByteCount
    mappedByteCount = fixedByteCount

    // The range was just mapped, is zero, and is bound to each table's element once, here.
    guard let base = unsafe UnsafeMutableRawPointer(bitPattern: start) else {
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
    unsafe runs = base + Int(annexOffset + annexByteCount)
  }

  /// Counts the parts of chunk map and run table that belong to chunks which are about to be grown.
  package mutating func mapChunks(_ added: Range<ChunkIndex>) {
    count(added, of: unsafe UInt(bitPattern: chunks), bytesPerChunk: ChunkMap.bytesPerChunk)
    count(added, of: unsafe UInt(bitPattern: runs), bytesPerChunk: RunTable.bytesPerChunk)
  }

  /// Counts the annex.
  package mutating func useAnnex() { count(annex..<(unsafe UInt(bitPattern: runs))) }

  /// The largest annex whose pages can be counted.
  private static let largestAnnex: UInt = 64 << 10

  /// Counts what chunks need of a table.
  private mutating func count(
    _ added: Range<ChunkIndex>, of table: UInt, bytesPerChunk: Int
  ) {
    let first = table + UInt(added.lowerBound * bytesPerChunk)
    count(first..<(first + UInt(added.count * bytesPerChunk)))
  }

  /// Counts the pages that addresses behind the fixed tables lie in, once each.
  private mutating func count(_ addresses: Range<UInt>) {
    if addresses.isEmpty { return }
    let unit = UInt(system.physicalPageSize)
    let origin = start + fixedByteCount
    let first = Int((addresses.lowerBound - origin) / unit)
    let last = Int((addresses.upperBound - 1 - origin) / unit)
    for page in first...last where countedPages[page >> 6] &>> UInt64(page & 63) & 1 == 0 {
      countedPages[page >> 6] |= 1 &<< UInt64(page & 63)
      system.sysMapped(byteCount: unit)
      system.sysUsed(byteCount: unit)
      mappedByteCount += unit
    }
  }

  /// Makes the tables what they were when no chunk was grown. Nothing was handed out.
  ///
  /// - Complexity: O(chunks).
  package func clear(chunks grown: Range<ChunkIndex>) {
    // Each table is as long as `sysInit` made it; no range of the list is initialised afterwards.
    unsafe summaries.update(repeating: 0, count: Geometry.summaryEntryCount)
    unsafe scavengeRecords.update(repeating: 0, count: Geometry.chunkCount)
    let words = ChunkMap.bytesPerChunk / MemoryLayout<UInt64>.size
    unsafe (chunks + grown.lowerBound * words).update(repeating: 0, count: grown.count * words)
  }

  /// Gives the pages of chunk map and run table back to the kernel, which are zero.
  package mutating func giveBackPages() {
    let mask = UInt(system.physicalPageSize) - 1
    let map = unsafe UInt(bitPattern: chunks)
    giveBack(map..<annex & ~mask)
    giveBack((unsafe UInt(bitPattern: runs) + mask) & ~mask..<(start + byteCount))
  }

  private mutating func giveBack(_ addresses: Range<UInt>) {
    let (size, unit) = (UInt(addresses.count), UInt(system.physicalPageSize))
    guard (try? system.advise(addresses.lowerBound, size, .dontNeed)) != nil else { return }
    let first = Int((addresses.lowerBound - start - fixedByteCount) / unit)
    for page in first..<first + Int(size / unit)
    where countedPages[page >> 6] &>> UInt64(page & 63) & 1 != 0 {
      countedPages[page >> 6] &= ~(1 &<< UInt64(page & 63))
      system.sysUnused(byteCount: unit)
      system.sysUnmapped(byteCount: unit)
      mappedByteCount -= unit
    }
  }

  /// Where the tables lie, with the guards around them.
  package var addresses: Range<UInt> {
    let guardSize = UInt(system.physicalPageSize)
    return (start - guardSize)..<(start + byteCount + guardSize)
  }

  /// Seals the tables and their guards, as far as the kernel can. The tables must live as long as
  /// the process.
  package func seal() {
    let whole = addresses
    system.sysSeal(whole.lowerBound, whole.upperBound - whole.lowerBound)
  }

  deinit {
    // Nobody is left to tell of a refusal, and none is to be expected: the range is a mapping of
    // its own.
    system.sysFreeGuarded(start, byteCount, readyByteCount: mappedByteCount)
  }
}
