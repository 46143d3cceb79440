import SysMem

/// The memory of an allocator's tables, mapped out of line, between guard pages.
///
/// ```
///   guard | head | summaries | scavenge records | ranges | chunk map | annex | run table | guard
///         |<----- counted at once (sysInit) ------>|<-------- counted by need ------->|
/// ```
/// Nothing of it comes from malloc. All is one mapping; of chunk map and run table only what
/// belongs to grown chunks is written to, and counted as memory that the tables cost; behind the
/// first few ranges, as many as there may be; of which pages are decommitted, what belongs to
/// chunks with such pages.
@safe
package struct AllocatorTables: ~Copyable {
  // Invariant: from `start` on `byteCount` bytes are mapped, in the order of the picture above.
  // Each table is bound to its element and to nothing else; views of them are used as long as this
  // lives.
  private let start: UInt
  private let byteCount: UInt
  private let headByteCount: UInt

  /// Room for something else of the owner's, zero at first. It ends where the run table begins:
  /// what is used together with that lies on the same page.
  package let annex: UInt

  private let annexByteCount: UInt
  private let system: SysMem
  private let fixedByteCount: UInt
  /// From `start` on, what is counted at once.
  private let firstByteCount: UInt
  /// Which physical pages behind that are counted: with pages of 4 KiB at most one of ranges, 32 of
  /// the chunk map, 146 of the run table and what follows it, and those of the annex.
  private var countedPages = InlineArray<4, UInt64>(repeating: 0)
  /// The most ranges that there may be, and where the last one ended that became longer.
  private var rangeCount = 0
  private var lastEnd: ChunkIndex = -1
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
    let first = system.roundedToPhysicalPages(
      headSize + tablesByteCount - rangeByteCount + UInt(8 * MemoryLayout<Range<UInt32>>.stride))
    let start = try system.sysMapGuarded(byteCount, readyByteCount: first)
    return AllocatorTables(
      system: system, start: start, byteCount: byteCount, fixedByteCount: fixed,
      firstByteCount: first, headByteCount: headSize, annexOffset: fixed + chunkMap,
      annexByteCount: annexSize)
  }

  private static let summaryByteCount = UInt(SummaryTree.byteCount)
  private static let recordByteCount = UInt(ScavengeIndex.byteCount)
  private static let rangeByteCount = UInt(rangeCapacity * MemoryLayout<Range<UInt32>>.stride)
  private static let tablesByteCount = summaryByteCount + recordByteCount + rangeByteCount

  private init(
    system: SysMem, start: UInt, byteCount: UInt, fixedByteCount: UInt, firstByteCount: UInt,
    headByteCount: UInt, annexOffset: UInt, annexByteCount: UInt
  ) {
    self.system = system
    self.start = start
    self.byteCount = byteCount
    self.headByteCount = headByteCount
    self.annexByteCount = annexByteCount
    annex = start + annexOffset
    self.fixedByteCount = fixedByteCount
    self.firstByteCount = firstByteCount
    mappedByteCount = firstByteCount
    if start == 0 { corrupted("the kernel mapped the tables at address 0") }
  }

  /// Counts the parts of chunk map and run table that belong to chunks which are about to be grown,
  /// and one range more where they do not follow those of the last time.
  package mutating func mapChunks(_ added: Range<ChunkIndex>) {
    let runs = address(of: .runs)
    count(added, of: address(of: .chunks), bytesPerChunk: ChunkMap.bytesPerChunk)
    count(added, of: runs, bytesPerChunk: RunTable.bytesPerChunk)
    count(RunTable.longStartBits(from: runs))
    count(added, of: RunTable.longStartPlaces(from: runs), bytesPerChunk: LongStarts.placesPerChunk)
    if added.lowerBound != lastEnd { rangeCount = min(rangeCount + 1, Self.rangeCapacity) }
    lastEnd = added.upperBound
    let ranges = address(of: .ranges)
    let first = max(ranges, start + firstByteCount)
    let end = ranges + UInt(rangeCount * MemoryLayout<Range<UInt32>>.stride)
    if end > first { count(first..<end) }
  }

  /// Counts the parts of the run table that say which pages of chunks are decommitted.
  package mutating func mapDecommitted(_ chunks: Range<ChunkIndex>) {
    count(
      chunks, of: RunTable.decommittedBits(from: address(of: .runs)),
      bytesPerChunk: DecommittedPages.bytesPerChunk)
  }

  /// Counts the annex.
  package mutating func useAnnex() { count(annex..<address(of: .runs)) }

  /// The largest annex whose pages can be counted.
  private static let largestAnnex: UInt = 64 << 10

  /// Counts what chunks need of a table.
  private mutating func count(
    _ added: Range<ChunkIndex>, of table: UInt, bytesPerChunk: Int
  ) {
    let first = table + UInt(added.lowerBound * bytesPerChunk)
    count(first..<(first + UInt(added.count * bytesPerChunk)))
  }

  /// Counts the pages that addresses behind what is counted at once lie in, once each.
  private mutating func count(_ addresses: Range<UInt>) {
    if addresses.isEmpty { return }
    let unit = UInt(system.physicalPageSize)
    let origin = start + firstByteCount
    let first = Int((addresses.lowerBound - origin) / unit)
    let last = Int((addresses.upperBound - 1 - origin) / unit)
    for page in first...last where countedPages[page >> 6] &>> UInt64(page & 63) & 1 == 0 {
      countedPages[page >> 6] |= 1 &<< UInt64(page & 63)
      system.sysMapped(byteCount: unit)
      system.sysUsed(byteCount: unit)
      mappedByteCount += unit
    }
  }

  /// Whether the page that an address lies in is counted.
  package func isCounted(_ address: UInt) -> Bool {
    if address < start + firstByteCount { return true }
    let page = Int((address - start - firstByteCount) / UInt(system.physicalPageSize))
    return countedPages[page >> 6] &>> UInt64(page & 63) & 1 != 0
  }

  /// Makes the tables what they were when no chunk was grown. Nothing was handed out.
  ///
  /// - Complexity: O(chunks).
  package mutating func clear(chunks grown: Range<ChunkIndex>) {
    rangeCount = 0
    lastEnd = -1
    clear(headByteCount, Self.summaryByteCount + Self.recordByteCount)
    clear(
      fixedByteCount + UInt(grown.lowerBound * ChunkMap.bytesPerChunk),
      UInt(grown.count * ChunkMap.bytesPerChunk))
  }

  private func clear(_ offset: UInt, _ size: UInt) {
    precondition(offset <= byteCount && size <= byteCount - offset)
    // In the tables, all of whose elements may be zero.
    unsafe PageSpace.memory(at: start + offset).initializeMemory(
      as: UInt8.self, repeating: 0, count: Int(size))
  }

  /// Gives the pages of chunk map and run table back to the kernel, which are zero.
  package mutating func giveBackPages() {
    let mask = UInt(system.physicalPageSize) - 1
    giveBack(address(of: .chunks)..<annex & ~mask)
    giveBack((address(of: .runs) + mask) & ~mask..<(start + byteCount))
  }

  private mutating func giveBack(_ addresses: Range<UInt>) {
    let (size, unit) = (UInt(addresses.count), UInt(system.physicalPageSize))
    guard (try? system.advise(addresses.lowerBound, size, .dontNeed)) != nil else { return }
    let first = Int((addresses.lowerBound - start - firstByteCount) / unit)
    for page in first..<first + Int(size / unit)
    where countedPages[page >> 6] &>> UInt64(page & 63) & 1 != 0 {
      countedPages[page >> 6] &= ~(1 &<< UInt64(page & 63))
      system.sysUnused(byteCount: unit)
      system.sysUnmapped(byteCount: unit)
      mappedByteCount -= unit
    }
  }

  // MARK: - The tables, each at its place

  /// What the mapping is made of, but for the annex.
  package enum Table { case head, summaries, scavengeRecords, ranges, chunks, runs }

  /// Where a table starts.
  package func address(of table: Table) -> UInt {
    switch table {
    case .head: start
    case .summaries: start + headByteCount
    case .scavengeRecords: address(of: .summaries) + Self.summaryByteCount
    case .ranges: address(of: .scavengeRecords) + Self.recordByteCount
    case .chunks: start + fixedByteCount
    case .runs: annex + annexByteCount
    }
  }

  /// 1,170 words for the summary tree.
  package var summaries: UnsafeMutablePointer<UInt64> { unsafe memory(of: .summaries) }

  /// 1,024 words for the scavenge index.
  package var scavengeRecords: UnsafeMutablePointer<UInt64> { unsafe memory(of: .scavengeRecords) }

  /// A list of ranges, with room for as many as can lie apart.
  package var ranges: AddressRanges<UInt32> {
    unsafe AddressRanges(
      storage: UnsafeMutableBufferPointer(start: memory(of: .ranges), count: Self.rangeCapacity))
  }

  /// The chunk map.
  package var chunks: ChunkMap { unsafe ChunkMap(storage: memory(of: .chunks)) }

  /// The run table, a byte a page and what follows.
  package var runs: RunTable {
    unsafe RunTable(storage: PageSpace.memory(at: address(of: .runs)))
  }

  private func memory<Element>(of table: Table) -> UnsafeMutablePointer<Element> {
    unsafe PageSpace.memory(at: address(of: table)).assumingMemoryBound(to: Element.self)
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
