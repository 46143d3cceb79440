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
  let system: SysMem
  /// The address of its first byte: it stays that as long as the region lives.
  public let address: UInt
  /// Bytes that it can grow to: what was asked for, rounded up to a whole page of the kernel's.
  public let reservedByteCount: Int
  /// Bytes right behind these of which any access faults.
  public let guardByteCount: Int
  let allowsWritableCode: Bool
  /// Where it counts; `nil` for in the process's figures alone.
  var account: RegionAccount?
  /// It was committed up to here.
  var end = 0
  /// What was given back of that, in order; no two of them touch.
  var holes = BoundedArray<Range<Int>, 32>(filler: 0..<0)
  /// Whether some of it may have other access rights than reads and writes.
  var isProtected = false

  /// The most that one can have, guard and all: 64 TiB, or half of the address space if that is
  /// less.
  public static var maximumByteCount: Int {
    // Rounded up twice to the largest page that a kernel has, it still is a number.
    min(Int(clamping: UInt64(1) << 46), Int.max - 0x3_ffff)
  }

  /// The most holes that one can have.
  public static var maximumHoleCount: Int { 32 }

  static let linux = SysMem(
    calls: LinuxCalls(), pages: "region", label: LabelText())
  static let committed = Atomic<UInt64>(0)

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
  ///   ``PageArenaError/noAddressSpace(_:)``, ``PageArenaError/tooManyMappings(limit:)``;
  ///   ``PageArenaError/reentered``.
  /// - Complexity: one call of the kernel's.
  public init(
    reserving byteCount: Int, guardByteCount: Int = 0, allowsWritableCode: Bool = false
  ) throws(PageArenaError) {
    try self.init(
      reserving: byteCount, guardByteCount: guardByteCount,
      allowsWritableCode: allowsWritableCode, from: nil, countedIn: nil)
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
    if InsideMark.isAny { throw .reentered }
    ForkHandlers.prepareForFork()
    ForkHandlers.computeOnce { Self.linux.physicalPageSize }
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
