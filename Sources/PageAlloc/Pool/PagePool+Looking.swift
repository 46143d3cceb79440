extension PagePool {
  /// What the program calls its arenas: ``PageArena/Options/label``.
  public var label: String { options.label }

  /// Calls `body` with each run in use, in the order of their addresses.
  ///
  /// ```swift
  /// let pool = try PagePool(reserving: 64 << 30)
  /// pool.forEachRun { run in print(String(run.address, radix: 16), run.pages) }
  /// ```
  ///
  /// - Throws: what `body` throws.
  /// - Complexity: as ``PageArena/forEachRun(_:)``, for each arena.
  public func forEachRun<Failure: Error>(
    _ body: (PageExtent) throws(Failure) -> Void
  ) throws(Failure) {
    for index in 0..<arenas.count {
      _ = try withArena(index) { arena throws(Failure) in try arena.forEachRun(body) }
    }
  }

  /// What every page is, of each arena that was made, in the order of their addresses: each by
  /// itself, and after the one before.
  ///
  /// - Complexity: as ``PageArena/snapshot()``, for each arena.
  public func snapshots() -> [PageSnapshot] {
    var snapshots: [PageSnapshot] = []
    for index in 0..<arenas.count {
      if let snapshot = withArena(index, { $0.snapshot() }) { snapshots.append(snapshot) }
    }
    return snapshots
  }

  /// Runs in use by who allocated them, as ``PageArena/leaks``: a report for each arena that was
  /// made.
  ///
  /// - Complexity: as there, for each arena.
  public var leaks: [LeakReport] {
    var reports: [LeakReport] = []
    for index in 0..<arenas.count {
      if let report = withArena(index, { $0.leaks }) { reports.append(report) }
    }
    return reports
  }

  /// What a checked pool knows of a run, as ``PageArena/diagnose(_:)``.
  ///
  /// - Returns: `nil` for an address that is not the pool's, too.
  /// - Complexity: as there.
  public func diagnose(_ address: UInt) -> RunRecord? {
    guard let index = index(of: address) else { return nil }
    return withArena(index) { $0.diagnose(address) } ?? nil
  }
}
