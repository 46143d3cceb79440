import SysMem
import Synchronization

// A piece of address space that never moves
// =========================================
//
//   address                       end                        reservedByteCount
//    | committed |  hole  | committed |        reserved          |    guard    |
//    |    rw     | faults |    rw     |         faults           |   faults    |
//
// All of it is mapped at once, as address space that costs nothing. From its start on it becomes
// memory as it is asked for, in place; parts of that may be given back, as holes.

/// A piece of address space of any size, committed on demand, which never moves: the linear memory
/// of a virtual machine, a stack, a table that grows under pointers into it.
///
/// It can be moved to another thread, but not copied. Where it ends, all goes at once.
///
/// ```swift
/// var memory = try PageRegion(reserving: 1 << 30, guardByteCount: 32 << 20)
/// try memory.grow(to: 64 << 10)
/// var bytes = memory.mutableBytes
/// bytes.storeBytes(of: 42, as: Int.self)
/// ```
@safe
public struct PageRegion: ~Copyable, @unchecked Sendable {
  // @unchecked: the memory is the region's alone.
  //
  // Invariant: the bytes below `end`, holes aside, are memory that nobody else has; those up to
  // `mappedByteCount` are the region's address space.
  private let system: SysMem
  /// The address of its first byte: it stays that as long as the region lives.
  public let address: UInt
  /// Bytes that it can grow to: what was asked for, rounded up to a whole page of the kernel's.
  public let reservedByteCount: Int
  /// Bytes right behind these of which any access faults.
  public let guardByteCount: Int
  private let allowsWritableCode: Bool
  /// Where it counts; `nil` for in the process's figures alone.
  private var account: RegionAccount?
  /// It was committed up to here.
  private var end = 0
  /// What was given back of that, in order; no two of them touch.
  private var holes = BoundedArray<Range<Int>, 32>(filler: 0..<0)
  /// Whether some of it may have other access rights than reads and writes.
  private var isProtected = false

  /// The most that one can have, guard and all: 64 TiB, or half of the address space if that is
  /// less.
  public static var maximumByteCount: Int {
    // Rounded up twice to the largest page that a kernel has, it still is a number.
    min(Int(clamping: UInt64(1) << 46), Int.max - 0x3_ffff)
  }

  /// The most holes that one can have.
  public static var maximumHoleCount: Int { 32 }

  private static let linux = SysMem(
    calls: LinuxCalls(), pages: "region", label: LabelText())
  private static let committed = Atomic<UInt64>(0)

  /// Bytes that all regions of the process have committed.
  public static var totalCommittedByteCount: UInt64 { committed.load(ordering: .relaxed) }

  /// Reserves address space.
  ///
  /// - Parameters:
  ///   - byteCount: how far it is to be able to grow, at least 1; up to ``maximumByteCount``.
  ///   - guardByteCount: how much behind that is to fault, whatever it grows to.
  ///   - allowsWritableCode: whether ``PageAccess/readWriteExecute`` is allowed.
  /// - Throws: ``PageArenaError/badByteCount(byteCount:)``,
  ///   ``PageArenaError/badGuardByteCount(guardByteCount:)``,
  ///   ``PageArenaError/noAddressSpace(_:)``, ``PageArenaError/tooManyMappings(limit:)``.
  /// - Complexity: one call of the kernel's.
  public init(
    reserving byteCount: Int, guardByteCount: Int = 0, allowsWritableCode: Bool = false
  ) throws(PageArenaError) {
    try self.init(
      reserving: byteCount, guardByteCount: guardByteCount,
      allowsWritableCode: allowsWritableCode, from: Self.linux)
  }

  /// The same by other calls, or as a part of an arena's memory.
  package init(
    reserving byteCount: Int, guardByteCount: Int = 0, allowsWritableCode: Bool = false,
    from system: SysMem
  ) throws(PageArenaError) {
    try self.init(
      reserving: byteCount, guardByteCount: guardByteCount, allowsWritableCode: allowsWritableCode,
      from: system, countedIn: nil)
  }

  init(
    reserving byteCount: Int, guardByteCount: Int, allowsWritableCode: Bool,
    from system: SysMem? = nil, countedIn core: ArenaCore?
  ) throws(PageArenaError) {
    let system = system ?? Self.linux
    let mask = system.physicalPageSize - 1
    let most = Self.maximumByteCount
    guard byteCount > 0, byteCount <= most else { throw .badByteCount(byteCount: byteCount) }
    guard guardByteCount >= 0, guardByteCount <= most - byteCount else {
      throw .badGuardByteCount(guardByteCount: guardByteCount)
    }
    // What is memory, and what is not yet.
    guard MappingBudget.add(2) else { throw .tooManyMappings(limit: MappingBudget.limit) }
    let size = (byteCount + mask) & ~mask
    let guardSize = (guardByteCount + mask) & ~mask
    do throws(SysMemError) {
      address = try system.sysReserve(UInt(size + guardSize))
    } catch { throw .noAddressSpace(error) }
    self.system = system
    self.allowsWritableCode = allowsWritableCode
    reservedByteCount = size
    self.guardByteCount = guardSize
    if let core { account = RegionAccount(core) }
  }

  /// Gives all of it back, memory and address space.
  deinit {
    let bytes = committedByteCount
    // What it counted ends with the account, once the memory has gone.
    system.sysFreeAtLast(
      address, UInt(reservedByteCount + guardByteCount), preparedByteCount: UInt(bytes))
    Self.committed.subtract(UInt64(bytes), ordering: .relaxed)
  }
}

// MARK: - Looking

extension PageRegion {
  /// Bytes of memory that it has now: up to where it has grown, less what was decommitted.
  public var committedByteCount: Int {
    var total = end
    for index in 0..<holes.count { total -= holes[index].count }
    return total
  }

  /// Up to where it has grown, in bytes; what was decommitted below that is a part of it.
  public var byteCount: Int { end }

  /// The kernel's page in bytes: what ranges are to be multiples of, and sizes are rounded up to.
  public var granularity: Int { system.physicalPageSize }

  /// The memory up to where it has grown, to be read. What is decommitted there faults, and so does
  /// what is protected against it.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      // The region's own memory; nobody else writes to it while it is borrowed.
      let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(baseAddress), byteCount: end)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// The same, to be read and written.
  public var mutableBytes: MutableRawSpan {
    @_lifetime(&self)
    mutating get {
      // As above; nobody else touches it meanwhile.
      let span = unsafe MutableRawSpan(_unsafeStart: baseAddress, byteCount: end)
      return unsafe _overrideLifetime(span, mutating: &self)
    }
  }

  /// The address of its first byte, which it keeps as long as it lives.
  public var baseAddress: UnsafeMutableRawPointer {
    // Never 0: the kernel maps nothing there.
    unsafe UnsafeMutableRawPointer(bitPattern: address).unsafelyUnwrapped
  }
}

// MARK: - Growing

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
  ///   and the limit does not admit it. It is as before.
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
  private func nextHole(in range: Range<Int>) -> (hole: Range<Int>, part: Range<Int>)? {
    for index in 0..<holes.count {
      let part = holes[index].clamped(to: range)
      if !part.isEmpty { return (holes[index], part) }
    }
    return nil
  }

  /// Takes a range out of the holes.
  private mutating func cutHoles(_ range: Range<Int>) {
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
  private func check(_ range: Range<Int>) throws(PageArenaError) {
    guard range.lowerBound >= 0, range.upperBound <= end else {
      throw .outOfBounds(lowerBound: range.lowerBound, upperBound: range.upperBound, limit: end)
    }
    guard (range.lowerBound | range.upperBound) & (granularity - 1) == 0 else {
      throw .partOfPhysicalPage(
        base: address + UInt(range.lowerBound), physicalPageSize: granularity)
    }
  }

  private mutating func map(_ range: Range<Int>) throws(PageArenaError) {
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

// MARK: - Uses

extension PageRegion {
  /// Changes what memory may be used for, until it is changed again.
  ///
  /// - Parameters:
  ///   - access: what may be done; code that was written may be executed afterwards.
  ///   - range: as for ``decommit(in:)``, without a hole.
  /// - Throws: as ``decommit(in:)``; ``PageArenaError/notCommitted(lowerBound:upperBound:)``,
  ///   ``PageArenaError/writableCode``. Where the range consists of several mappings, a part of it
  ///   may have changed.
  /// - Complexity: one call of the kernel's; O(bytes) for code, on machines with separate caches.
  public mutating func protect(
    _ access: PageAccess, in range: Range<Int>
  ) throws(PageArenaError) {
    if access == .readWriteExecute, !allowsWritableCode { throw .writableCode }
    try check(range)
    if let (_, part) = nextHole(in: range) {
      throw .notCommitted(lowerBound: part.lowerBound, upperBound: part.upperBound)
    }
    if range.isEmpty { return }
    guard MappingBudget.add(2) else { throw .tooManyMappings(limit: MappingBudget.limit) }
    isProtected = true
    do throws(SysMemError) {
      try system.allow(access, address + UInt(range.lowerBound), UInt(range.count))
    } catch { throw .system(error) }
  }

  /// Gives the contents back: the memory stays, and reads as zero.
  ///
  /// - Parameter range: as for ``decommit(in:)``.
  /// - Throws: as ``decommit(in:)``.
  /// - Complexity: one call of the kernel's; O(what is present).
  public mutating func discard(in range: Range<Int>) throws(PageArenaError) {
    try check(range)
    if range.isEmpty { return }
    do throws(SysMemError) {
      try system.advise(address + UInt(range.lowerBound), UInt(range.count), .dontNeed)
    } catch { throw .system(error) }
  }

  /// Makes it what it was when it had just grown to its size: all of it is memory that may be read
  /// and written, and reads as zero.
  ///
  /// - Throws: as ``commit(in:)``; then some of it may be as before.
  /// - Complexity: one call of the kernel's, one more where something was protected, and one for
  ///   each hole; O(what is present).
  public mutating func reset() throws(PageArenaError) {
    try commit(in: 0..<end)
    try discard(in: 0..<end)
    if !isProtected { return }
    do throws(SysMemError) {
      try system.allow(.readWrite, address, UInt(end))
    } catch { throw .system(error) }
    isProtected = false
  }
}
