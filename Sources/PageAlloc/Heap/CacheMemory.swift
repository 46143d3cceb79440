import SysMem

// The memory of caches
// ====================
//
// The first cache of an arena lies among its tables; the others in blocks, each of one mapping
// between two guards, so that a thousand threads that start do not map a thousand times:
//
//   tables | cache | table | | bits | cache | cache | ... 64 | | bits | cache | ... 128 |
//
// A block is address space until its caches are used. What an arena parts with goes back to the
// kernel as pages, and its place is marked by a bit: the next cache comes there. A block is
// unmapped at the arena's end. The guards are around it: every index into a cache is that of a size
// of a run or of a level, which are checked before.

/// Where the next cache of an arena will lie. Guarded by the growth lock.
struct CacheMemory {
  private var isAnnexUsed = false
  private var blocks = InlineArray<11, CacheBlock?>(repeating: nil)
  private var blockCount = 0
  /// Bytes that the bits of all blocks take.
  private(set) var bitsByteCount: UInt = 0

  /// Bytes that a cache takes: whole pages of the kernel's.
  static func byteCount(_ system: SysMem) -> UInt {
    system.roundedToPhysicalPages(UInt(MemoryLayout<RunCache>.size))
  }

  /// Pages that a cache takes, about: 4 KiB more where the kernel has pages of that size.
  static var pagesPerCache: Int { PageSpace.pageCount(holding: UInt(MemoryLayout<RunCache>.size)) }

  /// Bytes that so many caches take besides the tables, among which the first lies.
  static func byteCount(forCaches count: Int, _ system: SysMem) -> UInt {
    UInt(max(0, count - 1)) * byteCount(system)
  }

  /// Takes zeroed memory for a cache.
  ///
  /// - Parameter isPermanent: whether it is sealed, and never unmapped.
  /// - Returns: its address.
  mutating func take(
    _ tables: inout AllocatorTables, _ system: SysMem, isPermanent: Bool
  ) throws(SysMemError) -> UInt {
    if !isAnnexUsed {
      isAnnexUsed = true
      tables.useAnnex()
      return tables.annex
    }
    var block = 0
    while block < blockCount, blocks[block]?.isFull ?? true { block += 1 }
    if block == blockCount { try addBlock(system, isPermanent) }
    guard let address = blocks[block]?.take() else { corrupted("a block of caches is full") }
    let size = Self.byteCount(system)
    system.sysMapped(byteCount: size)
    system.sysUsed(byteCount: size)
    return address
  }

  private mutating func addBlock(_ system: SysMem, _ isPermanent: Bool) throws(SysMemError) {
    guard blockCount < blocks.count else {
      throw SysMemError(call: .mmap, address: 0, byteCount: 0, errno: .outOfMemory)
    }
    let block = try CacheBlock(64 << blockCount, system, isSealed: isPermanent)
    blocks[blockCount] = block
    bitsByteCount += block.bitsByteCount
    blockCount += 1
  }

  /// Gives the memory of caches back that nobody refers to any more: one behind the other, not the
  /// first of the arena.
  mutating func giveBack(_ caches: Range<UInt>, to system: SysMem) {
    let size = Self.byteCount(system)
    for index in 0..<blockCount where blocks[index]?.contains(caches.lowerBound) ?? false {
      system.sysEmptyGuarded(caches.lowerBound, caches.upperBound - caches.lowerBound)
      for address in stride(from: caches.lowerBound, to: caches.upperBound, by: Int(size)) {
        blocks[index]?.giveBack(address)
      }
    }
  }

  /// Gives all blocks back.
  mutating func free(to system: SysMem) {
    for index in 0..<blockCount { blocks[index]?.free(to: system) }
    blockCount = 0
  }
}
