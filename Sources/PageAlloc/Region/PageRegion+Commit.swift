import SysMem
import Synchronization

// What is memory: up to where, and which parts of it were given back.

extension PageRegion {
  /// Makes more of it memory, which reads as zero.
  ///
  /// ```swift
  /// var region = try PageRegion(reserving: 1 << 30)
  /// try region.grow(to: 64 << 10)
  /// print(region.byteCount)  // 65536; its address is as before
  /// ```
  ///
  /// - Parameter byteCount: how far it is to go, rounded up to a whole page of the kernel's; less
  ///   than it has changes nothing.
  /// - Throws: ``PageArenaError/outOfBounds(lowerBound:upperBound:limit:)`` beyond what is
  ///   reserved, ``PageArenaError/system(_:)`` where the kernel has no memory to promise;
  ///   ``PageArenaError/limitReached(pages:inUseBytes:limitBytes:)`` where it counts as an arena's
  ///   and the limit does not admit it; ``PageArenaError/reentered`` likewise, by a signal's
  ///   handler. It is as before.
  /// - Complexity: one call of the kernel's.
  public mutating func grow(to byteCount: Int) throws(PageArenaError) {
    guard byteCount >= 0, byteCount <= reservedByteCount else {
      throw .outOfBounds(lowerBound: 0, upperBound: byteCount, limit: reservedByteCount)
    }
    let mask = granularity - 1
    let wanted = (byteCount + mask) & ~mask
    if wanted <= end { return }
    try map(end..<wanted)
    end = wanted
  }

  /// Gives back what lies behind a size.
  ///
  /// - Parameter byteCount: what stays, rounded up to a whole page of the kernel's; more than it
  ///   has changes nothing.
  /// - Throws: as ``grow(to:)``.
  /// - Complexity: one call of the kernel's.
  public mutating func shrink(to byteCount: Int) throws(PageArenaError) {
    guard byteCount >= 0, byteCount <= reservedByteCount else {
      throw .outOfBounds(lowerBound: 0, upperBound: byteCount, limit: reservedByteCount)
    }
    let mask = granularity - 1
    let wanted = (byteCount + mask) & ~mask
    if wanted >= end { return }
    try unmap(wanted..<end)
    cutHoles(wanted..<end)
    end = wanted
  }

  /// Gives memory back, with its contents: it becomes a hole, where any access faults.
  ///
  /// ```swift
  /// var region = try PageRegion(reserving: 1 << 30)
  /// try region.grow(to: 1 << 20)
  /// try region.decommit(in: 0..<(256 << 10))
  /// print(region.committedByteCount)  // 786432
  /// ```
  ///
  /// - Parameter range: in bytes, whole pages of the kernel's, as far as it has grown. What is a
  ///   hole already stays that.
  /// - Throws: ``PageArenaError/outOfBounds(lowerBound:upperBound:limit:)``,
  ///   ``PageArenaError/partOfPhysicalPage(base:physicalPageSize:)``;
  ///   ``PageArenaError/tooManyHoles(limit:)``, ``PageArenaError/tooManyMappings(limit:)``;
  ///   ``PageArenaError/system(_:)``. It is as before.
  /// - Complexity: one call of the kernel's.
  public mutating func decommit(in range: Range<Int>) throws(PageArenaError) {
    try check(range)
    if range.isEmpty { return }
    // With those that it touches it becomes one.
    var first = 0
    while first < holes.count, holes[first].upperBound < range.lowerBound { first += 1 }
    var last = first
    var whole = range
    while last < holes.count, holes[last].lowerBound <= range.upperBound {
      let lower = min(whole.lowerBound, holes[last].lowerBound)
      whole = lower..<max(whole.upperBound, holes[last].upperBound)
      last += 1
    }
    if first == last {
      if holes.isFull { throw .tooManyHoles(limit: Self.maximumHoleCount) }
      guard MappingBudget.add(2) else { throw .tooManyMappings(limit: MappingBudget.limit) }
    }
    try unmap(range)
    for _ in first..<last { holes.remove(at: first) }
    holes.insert(whole, at: first)
  }

  /// Makes memory again of holes; it reads as zero.
  ///
  /// - Parameter range: as for ``decommit(in:)``. What is memory already stays as it is.
  /// - Throws: as ``decommit(in:)`` and ``grow(to:)``. Where the range has several holes, some of
  ///   them may be filled.
  /// - Complexity: one call of the kernel's for each hole.
  public mutating func commit(in range: Range<Int>) throws(PageArenaError) {
    try check(range)
    while let (hole, part) = nextHole(in: range) {
      if part.lowerBound > hole.lowerBound, part.upperBound < hole.upperBound {
        // It is cut in two: there is no other one, then.
        if holes.isFull { throw .tooManyHoles(limit: Self.maximumHoleCount) }
        guard MappingBudget.add(2) else { throw .tooManyMappings(limit: MappingBudget.limit) }
      }
      try map(part)
      cutHoles(part)
    }
  }

  /// The first hole in a range, and what of it lies there.
  func nextHole(in range: Range<Int>) -> (hole: Range<Int>, part: Range<Int>)? {
    for index in 0..<holes.count {
      let part = holes[index].clamped(to: range)
      if !part.isEmpty { return (holes[index], part) }
    }
    return nil
  }

  /// Takes a range out of the holes.
  mutating func cutHoles(_ range: Range<Int>) {
    var index = 0
    while index < holes.count {
      let hole = holes[index]
      let part = hole.clamped(to: range)
      if part.isEmpty {
        index += 1
        continue
      }
      holes.remove(at: index)
      if part.upperBound < hole.upperBound {
        holes.insert(part.upperBound..<hole.upperBound, at: index)
      }
      if hole.lowerBound < part.lowerBound {
        holes.insert(hole.lowerBound..<part.lowerBound, at: index)
        index += 1
      }
    }
  }

  /// Whole pages of the kernel's, below the end.
  func check(_ range: Range<Int>) throws(PageArenaError) {
    guard range.lowerBound >= 0, range.upperBound <= end else {
      throw .outOfBounds(lowerBound: range.lowerBound, upperBound: range.upperBound, limit: end)
    }
    guard (range.lowerBound | range.upperBound) & (granularity - 1) == 0 else {
      throw .partOfPhysicalPage(
        base: address + UInt(range.lowerBound), physicalPageSize: granularity)
    }
  }

  private mutating func map(_ range: Range<Int>) throws(PageArenaError) {
    if account != nil, InsideMark.isAny { throw .reentered }
    let before = committedByteCount
    try account?.set(byteCount: before + range.count)
    do throws(SysMemError) {
      try system.sysMap(address + UInt(range.lowerBound), UInt(range.count))
    } catch {
      try account?.set(byteCount: before)
      throw .system(error)
    }
    Self.committed.add(UInt64(range.count), ordering: .relaxed)
  }

  /// - Parameter range: below the end; holes in it are not counted twice.
  private mutating func unmap(_ range: Range<Int>) throws(PageArenaError) {
    if account != nil, InsideMark.isAny { throw .reentered }
    var bytes = range.count
    for index in 0..<holes.count { bytes -= holes[index].clamped(to: range).count }
    let rest = committedByteCount - bytes
    do throws(SysMemError) {
      try system.sysFault(
        address + UInt(range.lowerBound), UInt(range.count), preparedByteCount: UInt(bytes))
    } catch { throw .system(error) }
    try account?.set(byteCount: rest)
    Self.committed.subtract(UInt64(bytes), ordering: .relaxed)
  }
}
