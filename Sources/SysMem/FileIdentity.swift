import CSysMem

/// Which file a descriptor is of. A program may close whatever it finds open, and have the number
/// for a file of its own; so who keeps a descriptor looks before each use that may do harm.
struct FileIdentity: Equatable {
  let device: UInt
  let node: UInt

  /// That of a device and a number there, which were kept.
  init(device: UInt, node: UInt) {
    self.device = device
    self.node = node
  }

  /// Of a descriptor, as it is now; of one that is not open, no file's.
  init(of number: Int32) {
    let identity = csm_identity(number)
    self.init(device: identity.device, node: identity.node)
  }
}
