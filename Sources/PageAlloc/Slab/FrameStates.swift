import Synchronization

// Who has which frame
// ===================
//
// A byte for each frame that the arena's space has room for. A byte is written by who hands the
// frame out or takes it back, who alone is entitled to; so a free by a frame's rightful owner is
// checked without a lock. The bytes are in no run: to look at one is safe for any address, and
// whatever becomes of the run meanwhile.
//
// Threads get frames by 16, often of one run. So that they do not write to one line of the
// processor's cache, a line has 16 frames in a row from each of four runs:
//
//   number of a frame   run / 4 | run % 4 | sixteen | frame in these
//   place of its byte   run / 4 | sixteen | run % 4 | frame in these
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

  /// The states at an address.
  ///
  /// - Precondition: so it is, as the invariant says.
  @unsafe
  init(at address: UInt) {
    unsafe bytes = PageSpace.memory(at: address).assumingMemoryBound(to: Atomic<UInt8>.self)
  }

  /// What a frame is.
  ///
  /// - Parameter frame: below the layout's limit.
  @inlinable
  subscript(frame: Int) -> FrameState {
    @inline(__always) get {
      let byte = unsafe bytes[Self.place(of: frame)].load(ordering: .relaxed)
      return byte == 0 ? .none : byte == 1 ? .free : .inUse
    }
    @inline(__always) nonmutating set {
      unsafe bytes[Self.place(of: frame)].store(newValue.rawValue, ordering: .relaxed)
    }
  }

  /// Where the byte of a frame lies: bits 4 and 5 of its number and bits 6 and 7 change places.
  @inlinable @inline(__always)
  static func place(of frame: Int) -> Int {
    let different = (frame ^ frame &>> 2) & 0x30
    return frame ^ different ^ different &<< 2
  }
}
