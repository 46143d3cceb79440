import Synchronization

// Who has which frame
// ===================
//
// A byte for each frame that the arena's space has room for. A byte is written by who hands the
// frame out or takes it back, who alone is entitled to; so a free by a frame's rightful owner is
// checked without a lock. The bytes are in no run: to look at one is safe for any address, and
// whatever becomes of the run meanwhile.
//
// They are also what a child of `fork` makes all the rest anew from.

/// What a frame is.
@usableFromInline
enum FrameState: UInt8 {
  /// In no run of the slab's.
  case none = 0
  /// In a run, or at hand for a thread.
  case free = 1
  /// A caller's.
  case inUse = 2
}

/// The states of all frames of a slab.
@usableFromInline
@safe
struct FrameStates: @unchecked Sendable {
  // @unchecked: atomic bytes.
  //
  // Invariant: mapped for all frames, as long as the slab lives, and zero at first; accessed as
  // atomic bytes only.
  @usableFromInline let bytes: UnsafeMutablePointer<Atomic<UInt8>>

  /// The states in `storage`, zero at first.
  init(storage: UnsafeMutableRawPointer) {
    unsafe bytes = storage.assumingMemoryBound(to: Atomic<UInt8>.self)
  }

  /// What a frame is.
  ///
  /// - Parameter frame: below the layout's limit.
  @inlinable
  subscript(frame: Int) -> FrameState {
    @inline(__always) get {
      let byte = unsafe bytes[frame].load(ordering: .relaxed)
      return byte == 0 ? .none : byte == 1 ? .free : .inUse
    }
    @inline(__always) nonmutating set {
      unsafe bytes[frame].store(newValue.rawValue, ordering: .relaxed)
    }
  }
}
