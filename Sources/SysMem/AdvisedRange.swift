/// A range of addresses as the kernel reads it in a list (`struct iovec`).
@frozen
public struct AdvisedRange: Equatable, Sendable {
  /// Where it starts.
  public let address: UInt
  /// Its size in bytes.
  public let byteCount: UInt

  /// The `byteCount` bytes from `address` on.
  public init(address: UInt, byteCount: UInt) {
    self.address = address
    self.byteCount = byteCount
  }
}
