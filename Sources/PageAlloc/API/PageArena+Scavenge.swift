import SysMem

extension PageArena {
  /// Gives free memory back to the kernel, from high addresses down.
  ///
  /// The address space stays; what was given back reads as zero when it is handed out again. A call
  /// waits for one that is under way in another thread, and for a batch of the scavenger's. Allocations do
  /// not wait.
  ///
  /// What threads keep at hand is taken only where the rest is not enough.
  ///
  /// - Parameter byteCount: how much at least, as long as there is so much. The last piece may be larger
  ///   than what was missing, so as not to break a huge page.
  /// - Returns: the bytes given back.
  /// - Throws: ``PageArenaError/badByteCount(byteCount:)``; ``PageArenaError/system(_:)`` where the kernel
  ///   refused some of it: that is free as before, the rest was given back.
  /// - Complexity: O(bytes given back + chunks looked at).
  @discardableResult
  public func scavenge(byteCount: Int) throws(PageArenaError) -> Int {
    guard byteCount >= 0 else { throw .badByteCount(byteCount: byteCount) }
    return Int(truncatingIfNeeded: try release(UInt64(byteCount), .request))
  }

  /// Gives all free memory back to the kernel, what threads keep at hand included.
  ///
  /// - Returns: the bytes given back. On a 32-bit host they are at most the largest `Int`.
  /// - Throws: as ``scavenge(byteCount:)``.
  @discardableResult
  public func releaseFreeMemory() throws(PageArenaError) -> Int {
    drainCaches()
    return Int(clamping: try releaseOnce(.max, .request))
  }

  /// Lets the kernel take all free memory when it wants to (`MADV_FREE`).
  ///
  /// Cheaper than giving it back, and cheaper to use again where the kernel did not want it. But until
  /// then the memory counts as resident, here and for everybody who looks at the process, and it does not
  /// read as zero. Never done unless asked for.
  ///
  /// - Returns: the bytes offered.
  /// - Throws: ``PageArenaError/system(_:)`` where the kernel refused some of it.
  /// - Complexity: O(heap).
  @discardableResult
  public func releaseFreeMemoryLazily() throws(PageArenaError) -> Int {
    drainCaches()
    let result = returnPath.releaseLazily()
    if let refusal = result.firstRefusal { throw .system(refusal) }
    return Int(clamping: result.releasedBytes)
  }

  /// Gives free memory back; what threads keep at hand where the rest is not enough.
  ///
  /// - Returns: the bytes given back, `byteCount` at least as long as there is so much.
  /// - Throws: ``PageArenaError/system(_:)`` where the kernel refused some of it.
  func release(_ byteCount: UInt64, _ cause: ReleaseCause) throws(PageArenaError) -> UInt64 {
    let released = try releaseOnce(byteCount, cause)
    if released >= byteCount { return released }
    drainCaches()
    return released + (try releaseOnce(byteCount - released, cause))
  }

  private func releaseOnce(
    _ byteCount: UInt64, _ cause: ReleaseCause
  ) throws(PageArenaError) -> UInt64 {
    let result = returnPath.release(byteCount, .force, cause)
    if let refusal = result.firstRefusal { throw .system(refusal) }
    return result.releasedBytes
  }

  /// The arena without the arena.
  var returnPath: ReturnPath { unsafe ReturnPath(base: base, system: system, state: state) }

  /// One step of the scavenger, for a check with a clock of its own. The arena must have no thread.
  package func backgroundStep(isStalled: Bool = false) -> ScavengeStep {
    returnPath.backgroundStep(isStalled: isStalled)
  }

  /// Whether the scavenger's thread exists, and whether it sleeps until it is signalled.
  package var scavengerThread: (exists: Bool, isParked: Bool) {
    // The state lives as long as the arena.
    unsafe state.locks.pointee.heap.lock()
    defer { unsafe state.locks.pointee.heap.unlock() }
    return unsafe (state.pointee.scavenger.hasThread, state.pointee.scavenger.phase == .parked)
  }
}
