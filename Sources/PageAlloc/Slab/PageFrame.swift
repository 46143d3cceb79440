// A frame with an owner
// =====================
//
// Two words: the slab, which is a reference that counts, and the address.

/// A frame of a slab that frees itself when its owner lets it go.
///
/// It can be moved, also to another thread, but not copied: a double free does not compile. It
/// holds its slab. Who has no need for either uses ``PageSlab/allocate()``, which counts no
/// references.
///
/// ```swift
/// let slab = try PageSlab(frameByteCount: 1024, in: arena)
/// var frame = try slab.allocateFrame()
/// var bytes = frame.mutableBytes
/// bytes.storeBytes(of: 42, as: Int.self)
/// ```
@safe
public struct PageFrame: ~Copyable, @unchecked Sendable {
  // @unchecked: the memory is the frame's alone, and the slab's methods may be called from
  // anywhere.
  //
  // Invariant: the start of a frame of the slab's that is in use and nobody else's.
  private let start: UInt
  /// The slab that it is from.
  public let slab: PageSlab
  private var isLeaked = false

  @unsafe
  fileprivate init(at address: UInt, slab: PageSlab) {
    start = address
    self.slab = slab
  }

  /// Gives the frame back. That somebody freed it by its address is the program's mistake, which no
  /// type can see: it traps, and says so.
  deinit {
    if !isLeaked { slab.takeBackOwned(address) }
  }

  /// Its size in bytes.
  public var byteCount: Int { slab.frameByteCount }

  /// The address of its first byte.
  public var address: UInt { start }

  /// The memory itself: it never moves, and ends with the frame.
  public var baseAddress: UnsafeMutableRawPointer { unsafe PageSpace.memory(at: start) }

  /// The memory, to be read.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      // The frame's own memory; nobody else writes to it while it is borrowed.
      let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(baseAddress), byteCount: byteCount)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// The memory, to be read and written.
  public var mutableBytes: MutableRawSpan {
    @_lifetime(&self)
    mutating get {
      // As above; nobody else touches it meanwhile.
      let span = unsafe MutableRawSpan(_unsafeStart: baseAddress, byteCount: byteCount)
      return unsafe _overrideLifetime(span, mutating: &self)
    }
  }

  /// Gives the frame back now, rather than where it goes out of scope.
  ///
  /// - Complexity: O(1).
  public consuming func deallocate() {
    // The end of the scope is now.
  }

  /// Lets go of the frame without giving it back: the caller frees it by
  /// ``PageSlab/deallocate(_:)``.
  ///
  /// - Returns: its address. The memory ends with the slab, at the latest.
  /// - Complexity: O(1).
  public consuming func leak() -> UnsafeMutableRawPointer {
    isLeaked = true
    return unsafe baseAddress
  }
}

extension PageSlab {
  /// Takes a frame that frees itself.
  ///
  /// - Throws: as ``allocate()``.
  /// - Complexity: O(1).
  public func allocateFrame() throws(PageArenaError) -> PageFrame {
    unsafe PageFrame(at: UInt(bitPattern: try allocate()), slab: self)
  }

  /// Makes an owner for a frame that has none: from ``allocate()``, or leaked.
  ///
  /// - Parameter base: the address of the frame.
  /// - Throws: as ``deallocate(_:)``.
  /// - Warning: the frame must have no owner yet, and nobody else may free it from now on.
  /// - Complexity: O(1).
  @unsafe
  public func adopt(_ base: UnsafeMutableRawPointer) throws(PageArenaError) -> PageFrame {
    let address = UInt(bitPattern: base)
    if !isInUse(address) { try refuse(address) }
    return unsafe PageFrame(at: address, slab: self)
  }

  /// Whether a frame that a caller has starts at an address.
  private func isInUse(_ address: UInt) -> Bool {
    layout.frame(containing: address).map {
      layout.address(ofFrame: $0) == address && states[$0] == .inUse
    } ?? false
  }

  fileprivate func takeBackOwned(_ address: UInt) {
    do throws(PageArenaError) {
      try deallocate(at: address)
    } catch {
      if error == .reentered { reentered() }
      corrupted("a frame was freed behind its owner's back", address)
    }
  }
}
