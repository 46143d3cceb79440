import SysMem

// The memory of caches
// ====================
//
// The first cache of an arena lies among its tables; the others in blocks, each of one mapping
// between two guards, so that a thousand threads that start do not map a thousand times:
//
//   tables | cache | table |       | cache | cache | ... 64 |       | cache | ... 128 |       ...
//
// A block is address space until its caches are used. A cache is not unmapped before the arena
// ends. The guards are around the block: every index into a cache is that of a size of a run or of
// a level, which are checked before.

/// Where the next cache of an arena will lie. Guarded by the growth lock.
struct CacheMemory {
  private var isAnnexUsed = false
  private var next: UInt = 0
  /// Caches for which there is room at `next`.
  private var left = 0
  private var blocks = InlineArray<11, UInt>(repeating: 0)
  private var blockCount = 0
  /// Caches that were taken from the blocks, for the statistics of their end.
  private var taken = 0

  /// Bytes that a cache takes: whole pages of the kernel's.
  static func byteCount(_ system: SysMem) -> UInt {
    system.roundedToPhysicalPages(UInt(MemoryLayout<RunCache>.size))
  }

  /// Bytes that so many caches take besides the tables, among which the first lies.
  static func byteCount(forCaches count: Int, _ system: SysMem) -> UInt {
    UInt(max(0, count - 1)) * byteCount(system)
  }

  /// Caches in a block.
  private static func capacity(_ block: Int) -> Int { 64 << block }

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
    let size = Self.byteCount(system)
    if left == 0 { try addBlock(size, system, isPermanent) }
    let address = next
    next += size
    left -= 1
    taken += 1
    system.sysMapped(byteCount: size)
    system.sysUsed(byteCount: size)
    return address
  }

  private mutating func addBlock(
    _ size: UInt, _ system: SysMem, _ isPermanent: Bool
  ) throws(SysMemError) {
    guard blockCount < blocks.count else {
      throw SysMemError(call: .mmap, address: 0, byteCount: size, errno: .outOfMemory)
    }
    let capacity = Self.capacity(blockCount)
    next = try system.sysMapGuarded(
      UInt(capacity) * size, readyByteCount: 0, isSealed: isPermanent)
    left = capacity
    blocks[blockCount] = next
    blockCount += 1
  }

  /// Gives all blocks back.
  mutating func free(to system: SysMem) {
    let size = Self.byteCount(system)
    for index in 0..<blockCount {
      let here = min(taken, Self.capacity(index))
      taken -= here
      system.sysFreeGuarded(
        blocks[index], UInt(Self.capacity(index)) * size, readyByteCount: UInt(here) * size)
    }
    blockCount = 0
  }
}
