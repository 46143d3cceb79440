import CSysMem
import Synchronization

// Owners and the end of an arena
// ==============================
//
// A `PageRun` must never outlive its memory, and must not count references of the arena, which would
// cost more than the run itself. So the arena counts its live owners, under the lock where it takes that
// anyway, else in the cache that a run comes from or goes to; its end closes the caches for good, adds
// up, and looks at the sum:
//
//   last reference goes, no owner lives      the state ends
//   last reference goes, owners live         the state is an orphan; nothing new can be taken from it
//   an orphan's last owner goes              the state ends
//
// An owner refers to the arena's *core*, an object with the same way to the state, which the state
// keeps alive. All that the arena can do, the core can, and it costs an owner nothing to hold.

/// What an arena knows of its owners. Guarded by the heap lock.
@safe
struct OwnedRuns {
  /// Owners that live, but for those that the caches count.
  var live = 0
  /// The caches count none any more: `live` is all.
  var isSum = false
  /// The arena itself has gone.
  var isOrphan = false
  /// The object that owners refer to; the state holds a reference.
  var core: Unmanaged<PageArena>?
  /// Mappings that owners have split off, at the most.
  var mappings = 0
  /// What guards are made of here.
  var guardKind = GuardKind.unknown
  /// Runs that were freed, and that the kernel would not make plain memory again.
  var limbo = InlineArray<64, Range<PageNumber>>(repeating: 0..<0)
  /// How many of them there are.
  var limboCount = 0
  /// Pages of runs in limbo for which the list had no room: in use until the arena ends.
  var strandedPages = 0

  /// The most mappings that an arena's runs may split off: half of what Linux allows a process by
  /// default (`vm.max_map_count`, 65,530).
  static var mappingLimit: Int { 32_000 }
}

/// What guards are made of.
enum GuardKind {
  /// Not asked yet.
  case unknown
  /// Markers in the page tables: no mapping of their own.
  case markers
  /// Access rights: a mapping each.
  case mappings
}

extension PageArena {
  /// The last reference to the arena went: ends the state, or leaves that to the last owner.
  func endOrOrphan() {
    // The state lives until `end`; nobody else has the arena, but owners may be dropped meanwhile.
    unsafe state.locks.pointee.heap.lock()
    unsafe state.pointee.closeCaches()
    unsafe state.locks.pointee.heap.unlock()
    // From here on nobody goes into a cache; whoever is inside is for nanoseconds, unless preempted there.
    if ownersUseCaches { _ = system.passBarrier() }
    while true {
      unsafe state.locks.pointee.heap.lock()
      let isSum = unsafe state.pointee.addUpOwners()
      let isLast = unsafe state.pointee.isWithoutOwners
      unsafe state.locks.pointee.heap.unlock()
      if isLast { return end() }
      if isSum { return }
      csm_yield()
    }
  }

  /// Gives everything back to the system, the core included.
  func end() {
    // Kept by itself: the reference that `self` holds may be the core's.
    let system = self.system
    // From here on no fork and no end of a thread sees the arena; nor does its own thread.
    unsafe ArenaRegistry.remove(state)
    returnPath.stopBackground()
    if checks != nil { endChecks() }
    unsafe state.pointee.caches.forEach { CacheMapping.unmap(UInt(bitPattern: $0), system) }
    // All is moved out first: it lies in memory of the tables, which go when `growth` does.
    unsafe state.steps.deinitialize(count: 1)
    let growth = unsafe state.growth.move()
    let last = unsafe state.move()
    last.checks?.unmap(system)
    let idle = UInt(last.scavengedPages) << UInt(Geometry.pageShift)
    let grown = UInt(last.grownPages) << UInt(Geometry.pageShift)
    growth.reservation.free(
      to: system, preparedByteCount: idle, readyByteCount: grown - idle)
    unsafe last.owned.core?.release()
  }
}

// MARK: - Call with `heap` held

extension ArenaState {
  /// The arena has gone, and the last owner, too.
  var isWithoutOwners: Bool { owned.isOrphan && owned.isSum && owned.live == 0 }

  /// The arena goes: no owner is to come or go by a cache again.
  fileprivate mutating func closeCaches() {
    owned.isOrphan = true
    caches.closeForGood()
  }

  /// Takes over what the closed caches have counted, after a barrier in all threads.
  ///
  /// - Returns: `false`, with nothing changed, where a thread is still inside one.
  fileprivate mutating func addUpOwners() -> Bool {
    guard let sum = caches.ownerCount else { return false }
    owned.live += sum
    owned.isSum = true
    return true
  }
}
