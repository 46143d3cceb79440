import CSysMem

/// An error number of the operating system, as a failed call left it.
public struct Errno: RawRepresentable, Error, Equatable, Hashable, Sendable {
  /// The value of `errno`.
  public let rawValue: Int32

  /// Wraps a value of `errno`.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// No memory, no room in the address space, or too many mappings.
  public static let outOfMemory = Errno(rawValue: ENOMEM)
  /// An argument the kernel does not accept.
  public static let invalidArgument = Errno(rawValue: EINVAL)
  /// The kernel cannot do it now; the same call may succeed later.
  public static let tryAgain = Errno(rawValue: EAGAIN)
  /// The kernel does not have this call.
  public static let noSuchCall = Errno(rawValue: ENOSYS)
  /// What was asked for is in use.
  public static let busy = Errno(rawValue: EBUSY)
  /// A path is too long.
  package static let nameTooLong = Errno(rawValue: ENAMETOOLONG)
  /// The process may not do this.
  public static let notPermitted = Errno(rawValue: EPERM)
}

extension Errno: CustomStringConvertible {
  /// The name in capitals where one is known (`ENOMEM`), else the number (`errno 99`).
  public var description: String {
    // The names are string literals of the header: they end in a zero and live for ever.
    guard let name = unsafe csm_errno_name(rawValue) else { return "errno \(rawValue)" }
    return unsafe String(cString: name)
  }
}
