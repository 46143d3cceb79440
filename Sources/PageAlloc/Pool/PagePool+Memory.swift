import CSysMem
import Synchronization

extension PagePool {
  /// What the arenas hold together, and what they gave back.
  ///
  /// ``PageArena/Statistics/reservedBytes`` counts the arenas that were made; all that is reserved
  /// is ``reservedByteCount``. Peaks are sums of what each arena had at its own time. A request
  /// that went on to another arena counts as refused by those that had no room.
  /// ``PageArena/Statistics/largestFreeRun`` is what an arena has that was made: where another can
  /// be, a run of nearly 4 GiB can be had.
  /// - Complexity: O(arenas).
  public var statistics: PageArena.Statistics {
    var sum = PageArena.Statistics.zero
    for index in 0..<arenas.count {
      _ = withArena(index) { sum += $0.statistics }
    }
    return sum
  }

  /// How many arenas were made.
  ///
  /// - Complexity: O(arenas that there may be).
  public var arenaCount: Int {
    var count = 0
    for index in 0..<arenas.count { if withArena(index, { _ in true }) ?? false { count += 1 } }
    return count
  }

  /// Address space in bytes: 4 GiB for each arena that there may be.
  public var reservedByteCount: UInt64 { UInt64(mostArenas) * Self.arenaByteCount }

  /// Asks the kernel how much of the pool's pages is in memory now, the tables of its arenas aside.
  ///
  /// - Returns: bytes.
  /// - Throws: as ``PageArena/measureResident()``.
  /// - Complexity: as there.
  public func measureResident() throws(PageArenaError) -> UInt64 {
    var sum: UInt64 = 0
    try forEachArena { arena throws(PageArenaError) in sum += try arena.measureResident() }
    return sum
  }

  /// Gives free memory back to the kernel, at least so much as long as there is so much.
  ///
  /// - Parameter byteCount: in bytes.
  /// - Returns: the bytes given back.
  /// - Throws: as ``PageArena/scavenge(byteCount:)``.
  /// - Complexity: as there, and O(arenas).
  @discardableResult
  public func scavenge(byteCount: Int) throws(PageArenaError) -> Int {
    guard byteCount >= 0 else { throw .badByteCount(byteCount: byteCount) }
    var released = 0
    try forEachArena { arena throws(PageArenaError) in
      if released < byteCount {
        released += try arena.scavenge(byteCount: byteCount - released)
      }
    }
    return released
  }

  /// Gives all free memory back to the kernel, what threads keep at hand included; of an arena of
  /// which nothing is in use, its page tables and most of its own tables, too. The scavenger in the
  /// background does the same when it finds one.
  ///
  /// - Returns: the bytes given back.
  /// - Throws: as ``PageArena/releaseFreeMemory()``.
  /// - Complexity: O(arenas), and as there for each.
  @discardableResult
  public func releaseFreeMemory() throws(PageArenaError) -> Int {
    var released = 0
    try forEachArena { arena throws(PageArenaError) in
      released += try arena.releaseFreeMemory()
      arena.core.retreat()
    }
    return released
  }

  /// Lets the kernel take all free memory when it wants to, as
  /// ``PageArena/releaseFreeMemoryLazily()``: until then it counts as resident.
  ///
  /// ```swift
  /// let pool = try PagePool(reserving: 64 << 30)
  /// let byteCount = try pool.releaseFreeMemoryLazily()
  /// print(byteCount, "bytes offered")
  /// ```
  ///
  /// - Returns: the bytes offered.
  /// - Throws: as there; the arenas before the one where the kernel refused have offered theirs.
  /// - Complexity: O(arenas), and as there for each.
  @discardableResult
  public func releaseFreeMemoryLazily() throws(PageArenaError) -> Int {
    var offered = 0
    try forEachArena { arena throws(PageArenaError) in
      offered += try arena.releaseFreeMemoryLazily()
    }
    return offered
  }

  /// Sets another bound on what the arenas have resident together.
  ///
  /// - Throws: as ``PageArena/setMemoryLimit(_:)``.
  /// - Complexity: O(arenas).
  public func setMemoryLimit(_ limit: PageArena.MemoryLimit) throws(PageArenaError) {
    try limit.check()
    try forEachArena { arena throws(PageArenaError) in try arena.core.requireOutside() }
    try account.withSettings { () throws(PageArenaError) in
      // Under a lock that a fork takes: it finds all of the limit changed, or nothing.
      _ = withArena(0) { arena in
        arena.core.withHeap { _ in
          account.set(limit.poolLimits, groupFraction: limit.groupFraction)
        }
      }
      try forEachArena { arena in arena.core.refitShare(account) }
      // Others may claim meanwhile; what they get is not missing any more.
      try forEachArena { arena in arena.core.shrinkShare(account) }
      // Once more, for the bounds that follow from what all of them have.
      try forEachArena { arena in arena.core.shrinkShare(account) }
    }
    try keepSoftLimit()
  }

  /// Gives free memory back until the soft limit is kept, as far as there is so much.
  private func keepSoftLimit() throws(PageArenaError) {
    let limit = account.limits.softPages
    if limit == .max { return }
    let bound = UInt64(limit) << UInt64(Geometry.pageShift)
    let resident = statistics.maybeResidentBytes
    if resident > bound { try scavenge(byteCount: Int(clamping: resident - bound)) }
  }

  /// The bounds in force, in bytes; `nil` where there is none. Those of a control group are what it
  /// leaves to the first arena just now.
  public var memoryLimits: (soft: UInt64?, hard: UInt64?) {
    let limits = account.limits
    if !limits.isAny { return withArena(0) { $0.memoryLimits } ?? (nil, nil) }
    func bytes(_ pages: Int) -> UInt64? {
      pages == .max ? nil : UInt64(pages) << UInt64(Geometry.pageShift)
    }
    return (bytes(limits.softPages), bytes(limits.hardPages))
  }

  /// Holds the pool for a fork: for a pool whose ``PageArena/Options/forkHandling`` is manual, as
  /// ``PageArena/prepareForFork()``.
  ///
  /// - Complexity: O(arenas).
  public func prepareForFork() {
    ForkHandlers.prepare { body in
      for index in 0..<arenas.count { _ = withArena(index) { body($0.core) } }
    }
  }

  /// Lets the pool go again in the parent, after a fork.
  ///
  /// - Complexity: O(arenas).
  public func resumeInParentAfterFork() {
    for index in 0..<arenas.count { _ = withArena(index) { $0.resumeInParentAfterFork() } }
  }

  /// Lets the pool go again in the child, after a fork.
  ///
  /// - Complexity: O(arenas), and as ``PageArena/resumeInChildAfterFork()``.
  public func resumeInChildAfterFork() {
    for index in 0..<arenas.count { _ = withArena(index) { $0.resumeInChildAfterFork() } }
  }

  /// How many processors the process may use, at least 1.
  static let processorCount = max(1, Int(csm_processor_count()))
}
