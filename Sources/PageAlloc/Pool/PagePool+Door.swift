// For callers whose own code is to stay short, and who bring the scavenger's thread: the door for
// C.

extension PagePool {
  /// The run that the calling thread freed last, if it has just so many pages.
  ///
  /// - Parameter pages: any number.
  /// - Returns: its address, which is the caller's now; 0 for none.
  @inlinable @inline(__always)
  package func allocateHot(pages: Int) -> UInt {
    guard let cache = cacheInLastSlot else { return 0 }
    return cache.front.allocateHot(pages)
  }

  /// Takes a run back where its place is free, as the one that is handed out next.
  ///
  /// - Parameters:
  ///   - address: any.
  ///   - pages: any number.
  /// - Returns: `false`, with nothing changed, where there is more to do.
  @inlinable @inline(__always)
  package func deallocateHot(_ address: UInt, pages: Int) -> Bool {
    guard let cache = cacheInLastSlot else { return false }
    return cache.front.deallocateHot(address, pages)
  }

  /// Whether ``scavengeStep()`` is what gives memory back.
  package var scavengesBySteps: Bool { options.scavengesBySteps }

  /// Performs a step of the scavenger in each arena: `PageArena.scavengeStep()`.
  ///
  /// - Returns: nanoseconds to the next step of any of them; `UInt64.max` where there is nothing to
  ///   do until more is freed. `nil` where other threads perform steps of all of them just then.
  /// - Throws: ``PageArenaError/reentered``.
  package func scavengeStep() throws(PageArenaError) -> UInt64? {
    var next: UInt64?
    try forEachArena { arena throws(PageArenaError) in
      if let wait = try arena.scavengeStep() { next = min(next ?? .max, wait) }
    }
    return next
  }
}
