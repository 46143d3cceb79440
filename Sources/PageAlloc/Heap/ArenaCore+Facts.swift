import SysMem

// What never changes while an arena lives.

extension ArenaCore {
  /// The arena's number in the process, never used twice.
  @inlinable @inline(__always)
  var number: UInt { facts.number }
  /// Its place in the registry.
  var place: Int { facts.place }
  /// Whether owners may come and go by the threads' caches.
  @inlinable @inline(__always)
  var ownersUseCaches: Bool { facts.ownersUseCaches }
  /// The address of offset 0.
  @inline(__always)
  var base: UInt { facts.base }
  /// The operating system's memory.
  var system: SysMem { withSystem { $0 } }
  /// Lends the operating system's memory to `body`, with no reference counted: it lives as long as
  /// the core.
  @inline(__always)
  func withSystem<Result>(_ body: (SysMem) -> Result) -> Result {
    unsafe facts.system._withUnsafeGuaranteedRef(body)
  }
  /// What the arenas of its pool have in common; `nil` where it is in none.
  var pool: PoolAccount? { unsafe facts.pool.map { unsafe $0.takeUnretainedValue() } }
  /// The kernel's page in bytes.
  @inline(__always)
  var physicalPageSize: Int { facts.physicalPageSize }
  /// What was handed out.
  @inline(__always)
  var runs: RunTable { facts.runs }
  /// Pages that a cache may hold; 0 for no caches.
  @inline(__always)
  var cacheLimit: Int { facts.cacheLimit }
  /// The notes of the checked mode; `nil` where it is off.
  @inline(__always)
  var checks: CheckedRuns? { facts.checks }
  /// Who writes down what happens to the pages; `nil` where nobody does.
  var recorder: RunRecorder? { facts.recorder }
  /// Whether somebody does.
  @inline(__always)
  var isRecorded: Bool { facts.isRecorded }
  /// Who samples the runs that are handed out; `nil` where nobody does.
  var profile: RunProfile? { facts.profile }
  /// How the checked mode is set up.
  var checkedMode: CheckedMode { facts.checkedMode }
  /// What the kernel is told of memory to come.
  var hugePages: HugePages { facts.hugePages }
  /// Whether runs may be writable and executable at once.
  var allowsWritableCode: Bool { facts.allowsWritableCode }
  /// Whether the arena never ends.
  var isPermanent: Bool { facts.isPermanent }
  /// What the environment wants the arena to say.
  var wishes: EnvironmentWishes { facts.wishes }
  /// What the program calls the arena.
  var label: LabelText { facts.label }
  /// The operating system's files about limits and stalls.
  var files: any SystemFiles { facts.files }
  /// The time.
  var clock: any ScavengeClock { facts.clock }
  /// What the options say about memory that goes back.
  var plan: ScavengePlan { facts.plan }
  /// Whether the program's own handlers of `fork` say when the arena is held.
  var forksManually: Bool { facts.forksManually }
}
