/// A refused call for memory: which call, on which range, and what the kernel said.
public struct SysMemError: Error, Equatable, Sendable {
  /// The calls by which memory is had, changed and given back.
  public enum Call: UInt8, Equatable, Sendable {
    /// New address space, or a change of what is mapped.
    case mmap
    /// Address space goes back.
    case munmap
    /// A change of access rights.
    case mprotect
    /// Contents go back, or advice about them.
    case madvise
    /// Pages move to another address.
    case mremap
    /// Pages are kept in memory.
    case mlock
    /// They no longer are.
    case munlock
    /// No more changes of what is mapped.
    case mseal
    /// A look at what is resident.
    case mincore
  }

  /// The call that failed.
  public let call: Call
  /// Where the range starts; 0 where the kernel was to choose.
  public let address: UInt
  /// The size of the range in bytes.
  public let byteCount: UInt
  /// What the kernel said.
  public let errno: Errno

  /// Describes a refused call.
  public init(call: Call, address: UInt, byteCount: UInt, errno: Errno) {
    self.call = call
    self.address = address
    self.byteCount = byteCount
    self.errno = errno
  }
}

extension SysMemError.Call: CustomStringConvertible {
  /// The name of the system call.
  public var description: String {
    switch self {
    case .mmap: "mmap"
    case .munmap: "munmap"
    case .mprotect: "mprotect"
    case .madvise: "madvise"
    case .mremap: "mremap"
    case .mlock: "mlock"
    case .munlock: "munlock"
    case .mseal: "mseal"
    case .mincore: "mincore"
    }
  }
}

extension SysMemError: CustomStringConvertible {
  /// One line: `mmap of 4194304 bytes at 0x7f0000000000: ENOMEM`.
  public var description: String {
    let place = address == 0 ? "" : " at 0x\(String(address, radix: 16))"
    return "\(call.description) of \(byteCount) bytes\(place): \(errno.description)"
  }
}
