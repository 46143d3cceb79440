import CThreadSlots
import SysMem

// Signals
// =======
//
// The handler of a signal runs in the middle of whatever its thread was doing. Where that was a
// call of the library's, the handler's own call finds it:
//
//   in a cache           isInside of the front is set: the handler's call goes the slow way
//   under a lock         a bit of the thread's `inside` is set; under the heap lock, which also
//                        guards the thread's own cache, the slot used last matches no arena
//   anywhere else        nothing is half changed, and the handler's call is like any other
//
// The slow way looks at both first, and refuses with `PageArenaError.reentered`. What cannot throw
// traps with that name, where it would wait for a lock that its own thread holds.

/// Says, as long as it lasts, what of the library's the calling thread is in the middle of.
struct InsideMark {
  /// What guards something.
  enum Place: UInt {
    case heap = 1
    case growth = 2
    case release = 4
    case registry = 8
    case scavengerList = 16
    case scavengerLife = 32
    /// The thread's slots, which no lock guards.
    case slots = 64
    /// The runs of a slab, and the list of all slabs.
    case slab = 128
    case slabList = 256
    /// The settings of a pool, while their lock is taken or given back.
    case poolSettings = 512
  }

  private let place: Place
  private let before: UInt

  /// The thread is about to take a lock, or holds it.
  @inline(__always)
  init(_ place: Place) {
    self.place = place
    before = ThisThread.record.inside
    ThisThread.record.inside = before | place.rawValue
    cts_compiler_barrier()
  }

  /// The lock is free again.
  @inline(__always)
  func end() {
    cts_compiler_barrier()
    ThisThread.record.inside = before
  }

  /// Traps where the lock is not to be had because the thread itself holds it.
  @inline(never)
  func requireFirst() {
    if before & place.rawValue == 0 { return }
    reentered()
  }

  /// Has the slot used last match no arena, so that no call goes the short way.
  ///
  /// - Returns: the arena's number that it had, for ``showLastSlot(_:)``.
  @inline(__always)
  static func hideLastSlot() -> UInt {
    let number = ThisThread.record.last.arena
    ThisThread.record.last.arena = 0
    cts_compiler_barrier()
    return number
  }

  /// Has it match again.
  @inline(__always)
  static func showLastSlot(_ number: UInt) {
    cts_compiler_barrier()
    // As a whole where it is read so: a processor that has stored one half lets such a read wait.
    cts_set_last(number, ThisThread.record.last.cache)
  }

  /// The calling thread is in the middle of something of the library's.
  @inline(__always)
  static var isAny: Bool { ThisThread.record.inside != 0 }

  /// The calling thread may be in the middle of a change of its slots, or of one of its caches.
  static var mayChangeCaches: Bool {
    ThisThread.record.inside & (Place.heap.rawValue | Place.slots.rawValue) != 0
  }
}

extension FutexLock {
  /// Takes a lock of whose place the thread has made a mark.
  @inline(__always)
  borrowing func lock(_ mark: InsideMark) {
    if lockAtOnce() { return }
    mark.requireFirst()
    lock()
  }

  /// Takes a lock for a fork, of whose place the thread may have made a mark before a signal's
  /// handler forked.
  borrowing func lockForFork(_ place: InsideMark.Place) {
    lockForFork { if ThisThread.record.inside & place.rawValue != 0 { reentered() } }
  }
}

/// A call that cannot throw came from the handler of a signal, in the middle of another call of its
/// own thread's.
@inline(never)
func reentered() -> Never {
  var line = DumpLine()
  line.append("PageAlloc: PageArenaError.reentered: a signal's handler used an arena ")
  line.append("while its thread was inside a call of one")
  line.write()
  fatalError("PageAlloc: PageArenaError.reentered")
}
