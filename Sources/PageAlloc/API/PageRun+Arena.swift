extension PageRun {
  /// The arena that it is from, also where that is one of a pool's, or waits for its last runs.
  ///
  /// ```swift
  /// let run = try arena.allocateRun(pages: 4)
  /// print(run.arena.label, run.arena.statistics.inUseBytes)
  /// ```
  /// - Complexity: that of ``PageArena/statistics``.
  public var arena: ArenaSummary { ArenaSummary(core) }
}
