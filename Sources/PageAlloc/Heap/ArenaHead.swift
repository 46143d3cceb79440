import SysMem
import Synchronization

// What an arena knows, and who guards it
// ======================================
//
// All of it lies in the head of the tables, a struct for each guard, in this order:
//
//   ArenaLocks     the locks, and what needs none: 64 bytes, a cache line of its own
//   ArenaState     the heap lock's
//   GrowthState    the growth lock's
//   ScavengeSteps  the one's who performs the scavenger's steps
//
// Apart, because to change a field is, to Swift, an access to the whole struct: two threads that hold
// different locks must not have different fields of one.

/// The locks of an arena.
///
/// Order: `registry` (the process's), `growth`, `release`, `heap`. Only `heap` guards the allocation
/// path, and no call to the kernel is made while it is held.
struct ArenaLocks: ~Copyable {
  /// Guards the ``ArenaState`` but for its place in the list of arenas.
  let heap = FutexLock()
  /// Held by the one thread that grows the arena; guards the ``GrowthState``.
  let growth = FutexLock()
  /// Held by the one thread that gives memory back.
  let release = FutexLock()
  /// Ends the sleep of the scavenger's thread.
  let wakeUp = FutexEvent()
  /// Where the thread sleeps if stalls are to wake it.
  let stallWatch = StallWatch()
  /// The scavenger's thread is to end. Written by the arena's end, read by the thread: relaxed,
  /// since the event orders it.
  let isStopping = Atomic<Bool>(false)

  /// Bytes in front of a state: a cache line of their own.
  static var byteCount: Int { 64 }
}

/// What the growth lock guards: memory to come.
struct GrowthState: ~Copyable {
  /// Address space.
  var reservation: Reservation
  /// The tables' memory.
  var tables: AllocatorTables
  /// Whether huge pages are worth asking for.
  var hugeGrowth = HugeGrowth()

  /// Seals what never changes again, as far as the kernel can.
  mutating func seal(by system: SysMem) {
    tables.seal()
    reservation.seal(by: system)
  }
}

/// Where the parts of an arena's head lie.
enum ArenaHead {
  /// Bytes of the head.
  static var byteCount: Int {
    ArenaLocks.byteCount + MemoryLayout<ArenaState>.stride + MemoryLayout<GrowthState>.stride
      + MemoryLayout<ScavengeSteps>.stride
  }
}

// A state lies behind its locks and before the rest, as `PageArena.init` puts it. The alignment of each
// part is at most that of a word of 64 bits, of which the one before it is a multiple in size.
extension UnsafeMutablePointer<ArenaState> {
  /// The state of a head that is yet to be initialized, part by part.
  init(head: UnsafeMutableRawPointer) {
    unsafe head.bindMemory(to: ArenaLocks.self, capacity: 1)
    unsafe self = (head + ArenaLocks.byteCount).bindMemory(to: ArenaState.self, capacity: 1)
    unsafe UnsafeMutableRawPointer(growth).bindMemory(to: GrowthState.self, capacity: 1)
    unsafe UnsafeMutableRawPointer(steps).bindMemory(to: ScavengeSteps.self, capacity: 1)
  }

  /// The locks of the arena.
  @inline(__always)
  var locks: UnsafeMutablePointer<ArenaLocks> {
    unsafe (UnsafeMutableRawPointer(self) - ArenaLocks.byteCount)
      .assumingMemoryBound(to: ArenaLocks.self)
  }

  /// What to hold the growth lock for.
  var growth: UnsafeMutablePointer<GrowthState> {
    unsafe UnsafeMutableRawPointer(self + 1).assumingMemoryBound(to: GrowthState.self)
  }

  /// What belongs to whoever performs the scavenger's steps.
  var steps: UnsafeMutablePointer<ScavengeSteps> {
    unsafe UnsafeMutableRawPointer(growth + 1).assumingMemoryBound(to: ScavengeSteps.self)
  }
}
