import CSysMem
import Synchronization

/// The real thing: the Linux kernel, through glibc.
public final class LinuxCalls: MemoryCalls {
  /// The kernel's page in bytes.
  public let physicalPageSize: Int
  /// The kernel's transparent huge page in bytes; 0 where the kernel names none.
  public let hugePageSize: Int

  /// Asks the kernel for its sizes.
  public init() {
    physicalPageSize = Int(csm_page_size())
    hugePageSize = Self.readHugePageSize()
  }

  /// Tried once a process, on a page of our own.
  public var canMarkGuards: Bool { Self.hasMarkers }

  /// The same; it is to be there before the first fork beside a thread that asks for it.
  package static let hasMarkers: Bool = {
    let size = UInt(csm_page_size())
    let page = csm_mmap(0, size, PROT_READ | PROT_WRITE, 0, 1)
    guard page.error == 0 else { return false }
    defer { _ = csm_munmap(page.value, size) }
    // An emulator may say yes and do nothing.
    return csm_madvise(page.value, size, CSM_MADV_GUARD_INSTALL) == 0
      && csm_is_readable(page.value) == 0
  }()

  /// The limit of `getrlimit`, less what `/proc/self/statm` says the process has.
  public var addressSpaceLeft: UInt64? {
    let limit = csm_address_space_limit()
    if limit == .max { return nil }
    var figures = FixedText<128>()
    guard readFile(FixedText<32>("/proc/self/statm"), into: &figures),
      let pages = figures.number(at: 0)
    else { return limit }
    let (used, overflow) = pages.multipliedReportingOverflow(by: UInt64(physicalPageSize))
    return overflow || used > limit ? 0 : limit - used
  }

  /// `mmap`, private and anonymous.
  public func mmap(
    _ address: UInt, _ byteCount: UInt, _ protection: MemoryProtection, replacing: Bool
  ) throws(Errno) -> UInt {
    let result = csm_mmap(address, byteCount, protection.bits, replacing ? 1 : 0, 1)
    guard result.error == 0 else { throw Errno(rawValue: result.error) }
    return result.value
  }

  /// `munmap`.
  public func munmap(_ address: UInt, _ byteCount: UInt) throws(Errno) {
    try check(csm_munmap(address, byteCount))
  }

  /// `mprotect`.
  public func mprotect(
    _ address: UInt, _ byteCount: UInt, _ protection: MemoryProtection
  ) throws(Errno) {
    try check(csm_mprotect(address, byteCount, protection.bits))
  }

  /// `madvise`.
  public func madvise(_ address: UInt, _ byteCount: UInt, _ advice: MemoryAdvice) throws(Errno) {
    try check(csm_madvise(address, byteCount, advice.value))
  }

  /// `process_madvise` on this process.
  public func processMadvise(
    _ ranges: borrowing Span<AdvisedRange>, _ advice: MemoryAdvice
  ) throws(Errno) -> UInt {
    // The span is readable for its length; its elements have the layout of struct iovec: two words.
    let result = unsafe ranges.withUnsafeBufferPointer {
      unsafe csm_process_madvise($0.baseAddress, $0.count, advice.value)
    }
    try check(result.error)
    return result.value
  }

  /// `mremap`, which leaves the source mapped.
  public func mremap(_ source: UInt, _ byteCount: UInt, to target: UInt) throws(Errno) {
    try check(csm_mremap_keep(source, byteCount, target))
  }

  /// `mlock`.
  public func mlock(_ address: UInt, _ byteCount: UInt) throws(Errno) {
    try check(csm_mlock(address, byteCount))
  }

  /// `munlock`.
  public func munlock(_ address: UInt, _ byteCount: UInt) throws(Errno) {
    try check(csm_munlock(address, byteCount))
  }

  /// `mseal`.
  public func mseal(_ address: UInt, _ byteCount: UInt) throws(Errno) {
    try check(csm_mseal(address, byteCount))
  }

  /// `prctl`, unless the kernel has refused once: it keeps no names, then.
  public func name(_ address: UInt, _ byteCount: UInt, _ name: borrowing Span<UInt8>) {
    if Self.hasNoNames.load(ordering: .relaxed) { return }
    // The span is readable for its length, and ends in a zero.
    let error = unsafe name.withUnsafeBufferPointer {
      unsafe csm_name(address, byteCount, $0.baseAddress)
    }
    if error == EINVAL { Self.hasNoNames.store(true, ordering: .relaxed) }
  }

  /// Written once; races are harmless.
  private static let hasNoNames = Atomic<Bool>(false)

  /// `membarrier`, expedited.
  public func membarrier() throws(Errno) { try check(csm_membarrier()) }

  /// `PAGEMAP_SCAN`, else `mincore`.
  public func residentByteCount(_ address: UInt, _ byteCount: UInt) throws(Errno) -> UInt {
    let scan = ResidencyScan(address, byteCount, physicalPageSize: physicalPageSize)
    if let found = scan.byPagemap() { return found }
    return try scan.byMincore()
  }

  /// Asks by writing the byte into a pipe.
  public func isReadable(_ address: UInt) -> Bool? {
    let answer = csm_is_readable(address)
    return answer < 0 ? nil : answer == 1
  }

  private func check(_ error: Int32) throws(Errno) {
    if error != 0 { throw Errno(rawValue: error) }
  }

  /// A decimal number in a file of sysfs; 0 where the file or the number is missing.
  private static func readHugePageSize() -> Int {
    let path = FixedText<64>("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size")
    var digits = FixedText<24>()
    guard readFile(path, into: &digits), let size = digits.number(at: 0), size <= 1 << 30 else {
      return 0
    }
    return size & (size - 1) == 0 ? Int(size) : 0
  }
}

extension MemoryProtection {
  /// The kernel's bits.
  fileprivate var bits: Int32 {
    switch self {
    case .none: PROT_NONE
    case .read: PROT_READ
    case .readWrite: PROT_READ | PROT_WRITE
    case .readExecute: PROT_READ | PROT_EXEC
    case .readWriteExecute: PROT_READ | PROT_WRITE | PROT_EXEC
    }
  }
}

extension MemoryAdvice {
  /// The kernel's number.
  fileprivate var value: Int32 {
    switch self {
    case .dontNeed: MADV_DONTNEED
    case .dontNeedLocked: CSM_MADV_DONTNEED_LOCKED
    case .free: 8  // MADV_FREE
    case .hugePage: MADV_HUGEPAGE
    case .noHugePage: MADV_NOHUGEPAGE
    case .collapse: CSM_MADV_COLLAPSE
    case .populateWrite: CSM_MADV_POPULATE_WRITE
    case .excludeFromDumps: CSM_MADV_DONTDUMP
    case .wipeOnFork: CSM_MADV_WIPEONFORK
    case .includeInDumps: CSM_MADV_DODUMP
    case .installGuard: CSM_MADV_GUARD_INSTALL
    case .removeGuard: CSM_MADV_GUARD_REMOVE
    }
  }
}
