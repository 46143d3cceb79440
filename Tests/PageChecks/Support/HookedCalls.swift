import SysMem

/// The kernel, and a hook that is told of some calls before they are made. It may take its time,
/// and call the arena itself; where it throws, the call is refused.
///
/// Many ranges at once cannot be told of, so each is a call of its own.
final class HookedCalls: MemoryCalls, Sendable {
  /// A call of which the hook is told.
  enum Call: Equatable {
    case mprotect
    case madvise(address: UInt, MemoryAdvice)
    case membarrier
    /// Fresh memory is mapped over what is there.
    case replace
  }

  private let linux = LinuxCalls()
  // Set while no other thread makes a call.
  nonisolated(unsafe) private var hook: ((Call) throws(Errno) -> Void)?

  /// Has a hook told of every call from now on; `nil` for none.
  func setHook(_ hook: ((Call) throws(Errno) -> Void)?) { unsafe self.hook = hook }

  /// Does something once, in the middle of the next call that takes memory back, or makes some
  /// accessible.
  func interrupt(_ body: @escaping () -> Void) {
    var isOver = false
    setHook { call in
      switch call {
      case .mprotect, .madvise(_, .dontNeed):
        if isOver { return }
        isOver = true
        body()
      default: break
      }
    }
  }

  private func tell(_ call: Call) throws(Errno) { if let hook = unsafe hook { try hook(call) } }

  var physicalPageSize: Int { linux.physicalPageSize }
  var hugePageSize: Int { 2 << 20 }

  func mmap(
    _ address: UInt, _ byteCount: UInt, _ protection: MemoryProtection, replacing: Bool
  ) throws(Errno) -> UInt {
    if replacing { try tell(.replace) }
    return try linux.mmap(address, byteCount, protection, replacing: replacing)
  }

  func munmap(_ address: UInt, _ byteCount: UInt) throws(Errno) {
    try linux.munmap(address, byteCount)
  }

  func mprotect(
    _ address: UInt, _ byteCount: UInt, _ protection: MemoryProtection
  ) throws(Errno) {
    try tell(.mprotect)
    try linux.mprotect(address, byteCount, protection)
  }

  func madvise(_ address: UInt, _ byteCount: UInt, _ advice: MemoryAdvice) throws(Errno) {
    try tell(.madvise(address: address, advice))
    try linux.madvise(address, byteCount, advice)
  }

  func membarrier() throws(Errno) {
    try tell(.membarrier)
    try linux.membarrier()
  }

  func residentByteCount(_ address: UInt, _ byteCount: UInt) throws(Errno) -> UInt {
    try linux.residentByteCount(address, byteCount)
  }

  func isReadable(_ address: UInt) -> Bool? { linux.isReadable(address) }
}
