// Tables of ours: whole mappings of their own, between two guard pages.
//
// Where the kernel has markers, such a mapping is one to the kernel, too; else the guards are two
// more, of which neighbours' may become one.

extension SysMem {
  /// None → ready: zeroed memory between guard pages, rounded up to whole physical pages.
  ///
  /// - Parameters:
  ///   - readyByteCount: how much of it is ready now, if not all; the rest counts as reserved until
  ///     it is ``sysMapped(byteCount:)``.
  ///   - isSealed: whether it is sealed, where the kernel can, and never freed.
  /// - Returns: its address.
  /// - Throws: the kernel refused; nothing stays behind.
  public func sysMapGuarded(
    _ byteCount: UInt, readyByteCount: UInt? = nil, isSealed: Bool = false
  ) throws(SysMemError) -> UInt {
    let guardSize = UInt(physicalPageSize)
    let size = roundedToPhysicalPages(byteCount)
    let whole = size + 2 * guardSize
    let start = try sysReserve(whole, as: .readWrite)
    tablesName.withBytesAndZero { calls.name(start, whole, $0) }
    do throws(SysMemError) {
      try sysGuard(start, guardSize)
      try sysGuard(start + guardSize + size, guardSize)
    } catch {
      // Ours, and whole.
      sysFreeAtLast(start, whole)
      throw error
    }
    sysMapped(byteCount: readyByteCount ?? size)
    sysUsed(byteCount: readyByteCount ?? size)
    if isSealed { sysSeal(start, whole) }
    return start + guardSize
  }

  /// Ready → none, for what `sysMapGuarded` gave.
  ///
  /// - Parameter readyByteCount: how much of it is ready, if not all.
  public func sysFreeGuarded(
    _ address: UInt, _ byteCount: UInt, readyByteCount: UInt? = nil
  ) {
    let guardSize = UInt(physicalPageSize)
    let size = roundedToPhysicalPages(byteCount)
    // A mapping of its own, whole: there is nothing to refuse.
    sysFreeAtLast(
      address - guardSize, size + 2 * guardSize, readyByteCount: readyByteCount ?? size)
  }

  /// Ready → reserved, for a part of what `sysMapGuarded` gave: the contents go, and it reads as
  /// zero when it is ``sysMapped(byteCount:)`` again. What the kernel does not take is cleared by
  /// hand.
  public func sysEmptyGuarded(_ address: UInt, _ byteCount: UInt) {
    if (try? advise(address, byteCount, .dontNeed)) == nil,
      let memory = unsafe UnsafeMutableRawPointer(bitPattern: address)
    {
      // Mapped, and the caller's.
      unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: Int(byteCount))
    }
    sysUnused(byteCount: byteCount)
    sysUnmapped(byteCount: byteCount)
  }

  /// Makes memory fault at any access for good: by markers where the kernel has them, else by
  /// access rights. Changes no state.
  ///
  /// - Throws: `mprotect` was refused.
  private func sysGuard(_ address: UInt, _ byteCount: UInt) throws(SysMemError) {
    // Locked memory takes no markers, whatever the kernel has.
    if calls.canMarkGuards, (try? advise(address, byteCount, .installGuard)) != nil { return }
    try protect(address, byteCount, .none)
  }
}
