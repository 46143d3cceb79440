import SysMem

extension PageArena {
  /// Gives free memory back to the kernel, from high addresses down.
  ///
  /// The address space stays; what was given back reads as zero when it is handed out again. A call
  /// waits for one that is under way in another thread. Allocations do not wait.
  ///
  /// - Parameter byteCount: how much at least, as long as there is so much. The last piece may be larger
  ///   than what was missing, so as not to break a huge page.
  /// - Returns: the bytes given back.
  /// - Throws: ``PageArenaError/badByteCount(byteCount:)``; ``PageArenaError/system(_:)`` where the kernel
  ///   refused: what it refused is free as before.
  /// - Complexity: O(bytes given back + chunks looked at).
  @discardableResult
  public func scavenge(byteCount: Int) throws(PageArenaError) -> Int {
    guard byteCount >= 0 else { throw .badByteCount(byteCount: byteCount) }
    return Int(truncatingIfNeeded: try release(UInt64(byteCount), .force))
  }

  /// Gives all free memory back to the kernel.
  ///
  /// - Returns: the bytes given back. On a 32-bit host they are at most the largest `Int`.
  /// - Throws: as ``scavenge(byteCount:)``.
  @discardableResult
  public func releaseFreeMemory() throws(PageArenaError) -> Int {
    drainCaches()
    return Int(clamping: try release(.max, .force))
  }

  private func release(
    _ byteCount: UInt64, _ mode: ScavengeMode
  ) throws(PageArenaError) -> UInt64 {
    unsafe state.pointee.release.lock()
    defer { unsafe state.pointee.release.unlock() }
    var released: UInt64 = 0
    while released < byteCount {
      unsafe state.pointee.heap.lock()
      let candidate = unsafe state.pointee.detach(byteCount - released, mode)
      unsafe state.pointee.heap.unlock()
      guard let candidate else { break }

      let size = UInt(candidate.count) << UInt(Geometry.pageShift)
      var refusal: SysMemError?
      do throws(SysMemError) {
        try system.sysUnused(address(of: candidate.lowerBound), size)
      } catch { refusal = error }

      unsafe state.pointee.heap.lock()
      unsafe state.pointee.reattach(candidate, scavenged: refusal == nil)
      unsafe state.pointee.heap.unlock()
      if let refusal { throw .system(refusal) }
      released += UInt64(size)
    }
    return released
  }
}

extension ArenaState {
  /// Takes free pages out of reach of everybody, to be given back. Call with `heap` held.
  mutating func detach(_ byteCount: UInt64, _ mode: ScavengeMode) -> Range<PageNumber>? {
    guard let run = allocator.detachCandidate(byteCount, mode) else { return nil }
    detached = run
    return run
  }

  /// Makes them free again. Call with `heap` held.
  mutating func reattach(_ run: Range<PageNumber>, scavenged: Bool) {
    detached = 0..<0
    allocator.reattach(run, scavenged: scavenged)
    if scavenged { scavengedPages += run.count }
  }
}
