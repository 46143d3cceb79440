extension PageRegion {
  /// Reserves address space whose memory counts as a pool's, in its figures and for its limit.
  ///
  /// - Parameters: as for ``init(reserving:guardByteCount:allowsWritableCode:countedIn:)``.
  /// - Throws: as there.
  /// - Complexity: as there.
  public init(
    reserving byteCount: Int, guardByteCount: Int = 0, allowsWritableCode: Bool = false,
    countedIn pool: PagePool
  ) throws(PageArenaError) {
    // Which arena it is makes no difference to the pool's figures and limits; the first is there.
    guard let core = pool.withArena(0, { $0.core }) else { corrupted("a pool without an arena") }
    try core.requireOutside()
    try self.init(
      reserving: byteCount, guardByteCount: guardByteCount,
      allowsWritableCode: allowsWritableCode, countedIn: core)
  }
}
