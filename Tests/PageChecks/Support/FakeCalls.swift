import SysMem
import Synchronization

/// What the kernel was told about huge pages.
package struct HugePageWish: Equatable {
  package let range: AdvisedRange
  package let areWelcome: Bool

  package init(_ range: AdvisedRange, _ areWelcome: Bool) {
    self.range = range
    self.areWelcome = areWelcome
  }
}

/// Memory calls that pass through to the kernel, count, and fail when told to.
///
/// With a physical page other than the kernel's, it answers for that size and insists that every
/// range is a multiple of it.
package final class FakeCalls: MemoryCalls {
  /// What is claimed as the kernel's page.
  package let physicalPageSize: Int
  /// What is claimed as the kernel's huge page.
  package let hugePageSize: Int
  private let real = LinuxCalls()
  /// Calls made so far, refused ones included.
  package let callCount = Atomic<Int>(0)
  /// The call of this number (from 0) is refused; negative for none.
  package let failingCall = Atomic<Int>(-1)
  /// From the failing call on, so many are refused.
  package let failureCount = Atomic<Int>(1)
  /// Which kind is refused besides: 0 none, else the raw value of the call + 1.
  package let refusedKind = Atomic<Int>(0)
  /// What `processMadvise` answers: 0 as the kernel does, else an errno value.
  package let listErrno = Atomic<Int32>(0)
  /// Calls of `processMadvise`, and of `madvise`, guards aside.
  package let listCallCount = Atomic<Int>(0)
  package let adviceCallCount = Atomic<Int>(0)
  /// Calls of `mremap`.
  package let moveCount = Atomic<Int>(0)
  /// Whether a refused `mremap` unmaps its target, as Linux may.
  package let unmapsRefusedTargets = Atomic<Bool>(false)
  /// A range that contains this address is refused by `madvise` and `processMadvise`; 0 for none.
  package let lockedAddress = Atomic<UInt>(0)
  /// Calls with a range that is no multiple of the physical page.
  package let misalignedCount = Atomic<Int>(0)
  /// Bytes mapped less bytes unmapped.
  package let mappedByteCount = Atomic<Int>(0)

  /// Whether guards can be markers, as on Linux since 6.13.
  package let hasGuardMarkers = Atomic<Bool>(true)
  /// What a marker is refused with from now on, as in locked memory; 0 for not.
  package let markerErrno = Atomic<Int32>(0)

  /// Whether guards can be markers at all, and here.
  package var canMarkGuards: Bool {
    hasGuardMarkers.load(ordering: .relaxed) && real.canMarkGuards
  }

  /// What is left of the address space; `.max` for no limit.
  package let leftBytes = Atomic<UInt64>(.max)
  package var addressSpaceLeft: UInt64? {
    let left = leftBytes.load(ordering: .relaxed)
    return left == .max ? nil : left
  }

  /// Barriers that were asked for.
  package let barrierCount = Atomic<Int>(0)
  /// Whether the kernel can make other threads pass a barrier.
  package let hasBarriers = Atomic<Bool>(true)
  /// So much may become writable yet, as where the kernel does not overcommit.
  package let committableBytes = Atomic<Int>(.max)

  // Guarded by the lock.
  private let logLock = FutexLock()
  nonisolated(unsafe) private var log: [AdvisedRange] = []
  nonisolated(unsafe) private var wishes: [HugePageWish] = []
  nonisolated(unsafe) private var names: [(range: AdvisedRange, name: String)] = []
  nonisolated(unsafe) private var mapped: [AdvisedRange] = []

  /// What went back to the kernel since this was last asked, in order.
  package func takeGivenBack() -> [AdvisedRange] {
    logLock.lock()
    defer { logLock.unlock() }
    let taken = unsafe log
    unsafe log = []
    return taken
  }

  /// What was said about huge pages since this was last asked, in order.
  package func takeWishes() -> [HugePageWish] {
    logLock.lock()
    defer { logLock.unlock() }
    let taken = unsafe wishes
    unsafe wishes = []
    return taken
  }

  /// What was named since this was last asked, in order, and what was mapped.
  package func takeNames() -> (
    names: [(range: AdvisedRange, name: String)], mapped: [AdvisedRange]
  ) {
    logLock.lock()
    defer { logLock.unlock() }
    let taken = unsafe (names, mapped)
    unsafe names = []
    unsafe mapped = []
    return taken
  }

  /// Calls as if the kernel had such pages.
  package init(physicalPageSize: Int = 4096, hugePageSize: Int = 2 << 20) {
    self.physicalPageSize = physicalPageSize
    self.hugePageSize = hugePageSize
  }

  /// Refuses the `n`th call from now on, and `count` in all.
  package func fail(call n: Int, count: Int = 1) {
    failureCount.store(count, ordering: .relaxed)
    failingCall.store(callCount.load(ordering: .relaxed) + n, ordering: .relaxed)
  }

  /// Refuses nothing from now on.
  package func failNoMore() {
    failingCall.store(-1, ordering: .relaxed)
    refusedKind.store(0, ordering: .relaxed)
  }

  /// Refuses every call of a kind.
  package func refuse(_ kind: SysMemError.Call) {
    refusedKind.store(Int(kind.rawValue) + 1, ordering: .relaxed)
  }

  private func enter(
    _ kind: SysMemError.Call, _ address: UInt, _ byteCount: UInt
  ) throws(Errno) {
    let number = callCount.add(1, ordering: .relaxed).oldValue
    let mask = UInt(physicalPageSize) - 1
    if byteCount & mask != 0 || byteCount == 0 || address & mask != 0 {
      misalignedCount.add(1, ordering: .relaxed)
    }
    let first = failingCall.load(ordering: .relaxed)
    if first >= 0, number >= first, number - first < failureCount.load(ordering: .relaxed) {
      throw .outOfMemory
    }
    if refusedKind.load(ordering: .relaxed) == Int(kind.rawValue) + 1 { throw .invalidArgument }
  }

  package func mmap(
    _ address: UInt, _ byteCount: UInt, _ protection: MemoryProtection, replacing: Bool
  ) throws(Errno) -> UInt {
    try enter(.mmap, address, byteCount)
    if replacing {
      let start = try real.mmap(address, byteCount, protection, replacing: true)
      noteMapped(start, byteCount)
      return start
    }
    // Aligned to the claimed page, as such a kernel would.
    let page = UInt(physicalPageSize)
    let wide = try real.mmap(address, byteCount + page, protection, replacing: false)
    let start = (wide + page - 1) & ~(page - 1)
    if start > wide { try real.munmap(wide, start - wide) }
    let rest = wide + page - start
    if rest > 0 { try real.munmap(start + byteCount, rest) }
    mappedByteCount.add(Int(bitPattern: byteCount), ordering: .relaxed)
    noteMapped(start, byteCount)
    return start
  }

  private func noteMapped(_ address: UInt, _ byteCount: UInt) {
    logLock.lock()
    unsafe mapped.append(AdvisedRange(address: address, byteCount: byteCount))
    logLock.unlock()
  }

  package func name(_ address: UInt, _ byteCount: UInt, _ name: borrowing Span<UInt8>) {
    var text = ""
    for index in 0..<name.count - 1 { text.unicodeScalars.append(Unicode.Scalar(name[index])) }
    logLock.lock()
    unsafe names.append((AdvisedRange(address: address, byteCount: byteCount), text))
    logLock.unlock()
    real.name(address, byteCount, name)
  }

  package func munmap(_ address: UInt, _ byteCount: UInt) throws(Errno) {
    try enter(.munmap, address, byteCount)
    try real.munmap(address, byteCount)
    mappedByteCount.subtract(Int(bitPattern: byteCount), ordering: .relaxed)
  }

  package func mprotect(
    _ address: UInt, _ byteCount: UInt, _ protection: MemoryProtection
  ) throws(Errno) {
    try enter(.mprotect, address, byteCount)
    if protection == .readWrite { try commit(byteCount) }
    try real.mprotect(address, byteCount, protection)
  }

  private func commit(_ byteCount: UInt) throws(Errno) {
    let left = committableBytes.load(ordering: .relaxed)
    if left == .max { return }
    if left < Int(bitPattern: byteCount) { throw .outOfMemory }
    committableBytes.subtract(Int(bitPattern: byteCount), ordering: .relaxed)
  }

  package func madvise(
    _ address: UInt, _ byteCount: UInt, _ advice: MemoryAdvice
  ) throws(Errno) {
    if advice != .installGuard { adviceCallCount.add(1, ordering: .relaxed) }
    try enter(.madvise, address, byteCount)
    if advice == .installGuard, !hasGuardMarkers.load(ordering: .relaxed) {
      throw .invalidArgument
    }
    let refusal = markerErrno.load(ordering: .relaxed)
    if advice == .installGuard, refusal != 0 { throw Errno(rawValue: refusal) }
    if isLocked(address, byteCount) { throw .invalidArgument }
    try real.madvise(address, byteCount, advice)
    note(AdvisedRange(address: address, byteCount: byteCount), advice)
  }

  private func note(_ range: AdvisedRange, _ advice: MemoryAdvice) {
    logLock.lock()
    switch advice {
    case .dontNeed: unsafe log.append(range)
    case .hugePage: unsafe wishes.append(HugePageWish(range, true))
    case .noHugePage: unsafe wishes.append(HugePageWish(range, false))
    default: break
    }
    logLock.unlock()
  }

  package func processMadvise(
    _ ranges: borrowing Span<AdvisedRange>, _ advice: MemoryAdvice
  ) throws(Errno) -> UInt {
    listCallCount.add(1, ordering: .relaxed)
    let errno = listErrno.load(ordering: .relaxed)
    if errno != 0 { throw Errno(rawValue: errno) }
    var done: UInt = 0
    for index in 0..<ranges.count {
      let range = ranges[index]
      do throws(Errno) {
        try enter(.madvise, range.address, range.byteCount)
        if isLocked(range.address, range.byteCount) { throw .invalidArgument }
        try real.madvise(range.address, range.byteCount, advice)
        note(range, advice)
      } catch {
        // As the kernel: what was done before counts, where something was.
        if done == 0 { throw error }
        return done
      }
      done += range.byteCount
    }
    return done
  }

  private func isLocked(_ address: UInt, _ byteCount: UInt) -> Bool {
    let locked = lockedAddress.load(ordering: .relaxed)
    return locked != 0 && locked >= address && locked - address < byteCount
  }

  package func mremap(_ source: UInt, _ byteCount: UInt, to target: UInt) throws(Errno) {
    moveCount.add(1, ordering: .relaxed)
    do throws(Errno) { try enter(.mremap, source, byteCount) } catch {
      if unmapsRefusedTargets.load(ordering: .relaxed) { try real.munmap(target, byteCount) }
      throw error
    }
    try real.mremap(source, byteCount, to: target)
    // An emulator of 32 bits takes the source for unmapped, which Linux leaves mapped.
    if isEmulated, is32Bit { _ = try real.mmap(source, byteCount, .readWrite, replacing: true) }
  }

  package func mlock(_ address: UInt, _ byteCount: UInt) throws(Errno) {
    try enter(.mlock, address, byteCount)
    try real.mlock(address, byteCount)
  }

  package func munlock(_ address: UInt, _ byteCount: UInt) throws(Errno) {
    try enter(.munlock, address, byteCount)
    try real.munlock(address, byteCount)
  }

  package func mseal(_ address: UInt, _ byteCount: UInt) throws(Errno) {
    try enter(.mseal, address, byteCount)
    try real.mseal(address, byteCount)
  }

  package func membarrier() throws(Errno) {
    barrierCount.add(1, ordering: .relaxed)
    if !hasBarriers.load(ordering: .relaxed) { throw .noSuchCall }
    try real.membarrier()
  }

  package func residentByteCount(
    _ address: UInt, _ byteCount: UInt
  ) throws(Errno) -> UInt {
    try enter(.mincore, address, byteCount)
    return try real.residentByteCount(address, byteCount)
  }

  package func isReadable(_ address: UInt) -> Bool? { real.isReadable(address) }
}
