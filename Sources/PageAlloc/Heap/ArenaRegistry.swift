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
    futex.lock(mark)
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
    guard patiently({ futex.tryLock() }) else { return }
    defer { unlock() }
    body()
  }

  private static func unlock() { futex.unlock() }

  /// Takes the registry's lock for a fork, which holds it from one call to another.
  static func lockForFork() { futex.lockForFork(.registry) }

  /// Gives it back.
  static func unlockAfterFork() { futex.unlockAfterFork() }

  private static var futex: FutexLock {
    // The first field, as wide as the lock, and zero at first: a free lock.
    unsafeAddress { unsafe .init(OpaquePointer(cts_registry_here().unsafelyUnwrapped)) }
  }

  /// What the lock guards.
  static var record: cts_registry {
    unsafeAddress { unsafe UnsafePointer(cts_registry_here().unsafelyUnwrapped) }
    unsafeMutableAddress { unsafe cts_registry_here().unsafelyUnwrapped }
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
  private static var places: MappedTable<ArenaPlace> {
    // Mapped before there is a place, for all of them.
    unsafe MappedTable(at: record.places, count: capacity)
  }

  /// Finds a place for an arena that is about to be made.
  ///
  /// - Throws: the kernel has no memory for the table, or it is full.
  package static func reservePlace() throws(SysMemError) -> Int {
    let byteCount = UInt(capacity * MemoryLayout<ArenaPlace>.stride)
    if record.places == 0 {
      // It stays for as long as the process lives, and backs what was used of it.
      let mapped = csm_mmap(0, byteCount, PROT_READ | PROT_WRITE, 0, 1)
      if mapped.error != 0 {
        throw SysMemError(
          call: .mmap, address: 0, byteCount: byteCount, errno: Errno(rawValue: mapped.error))
      }
      record.places = mapped.value
    }
    let free = Int(record.free)
    if free != 0 {
      record.free = UInt32(truncatingIfNeeded: places[free - 1].number)
      return free - 1
    }
    let used = Int(record.used)
    guard used < capacity else {
      throw SysMemError(call: .mmap, address: 0, byteCount: byteCount, errno: .outOfMemory)
    }
    record.used += 1
    places[used] = ArenaPlace(core: 0, number: 0)
    return used
  }

  /// Lets go of a place that no arena has.
  package static func releasePlace(_ index: Int) {
    places[index] = ArenaPlace(core: 0, number: UInt(record.free))
    record.free = UInt32(truncatingIfNeeded: index + 1)
  }

  /// Keeps a place for a pool, in which threads note something, and no arena ever is.
  static func keep(_ index: Int, for number: UInt) {
    places[index] = ArenaPlace(core: 0, number: number)
  }

  /// Puts an arena into its place.
  static func add(_ core: ArenaCore) {
    places[core.place] = ArenaPlace(core: core.address, number: core.number)
  }

  /// The arena of a number, if it is still in its place.
  static func find(_ index: Int, _ number: UInt) -> ArenaCore? {
    index < Int(record.used) && places[index].number == number ? core(index) : nil
  }

  /// Calls `body` with each arena, in the order of their places.
  static func forEach(_ body: (ArenaCore) -> Void) {
    for index in 0..<Int(record.used) {
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
    let address = places[index].core
    // An arena is in the list only as long as it lives.
    return address == 0 ? nil : unsafe ArenaCore(at: address)
  }
}
