import Synchronization

// The states of memory
// ====================
//
//              sysReserve            sysMap               sysUsed
//      none ---------------> reserved ------> prepared ---------------> ready
//        ^                     ^  ^              |  ^                     |
//        |                     |  +-- sysFault --+  +------ sysUnused ----+
//        +------ sysFree ------+      (from ready too)
//
// none      not ours
// reserved  address space only: any access faults, nothing is charged
// prepared  may be made ready at any moment, at little cost; holds nothing
// ready     may be read and written
//
// On Linux `prepared` and `ready` have the same access rights, since the kernel backs a page when
// it is touched; the difference is what we promise to do, and what the statistics say. The
// model, and the names of the transitions, follow the memory layer of the Go runtime.

/// Memory from the operating system, in four states, with every failure a typed error.
///
/// A transition either happens whole or throws and leaves state and statistics as they were.
/// Safe to use from many threads, on ranges that do not overlap.
public final class SysMem: Sendable {
  /// The operating system, or what a test puts in its place.
  public let calls: any MemoryCalls
  /// The kernel's page in bytes, a power of two: what `calls` says, without a reference to them
  /// counted.
  public let physicalPageSize: Int

  /// What mappings are called in `/proc/PID/maps`: all alike, so that the kernel joins neighbours
  /// as ever.
  private let pagesName: FixedText<80>
  let tablesName: FixedText<80>

  private let reserved = Atomic<UInt64>(0)
  private let prepared = Atomic<UInt64>(0)
  private let ready = Atomic<UInt64>(0)
  private let sealed = Atomic<UInt64>(0)
  /// Whether `process_madvise` turned out not to be for us. Written once; races are harmless.
  let isListRefused = Atomic<Bool>(false)

  /// Memory by way of `calls`.
  public convenience init(calls: any MemoryCalls) {
    self.init(calls: calls, pages: "pages", label: LabelText())
  }

  /// The same, with names for the mappings.
  ///
  /// - Parameters:
  ///   - pages: what they are for, but for tables.
  ///   - label: whose they are.
  package init(calls: any MemoryCalls, pages: StaticString, label: LabelText) {
    self.calls = calls
    pagesName = FixedText(mappingsOf: pages, label)
    tablesName = FixedText(mappingsOf: "tables", label)
    physicalPageSize = calls.physicalPageSize
  }

  /// Bytes by state.
  public struct Statistics: Equatable, Sendable {
    /// Address space only.
    public let reservedBytes: UInt64
    /// Mapped, holding nothing.
    public let preparedBytes: UInt64
    /// In use, or free with contents.
    public let readyBytes: UInt64
  }

  /// Bytes by state now. Each figure is right; under concurrent changes they may not be of one
  /// moment.
  public var statistics: Statistics {
    Statistics(
      reservedBytes: reserved.load(ordering: .relaxed),
      preparedBytes: prepared.load(ordering: .relaxed),
      readyBytes: ready.load(ordering: .relaxed))
  }

  /// Makes every thread of the process pass a barrier.
  ///
  /// - Returns: `false` where the kernel has no such call.
  public func passBarrier() -> Bool { (try? calls.membarrier()) != nil }

  /// Bytes whose mappings cannot change any more, whatever their state.
  public var sealedBytes: UInt64 { sealed.load(ordering: .relaxed) }

  /// Rounds a byte count up to whole physical pages.
  ///
  /// - Precondition: `byteCount` is at most the address space less one physical page.
  public func roundedToPhysicalPages(_ byteCount: UInt) -> UInt {
    let mask = UInt(physicalPageSize) - 1
    return (byteCount + mask) & ~mask
  }
}

// MARK: - Transitions

extension SysMem {
  /// None → reserved: address space that nothing may touch yet.
  ///
  /// - Parameters:
  ///   - hint: where it would be welcome; 0 for anywhere.
  ///   - protection: its access rights, if it is ``sysMapped(byteCount:)`` at once.
  /// - Returns: where it is.
  /// - Throws: `mmap` was refused.
  public func sysReserve(
    _ byteCount: UInt, hint: UInt = 0, as protection: MemoryProtection = .none
  ) throws(SysMemError) -> UInt {
    let address = try attempt(.mmap, hint, byteCount) { () throws(Errno) in
      try calls.mmap(hint, byteCount, protection, replacing: false)
    }
    reserved.add(UInt64(byteCount), ordering: .relaxed)
    namePages(address, byteCount)
    return address
  }

  /// None → reserved for address space that another one has reserved, and lets go by
  /// ``sysDisown(byteCount:)``.
  public func sysAdopt(byteCount: UInt) {
    reserved.add(UInt64(byteCount), ordering: .relaxed)
  }

  /// Reserved → none for address space that another one adopts.
  public func sysDisown(byteCount: UInt) {
    reserved.subtract(UInt64(byteCount), ordering: .relaxed)
  }

  /// Reserved → prepared: readable and writable, holding nothing, charged when the system counts.
  ///
  /// - Throws: `mprotect` was refused; the range is reserved as before.
  public func sysMap(_ address: UInt, _ byteCount: UInt) throws(SysMemError) {
    try protect(address, byteCount, .readWrite)
    move(byteCount, from: reserved, to: prepared)
  }

  /// Reserved → prepared for memory that was readable and writable from the start.
  public func sysMapped(byteCount: UInt) {
    move(byteCount, from: reserved, to: prepared)
  }

  /// Prepared → ready: about to be written. No call is needed on Linux.
  public func sysUsed(byteCount: UInt) {
    move(byteCount, from: prepared, to: ready)
  }

  /// Ready → prepared: the contents go back to the kernel; the range reads as zero from now on.
  ///
  /// - Throws: `madvise` was refused; the contents are still there.
  public func sysUnused(_ address: UInt, _ byteCount: UInt) throws(SysMemError) {
    try advise(address, byteCount, .dontNeed)
    move(byteCount, from: ready, to: prepared)
  }

  /// Ready → prepared for memory that the kernel has taken already, by ``advise(_:_:)`` or another
  /// way.
  public func sysUnused(byteCount: UInt) {
    move(byteCount, from: ready, to: prepared)
  }

  /// Prepared → reserved for memory that may be accessed all the same, as
  /// ``sysMapped(byteCount:)``.
  public func sysUnmapped(byteCount: UInt) {
    move(byteCount, from: prepared, to: reserved)
  }

  /// Any state but none → reserved: contents go and any access faults.
  ///
  /// - Parameters:
  ///   - preparedByteCount: how much of the range was prepared; all but what was ready, if not
  ///     told.
  ///   - readyByteCount: how much of the range was ready.
  /// - Throws: `mmap` was refused; the range is as before.
  public func sysFault(
    _ address: UInt, _ byteCount: UInt, preparedByteCount: UInt? = nil, readyByteCount: UInt = 0
  ) throws(SysMemError) {
    try attempt(.mmap, address, byteCount) { () throws(Errno) in
      _ = try calls.mmap(address, byteCount, .none, replacing: true)
    }
    namePages(address, byteCount)
    move(readyByteCount, from: ready, to: reserved)
    move(preparedByteCount ?? byteCount - readyByteCount, from: prepared, to: reserved)
  }

  /// Any state → none.
  ///
  /// - Parameters:
  ///   - preparedByteCount: how much of the range was prepared.
  ///   - readyByteCount: how much of the range was ready; the rest counts as reserved.
  /// - Throws: `munmap` was refused (it can be, when it would split a mapping one time too often).
  public func sysFree(
    _ address: UInt, _ byteCount: UInt, preparedByteCount: UInt = 0, readyByteCount: UInt = 0
  ) throws(SysMemError) {
    try attempt(.munmap, address, byteCount) { () throws(Errno) in
      try calls.munmap(address, byteCount)
    }
    let rest = byteCount - preparedByteCount - readyByteCount
    reserved.subtract(UInt64(rest), ordering: .relaxed)
    prepared.subtract(UInt64(preparedByteCount), ordering: .relaxed)
    ready.subtract(UInt64(readyByteCount), ordering: .relaxed)
  }

  /// Huge pages are welcome here. Changes no state.
  public func sysHugePage(_ address: UInt, _ byteCount: UInt) throws(SysMemError) {
    try advise(address, byteCount, .hugePage)
  }

  /// No huge pages here. Changes no state.
  public func sysNoHugePage(_ address: UInt, _ byteCount: UInt) throws(SysMemError) {
    try advise(address, byteCount, .noHugePage)
  }

  /// Gathers what is there into huge pages, now. Changes no state.
  public func sysCollapse(_ address: UInt, _ byteCount: UInt) throws(SysMemError) {
    try advise(address, byteCount, .collapse)
  }

  /// From now on nobody can unmap a range, replace it or change its access rights, for as long as
  /// the process lives. Changes no state.
  ///
  /// - Returns: `false`, with nothing changed, where the kernel cannot or would not.
  @discardableResult
  public func sysSeal(_ address: UInt, _ byteCount: UInt) -> Bool {
    do throws(Errno) {
      try calls.mseal(address, byteCount)
    } catch {
      return false
    }
    sealed.add(UInt64(byteCount), ordering: .relaxed)
    return true
  }

  /// Names what was just mapped: only then does the kernel join it to what lies beside it.
  func namePages(_ address: UInt, _ byteCount: UInt) {
    pagesName.withBytesAndZero { calls.name(address, byteCount, $0) }
  }

  private func move(
    _ byteCount: UInt, from source: borrowing Atomic<UInt64>, to target: borrowing Atomic<UInt64>
  ) {
    source.subtract(UInt64(byteCount), ordering: .relaxed)
    target.add(UInt64(byteCount), ordering: .relaxed)
  }
}
