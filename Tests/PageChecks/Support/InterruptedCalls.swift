import SysMem

/// The kernel, and something that happens once in the middle of a call to it: where it takes memory
/// back, or makes some accessible.
final class InterruptedCalls: MemoryCalls, Sendable {
  private let linux = LinuxCalls()
  // Set and called on one thread.
  nonisolated(unsafe) var meanwhile: (() -> Void)?

  private func interrupt() {
    guard let body = unsafe meanwhile else { return }
    unsafe meanwhile = nil
    body()
  }

  var physicalPageSize: Int { linux.physicalPageSize }
  var hugePageSize: Int { 2 << 20 }

  func mmap(
    _ address: UInt, _ byteCount: UInt, _ protection: MemoryProtection, replacing: Bool
  ) throws(Errno) -> UInt {
    try linux.mmap(address, byteCount, protection, replacing: replacing)
  }

  func munmap(_ address: UInt, _ byteCount: UInt) throws(Errno) {
    try linux.munmap(address, byteCount)
  }

  func mprotect(
    _ address: UInt, _ byteCount: UInt, _ protection: MemoryProtection
  ) throws(Errno) {
    interrupt()
    try linux.mprotect(address, byteCount, protection)
  }

  func madvise(_ address: UInt, _ byteCount: UInt, _ advice: MemoryAdvice) throws(Errno) {
    if advice == .dontNeed { interrupt() }
    try linux.madvise(address, byteCount, advice)
  }
}
