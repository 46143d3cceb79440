import SysMem

extension PageArena {
  /// Gives free memory back to the kernel, from high addresses down.
  ///
  /// The address space stays; what was given back reads as zero when it is handed out again. A call
  /// waits for one that is under way in another thread, and for a batch of the scavenger's.
  /// Allocations do not wait.
  ///
  /// What threads keep at hand is taken only where the rest is not enough.
  ///
  /// ```swift
  /// let byteCount = try arena.scavenge(byteCount: 16 << 20)
  /// print(byteCount, "bytes given back")
  /// ```
  ///
  /// - Parameter byteCount: how much at least, as long as there is so much. The last piece may be
  ///   larger than what was missing, so as not to break a huge page.
  /// - Returns: the bytes given back.
  /// - Throws: ``PageArenaError/badByteCount(byteCount:)``; ``PageArenaError/system(_:)`` where the
  ///   kernel refused some of it: that is free as before, the rest was given back.
  /// - Complexity: O(bytes given back + chunks looked at).
  @discardableResult
  public func scavenge(byteCount: Int) throws(PageArenaError) -> Int {
    guard byteCount >= 0 else { throw .badByteCount(byteCount: byteCount) }
    try core.requireOutside()
    return Int(clamping: try core.release(UInt64(byteCount), .request))
  }

  /// Gives all free memory back to the kernel, what threads keep at hand included.
  ///
  /// - Returns: the bytes given back. On a 32-bit host they are at most the largest `Int`.
  /// - Throws: as ``scavenge(byteCount:)``.
  /// - Complexity: O(caches + bytes given back + chunks).
  @discardableResult
  public func releaseFreeMemory() throws(PageArenaError) -> Int {
    try core.requireOutside()
    drainCaches()
    core.dropRetiredCaches()
    return Int(clamping: try core.releaseOnce(.max, .request))
  }

  /// Lets the kernel take all free memory when it wants to (`MADV_FREE`).
  ///
  /// Cheaper than giving it back, and cheaper to use again where the kernel did not want it. But
  /// until then the memory counts as resident, here and for everybody who looks at the process, and
  /// it does not read as zero. Never done unless asked for.
  ///
  /// - Returns: the bytes offered.
  /// - Throws: ``PageArenaError/system(_:)`` where the kernel refused some of it.
  /// - Complexity: O(heap).
  @discardableResult
  public func releaseFreeMemoryLazily() throws(PageArenaError) -> Int {
    try core.requireOutside()
    drainCaches()
    let result = Releaser(core).releaseLazily()
    if let refusal = result.firstRefusal { throw .system(refusal) }
    return Int(clamping: result.releasedBytes)
  }

  /// Takes back what all caches hold, those of idle threads included.
  package func drainCaches() { core.drainCaches(own: core.cacheInItsSlot()) }
}
