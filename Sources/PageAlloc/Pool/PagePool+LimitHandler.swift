extension PagePool {
  /// Sets what is called when the pool's limit is about to refuse a request: as
  /// ``PageArena/setLimitHandler(_:)``.
  ///
  /// - Parameter handler: as there. It must not hold the pool.
  /// - Throws: as there.
  /// - Complexity: as there.
  public func setLimitHandler(
    _ handler: (@Sendable (_ pages: Int) -> Bool)?
  ) throws(PageArenaError) {
    // The arenas of a pool have one, whichever is told; the first is always there.
    try withArena(0) { arena throws(PageArenaError) in try arena.setLimitHandler(handler) }
  }

  /// As `PageArena.replaceLimitHandler(_:)`.
  package func replaceLimitHandler(
    _ handler: (@Sendable (_ pages: Int) -> Bool)?
  ) throws(PageArenaError) {
    try withArena(0) { arena throws(PageArenaError) in try arena.replaceLimitHandler(handler) }
  }
}
