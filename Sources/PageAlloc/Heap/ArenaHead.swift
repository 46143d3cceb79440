import SysMem

// What an arena is made of
// ========================
//
// All of it lies in the head of the tables, a struct for each guard, in this order:
//
//   ArenaFacts      what never changes; read by anybody
//   ArenaLocks      the locks, on a cache line of their own
//   Heap            what the heap lock guards
//   Growth          what the growth lock guards
//   ScavengeSteps   what belongs to whoever performs the scavenger's steps
//   ScavengerLink   what the scavenger's thread keeps of the arena
//
// They lie apart because a mutation of a field is, to Swift, an access to the whole struct: two
// threads that hold different locks must not change fields of the same struct.

/// What never changes while an arena lives.
///
/// Safe, since the one reference that is not counted by the compiler is lent by the core alone,
/// which lives as long as the arena holds it.
@usableFromInline
@safe
struct ArenaFacts {
  /// The operating system's memory. It is counted once, from the beginning to the arena's end.
  let system: Unmanaged<SysMem>
  /// The kernel's page in bytes.
  let physicalPageSize: Int
  /// The arena's number in the process, never used twice.
  @usableFromInline let number: UInt
  /// Its place in the registry.
  let place: Int
  /// Whether owners may come and go by the threads' caches: there are any.
  @usableFromInline let ownersUseCaches: Bool
  /// Whether runs may be writable and executable at once.
  let allowsWritableCode: Bool
  /// Whether the arena never ends.
  let isPermanent: Bool
  /// Whether the program's own handlers of `fork` say when the arena is held.
  let forksManually: Bool
  /// What the kernel is told of memory to come.
  let hugePages: HugePages
  /// Pages that a cache may hold; 0 for no caches.
  let cacheLimit: Int
  /// The address of offset 0.
  let base: UInt
  /// What was handed out.
  let runs: RunTable
  /// The operating system's files about limits and stalls.
  let files: any SystemFiles
  /// The time.
  let clock: any ScavengeClock
  /// What the options say about memory that goes back.
  let plan: ScavengePlan
  /// The notes of the checked mode; `nil` where it is off.
  let checks: CheckedRuns?
  /// How the checked mode is set up.
  let checkedMode: CheckedMode
}

/// The locks of an arena.
///
/// Order: `growth`, `release`, `heap`; Sources/README.md has that of all locks. `heap` alone guards
/// the allocation path, and no call to the kernel is made while it is held. `growth` and `release`
/// are turns: their holder is the one thread that grows the arena, or gives memory back, and makes
/// calls to the kernel meanwhile.
struct ArenaLocks: ~Copyable {
  let heap = FutexLock()
  let growth = FutexLock()
  let release = FutexLock()
}

/// What the scavenger's thread keeps of an arena. Guarded by the lock of its list.
struct ScavengerLink {
  /// The next arena in the list of those that are awake.
  var next: ArenaCore?
  /// It is in that list.
  var isLinked = false
  /// It was woken since its last step began.
  var wasWoken = false
  /// It is to give all back: the kernel just told that tasks wait for memory.
  var isStalled = false
  /// Nanoseconds until its next step.
  var delay: UInt64 = 0
}

/// Where the parts lie.
package enum ArenaHead {
  package static var locksOffset: Int { rounded(MemoryLayout<ArenaFacts>.size) }
  package static var heapOffset: Int { locksOffset + rounded(MemoryLayout<ArenaLocks>.size) }
  package static var growthOffset: Int { heapOffset + rounded(MemoryLayout<Heap>.size) }
  package static var stepsOffset: Int { growthOffset + rounded(MemoryLayout<Growth>.size) }
  package static var linkOffset: Int { stepsOffset + rounded(MemoryLayout<ScavengeSteps>.size) }
  /// Bytes of the whole head.
  package static var byteCount: Int { linkOffset + rounded(MemoryLayout<ScavengerLink>.size) }

  /// Rounds up to a cache line, which no two parts share.
  private static func rounded(_ byteCount: Int) -> Int { (byteCount + 63) & ~63 }
}
