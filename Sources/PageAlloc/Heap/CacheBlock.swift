import SysMem

/// A mapping for many caches, and a bit for each of their places: 1 where an arena parted with the
/// cache that was there.
struct CacheBlock {
  private let start: UInt
  private let capacity: Int
  private let cacheByteCount: UInt
  let bitsByteCount: UInt
  /// Places that were ever taken.
  private var used = 0
  /// Of these, places without a cache.
  private var idle = 0

  /// Maps a block of so many places.
  init(_ capacity: Int, _ system: SysMem, isSealed: Bool) throws(SysMemError) {
    self.capacity = capacity
    cacheByteCount = CacheMemory.byteCount(system)
    bitsByteCount = system.roundedToPhysicalPages(UInt(capacity / 8))
    start = try system.sysMapGuarded(
      bitsByteCount + UInt(capacity) * cacheByteCount, readyByteCount: bitsByteCount,
      isSealed: isSealed)
  }

  var isFull: Bool { used == capacity && idle == 0 }

  func contains(_ address: UInt) -> Bool {
    address >= start && address < start + bitsByteCount + UInt(capacity) * cacheByteCount
  }

  /// Takes a place.
  ///
  /// - Returns: its address; 0 where the block is full.
  mutating func take() -> UInt {
    if idle > 0 {
      for word in 0..<(capacity / 64) where bits[word] != 0 {
        let index = word * 64 + bits[word].trailingZeroBitCount
        bits[word] &= bits[word] &- 1
        idle -= 1
        return address(of: index)
      }
    }
    if used == capacity { return 0 }
    used += 1
    return address(of: used - 1)
  }

  /// Takes a place back, whose memory the kernel has.
  mutating func giveBack(_ address: UInt) {
    let index = Int((address - start - bitsByteCount) / cacheByteCount)
    bits[index / 64] |= 1 &<< UInt64(index & 63)
    idle += 1
  }

  /// Unmaps the block.
  func free(to system: SysMem) {
    system.sysFreeGuarded(
      start, bitsByteCount + UInt(capacity) * cacheByteCount,
      readyByteCount: bitsByteCount + UInt(used - idle) * cacheByteCount)
  }

  private func address(of index: Int) -> UInt {
    start + bitsByteCount + UInt(index) * cacheByteCount
  }

  /// The bits of 64 places, which lie before the first.
  private var bits: MappedTable<UInt64> { unsafe MappedTable(at: start, count: capacity / 64) }
}
