import SysMem

extension PageArena {
  /// Gathers memory in use into huge pages, now (`MADV_COLLAPSE`).
  ///
  /// Takes the units of a huge page, 2 MiB as a rule, of which every page is in use; others would
  /// take memory that nobody asked for. So would those in which nothing is, since nobody has
  /// written to them or ``PageRun/discard()`` was called: they stay as they are, and so do those
  /// that nobody may access, by ``PageRun/protect(_:)``. Takes about a millisecond for each; other
  /// threads allocate and free meanwhile, but nothing goes back to the kernel.
  ///
  /// - Returns: the bytes that are backed by huge pages now, of those looked at. 0 in an arena that
  ///   avoids huge pages.
  /// - Throws: ``PageArenaError/system(_:)``: the kernel refused for another reason than that it
  ///   has no huge page to give just now, or every unit, as where it does not know the call. What
  ///   was gathered before stays so.
  /// - Complexity: O(memory in use).
  @discardableResult
  public func collapse() throws(PageArenaError) -> Int {
    try core.requireOutside()
    return try core.collapse()
  }

  /// Bytes of the arena that are backed by huge pages, as the kernel says in `/proc/self/smaps`;
  /// `nil` where it does not.
  ///
  /// - Complexity: O(mappings of the process): a fraction of a millisecond as a rule, far more than
  ///   ``statistics``.
  public func hugePageBytes() -> UInt64? {
    var scan = HugePageScan()
    core.withGrowth { growth in
      for index in 0..<growth.reservation.pieceCount {
        scan.add(growth.reservation[index].mapping)
      }
    }
    return scan.run()
  }
}
