// Owners and the end of an arena
// ==============================
//
// A `PageRun` must never outlive its memory, and must not count references of the arena, which would
// cost more than the run itself. So the arena counts its live owners under the lock that it takes
// anyway, and its end looks at the count:
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
  /// Owners that live.
  var live = 0
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
    unsafe state.pointee.owned.isOrphan = true
    let isLast = unsafe state.pointee.owned.live == 0
    unsafe state.locks.pointee.heap.unlock()
    if isLast { end() }
  }

  /// Gives everything back to the system, the core included.
  func end() {
    // Kept by itself: the reference that `self` holds may be the core's.
    let system = self.system
    // From here on no fork and no end of a thread sees the arena; nor does its own thread.
    unsafe ArenaRegistry.remove(state)
    returnPath.stopBackground()
    var position = unsafe state.pointee.caches
    while let cache = unsafe position {
      unsafe position = cache.pointee.next
      CacheMapping.unmap(UInt(bitPattern: cache), system)
    }
    // The state is moved out first: it lies in memory of its own tables, which go when it does.
    let last = unsafe state.move()
    let idle = UInt(last.scavengedPages) << UInt(Geometry.pageShift)
    let grown = UInt(last.grownPages) << UInt(Geometry.pageShift)
    last.reservation.free(
      to: system, preparedByteCount: idle, readyByteCount: grown - idle)
    unsafe last.owned.core?.release()
  }
}
