import CThreadSlots
import Synchronization

// Frames at hand
// ==============
//
// A thread has a magazine of free frames, which it takes from and frees to without a lock:
//
//   allocate     the hot frame, freed last; else the others; else a batch comes from the runs, by
//                the lock
//   deallocate   it becomes the hot one, and that one of the others; where these are full, a batch
//                goes to the runs, by the lock
//
// The way by the hot frame is compiled into callers.
//
// A slab has 256 of them. A thread finds its own by the address of what the library knows of the
// thread, which no other has while it lives: in one of the eight places from a hash of that on. A
// thread that finds these taken goes by the lock, as every thread does where the arena has no
// caches.

/// Free frames of one thread.
@usableFromInline
struct FrameMagazine: ~Copyable {
  /// The thread that has it; 0 for none. Taken by whoever finds it free, and set free by its owner.
  @usableFromInline let owner: Atomic<UInt>
  /// The owner is inside: a signal's handler is to stay outside.
  @usableFromInline let isInside: Atomic<UInt32>
  /// The hot frame; 0 for none, since no frame lies in the arena's first chunk. Written by the
  /// owner, from inside; others may look. So are the next ones.
  @usableFromInline let hot: Atomic<UInt32>
  /// How many other frames there are.
  fileprivate let count: Atomic<UInt32>
  /// Their numbers. The owner's alone.
  fileprivate var frames: InlineArray<32, UInt32>

  /// The most frames besides the hot one.
  static var capacity: Int { 32 }
  /// Frames that come or go at once.
  static var batch: Int { 16 }
}

/// A magazine, by its address.
///
/// Safe, since its memory is the slab's, which lives as long as anybody uses it.
@usableFromInline
@safe
struct MagazineReference {
  // Invariant: the address of a magazine; zeroed memory is an empty one without an owner.
  @usableFromInline let pointer: UnsafeMutablePointer<FrameMagazine>

  @inlinable @inline(__always)
  init(_ pointer: UnsafeMutablePointer<FrameMagazine>) { unsafe self.pointer = pointer }

  @inlinable
  var contents: FrameMagazine {
    @_transparent unsafeAddress { unsafe UnsafePointer(pointer) }
    @_transparent nonmutating unsafeMutableAddress { unsafe pointer }
  }

  /// Whether a thread has it.
  @inlinable @inline(__always)
  func isOwned(by thread: UInt) -> Bool { contents.owner.load(ordering: .relaxed) == thread }

  /// Starts an access by the owner.
  ///
  /// - Returns: `false` where the owner is inside already, and this is the handler of a signal.
  @inlinable @inline(__always)
  func enter() -> Bool {
    if contents.isInside.load(ordering: .relaxed) != 0 { return false }
    contents.isInside.store(1, ordering: .relaxed)
    cts_compiler_barrier()
    return true
  }

  /// Ends an access by the owner.
  @inlinable @inline(__always)
  func leave() {
    cts_compiler_barrier()
    contents.isInside.store(0, ordering: .relaxed)
  }

  /// How many frames it has.
  var count: Int { coldCount + (contents.hot.load(ordering: .relaxed) == 0 ? 0 : 1) }

  /// How many it has besides the hot one.
  private var coldCount: Int { Int(contents.count.load(ordering: .relaxed)) }

  /// Takes the hot frame out; 0 for none. Inside.
  @inlinable @inline(__always)
  func takeHot() -> Int {
    let hot = contents.hot.load(ordering: .relaxed)
    contents.hot.store(0, ordering: .relaxed)
    return Int(bitPattern: UInt(hot))
  }

  /// Makes a frame the hot one, if there is none. Inside.
  @inlinable @inline(__always)
  func putHot(_ frame: Int) -> Bool {
    if contents.hot.load(ordering: .relaxed) != 0 { return false }
    contents.hot.store(UInt32(truncatingIfNeeded: frame), ordering: .relaxed)
    return true
  }

  /// Takes a frame out; `nil` where there is none. Inside.
  func pop() -> Int? {
    let hot = takeHot()
    if hot != 0 { return hot }
    let count = coldCount
    if count == 0 { return nil }
    contents.count.store(UInt32(truncatingIfNeeded: count &- 1), ordering: .relaxed)
    return Int(bitPattern: UInt(contents.frames[count &- 1]))
  }

  /// Puts a frame in, as the hot one. Inside.
  ///
  /// - Returns: `false` where there is no room.
  func push(_ frame: Int) -> Bool {
    if putHot(frame) { return true }
    let count = coldCount
    if count == FrameMagazine.capacity { return false }
    contents.frames[count] = contents.hot.load(ordering: .relaxed)
    contents.count.store(UInt32(truncatingIfNeeded: count &+ 1), ordering: .relaxed)
    contents.hot.store(UInt32(truncatingIfNeeded: frame), ordering: .relaxed)
    return true
  }

  /// Takes it for a thread, if nobody has it.
  fileprivate func claim(for thread: UInt) -> Bool {
    guard
      contents.owner.compareExchange(expected: 0, desired: thread, ordering: .acquiring).exchanged
    else { return false }
    // Its former owner left it closed.
    leave()
    return true
  }

  /// Its owner, who ends, lets go of it from inside; it is empty. It stays closed to a handler of
  /// the owner's.
  func abandon() {
    contents.owner.store(0, ordering: .releasing)
  }

  /// Makes it an empty one without an owner, whatever it was. Nobody else may use it.
  fileprivate func reset() {
    contents.count.store(0, ordering: .relaxed)
    contents.hot.store(0, ordering: .relaxed)
    contents.isInside.store(0, ordering: .relaxed)
    contents.owner.store(0, ordering: .relaxed)
  }
}

/// The magazines of a slab.
@usableFromInline
@safe
struct MagazineTable: @unchecked Sendable {
  // @unchecked: a magazine's protocol says who may touch what.
  //
  // Invariant: mapped for all magazines, as long as the slab lives, and zero at first.
  @usableFromInline let start: UnsafeMutableRawPointer

  @inlinable static var countLog: UInt { 8 }
  @inlinable static var strideLog: UInt { 8 }
  private static var probes: UInt { 8 }

  /// How many there are.
  static var count: Int { 1 << countLog }
  /// Bytes that they take.
  static var byteCount: Int { count << strideLog }

  /// The magazines at an address.
  ///
  /// - Precondition: so it is, as the invariant says.
  @unsafe
  init(at address: UInt) {
    assert(MemoryLayout<FrameMagazine>.size <= 1 << Self.strideLog)
    unsafe start = PageSpace.memory(at: address)
  }

  /// The calling thread: not 0, and no other that lives.
  @inlinable @inline(__always)
  static var thread: UInt { unsafe UInt(bitPattern: cts_thread_here()) }

  /// A magazine by its number, of which only as many bits count as there are magazines.
  @inlinable @inline(__always)
  subscript(index: UInt) -> MagazineReference {
    let place = index & (1 &<< Self.countLog &- 1)
    // In the table, by the mask.
    return unsafe MagazineReference(
      (start + Int(bitPattern: place &<< Self.strideLog))
        .assumingMemoryBound(to: FrameMagazine.self))
  }

  /// The first place of a thread's.
  @inlinable @inline(__always)
  static func hash(_ thread: UInt) -> UInt {
    // The golden ratio: threads lie at a distance of their stacks.
    let ratio: UInt64 = 0x9E37_79B9_7F4A_7C15
    let factor = UInt(truncatingIfNeeded: ratio &>> UInt64(64 - UInt.bitWidth))
    return (thread &* factor) &>> (UInt(UInt.bitWidth) &- countLog)
  }

  /// The magazine that a thread has as a rule, if it has one.
  @inlinable @inline(__always)
  func first(of thread: UInt) -> MagazineReference { self[Self.hash(thread)] }

  /// The magazine that a thread has.
  func find(_ thread: UInt) -> MagazineReference? {
    let hash = Self.hash(thread)
    for probe in 0..<Self.probes where self[hash &+ probe].isOwned(by: thread) {
      return self[hash &+ probe]
    }
    return nil
  }

  /// Takes a magazine for a thread that has none; `nil` where all of its places are taken.
  func claim(for thread: UInt) -> MagazineReference? {
    let hash = Self.hash(thread)
    for probe in 0..<Self.probes where self[hash &+ probe].claim(for: thread) {
      return self[hash &+ probe]
    }
    return nil
  }

  /// Frames in all of them, as far as they have told.
  var frameCount: Int {
    var sum = 0
    for index in 0..<UInt(Self.count) { sum += self[index].count }
    return sum
  }

  /// Makes them all empty, without owners: for a child of `fork`.
  func reset() {
    // To write to memory that was never used would cost a page.
    for index in 0..<UInt(Self.count) where !self[index].isOwned(by: 0) { self[index].reset() }
  }
}
