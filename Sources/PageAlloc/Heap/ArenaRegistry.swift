import CSysMem
import CThreadSlots
import SysMem

// The arenas of the process
// =========================
//
// A table of the arenas that this copy of the library has made, so that a thread that ends finds
// those which are still there, a fork finds all, and so does whoever reports a fault. An arena has
// a place in it for as long as it lives; its number, which is never used twice, tells it from the
// next one in the same place.
//
//   place     0        1        2       ...
//           | arena  | free   | arena  |
//
// The table is address space for all places at once; memory backs it as far as it was used.

/// The arenas that are there.
package enum ArenaRegistry {
  /// The most arenas at a time: more mappings than Linux allows a process by default.
  package static var capacity: Int { UInt.bitWidth == 64 ? 1 << 16 : 1 << 12 }

  /// Runs `body` with the registry's lock held.
  package static func withLock<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let mark = InsideMark(.registry)
    unsafe futex.pointee.lock(mark)
    defer {
      unlock()
      mark.end()
    }
    return try body()
  }

  /// The same, if the lock can be had within about a tenth of a second: for who may hold it
  /// already.
  static func withLockIfFree(_ body: () -> Void) {
    let mark = InsideMark(.registry)
    defer { mark.end() }
    guard patiently({ unsafe futex.pointee.tryLock() }) else { return }
    defer { unlock() }
    body()
  }

  private static func unlock() { unsafe futex.pointee.unlock() }

  /// Takes the registry's lock for a fork, which holds it from one call to another.
  static func lockForFork() { unsafe futex.pointee.lockForFork() }

  /// Gives it back.
  static func unlockAfterFork() { unsafe futex.pointee.unlockAfterFork() }

  private static var futex: UnsafeMutablePointer<FutexLock> {
    // The first field, as wide as the lock, and zero at first: a free lock.
    unsafe UnsafeMutableRawPointer(cts_registry_here()!).assumingMemoryBound(to: FutexLock.self)
  }
}

/// A place in the registry.
private struct ArenaPlace {
  /// The arena's core; 0 where the place is free.
  var core: UInt
  /// The arena's number; the next free place, and 1, where the place is free.
  var number: UInt
}

// MARK: - Places, which the lock guards

extension ArenaRegistry {
  private static var registry: UnsafeMutablePointer<cts_registry> { unsafe cts_registry_here()! }

  private static func place(_ index: Int) -> UnsafeMutablePointer<ArenaPlace> {
    // Callers keep below the number of places, for which the table has memory.
    unsafe UnsafeMutablePointer<ArenaPlace>(bitPattern: registry.pointee.places)! + index
  }

  /// Finds a place for an arena that is about to be made.
  ///
  /// - Throws: the kernel has no memory for the table, or it is full.
  package static func reservePlace() throws(SysMemError) -> Int {
    let registry = unsafe registry
    let byteCount = UInt(capacity * MemoryLayout<ArenaPlace>.stride)
    if unsafe registry.pointee.places == 0 {
      // It stays for as long as the process lives, and backs what was used of it.
      let mapped = csm_mmap(0, byteCount, PROT_READ | PROT_WRITE, 0, 1)
      if mapped.error != 0 {
        throw SysMemError(
          call: .mmap, address: 0, byteCount: byteCount, errno: Errno(rawValue: mapped.error))
      }
      unsafe registry.pointee.places = mapped.value
    }
    let free = unsafe Int(registry.pointee.free)
    if free != 0 {
      unsafe registry.pointee.free = UInt32(truncatingIfNeeded: place(free - 1).pointee.number)
      return free - 1
    }
    let used = unsafe Int(registry.pointee.used)
    guard used < capacity else {
      throw SysMemError(call: .mmap, address: 0, byteCount: byteCount, errno: .outOfMemory)
    }
    unsafe registry.pointee.used += 1
    unsafe place(used).initialize(to: ArenaPlace(core: 0, number: 0))
    return used
  }

  /// Lets go of a place that no arena has.
  package static func releasePlace(_ index: Int) {
    unsafe place(index).pointee = ArenaPlace(core: 0, number: UInt(registry.pointee.free))
    unsafe registry.pointee.free = UInt32(truncatingIfNeeded: index + 1)
  }

  /// Keeps a place for a pool, in which threads note something, and no arena ever is.
  static func keep(_ index: Int, for number: UInt) {
    unsafe place(index).pointee = ArenaPlace(core: 0, number: number)
  }

  /// Puts an arena into its place.
  static func add(_ core: ArenaCore) {
    unsafe place(core.place).pointee = ArenaPlace(
      core: UInt(bitPattern: core.head), number: core.number)
  }

  /// The arena of a number, if it is still in its place.
  static func find(_ index: Int, _ number: UInt) -> ArenaCore? {
    guard unsafe index < Int(registry.pointee.used), unsafe place(index).pointee.number == number
    else { return nil }
    return core(index)
  }

  /// Calls `body` with each arena, in the order of their places.
  static func forEach(_ body: (ArenaCore) -> Void) {
    for index in 0..<(unsafe Int(registry.pointee.used)) {
      if let core = core(index) { body(core) }
    }
  }

  /// How many arenas there are.
  ///
  /// - Complexity: O(the most arenas that there were at a time).
  static var count: Int {
    var count = 0
    forEach { _ in count += 1 }
    return count
  }

  private static func core(_ index: Int) -> ArenaCore? {
    guard let head = unsafe UnsafeMutableRawPointer(bitPattern: place(index).pointee.core) else {
      return nil
    }
    return unsafe ArenaCore(head: head)
  }
}
