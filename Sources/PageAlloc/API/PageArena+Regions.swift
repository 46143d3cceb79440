extension PageRegion {
  /// Reserves address space whose memory counts as an arena's: by what is committed, in its figures
  /// (``PageArena/Statistics/regionBytes``) and for its limits. A limit of the arena's refuses to
  /// have it grow as it refuses pages.
  ///
  /// The arena may go first: what it has stays until the region has gone, too.
  ///
  /// - Parameters: as for ``init(reserving:guardByteCount:allowsWritableCode:)``, and the arena.
  /// - Throws: as there, and ``PageArenaError/reentered``.
  /// - Complexity: as there.
  public init(
    reserving byteCount: Int, guardByteCount: Int = 0, allowsWritableCode: Bool = false,
    countedIn arena: PageArena
  ) throws(PageArenaError) {
    try arena.core.requireOutside()
    try self.init(
      reserving: byteCount, guardByteCount: guardByteCount,
      allowsWritableCode: allowsWritableCode, countedIn: arena.core)
  }
}
