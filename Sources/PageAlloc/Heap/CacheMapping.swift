import SysMem

/// The memory of a cache: pages of its own, between guard pages.
enum CacheMapping {
  /// Maps zeroed memory for one cache.
  ///
  /// - Parameter isPermanent: whether it is sealed, and never unmapped.
  /// - Returns: its address.
  static func map(_ system: SysMem, isPermanent: Bool) throws(SysMemError) -> UInt {
    try system.sysMapGuarded(UInt(MemoryLayout<RunCache>.size), isSealed: isPermanent)
  }

  /// Gives it back.
  static func unmap(_ address: UInt, _ system: SysMem) {
    system.sysFreeGuarded(address, UInt(MemoryLayout<RunCache>.size))
  }

  /// Bytes that a cache takes.
  static func byteCount(_ system: SysMem) -> UInt {
    system.roundedToPhysicalPages(UInt(MemoryLayout<RunCache>.size))
  }
}

extension ArenaCore {
  /// Gives back the memory of caches that have no owner.
  func unmapRetiredCaches() {
    if isPermanent { return }
    var next = withHeap { $0.removeRetiredCaches() }
    while let cache = next {
      next = cache.contents.nextRetired
      CacheMapping.unmap(cache.address, system)
    }
  }
}
