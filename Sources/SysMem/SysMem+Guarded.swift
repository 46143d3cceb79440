// Tables of ours: whole mappings of their own, between two guard pages.

extension SysMem {
  /// None → ready: zeroed memory between guard pages, rounded up to whole physical pages.
  ///
  /// - Parameter isSealed: whether it is sealed, where the kernel can, and never freed.
  /// - Returns: its address.
  /// - Throws: the kernel refused; nothing stays behind.
  public func sysMapGuarded(_ byteCount: UInt, isSealed: Bool = false) throws(SysMemError) -> UInt {
    let guardSize = UInt(physicalPageSize)
    let size = roundedToPhysicalPages(byteCount)
    let reservation = try sysReserve(size + 2 * guardSize)
    do throws(SysMemError) {
      try sysMap(reservation + guardSize, size)
    } catch {
      // Ours, and whole.
      sysFreeAtLast(reservation, size + 2 * guardSize)
      throw error
    }
    sysUsed(byteCount: size)
    if isSealed { sysSeal(reservation, size + 2 * guardSize) }
    return reservation + guardSize
  }

  /// Ready → none, for what `sysMapGuarded` gave.
  public func sysFreeGuarded(_ address: UInt, _ byteCount: UInt) {
    let guardSize = UInt(physicalPageSize)
    let size = roundedToPhysicalPages(byteCount)
    // A mapping of its own, whole: there is nothing to refuse.
    sysFreeAtLast(address - guardSize, size + 2 * guardSize, readyByteCount: size)
  }
}
