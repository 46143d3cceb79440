import SysMem

/// What never changes while an arena lives.
///
/// Safe, since the references that are not counted by the compiler are lent by the core alone,
/// which lives as long as the arena holds them.
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
  /// What the arenas of a pool have in common; `nil` where the arena is in none. It is counted
  /// once, as `system` is.
  let pool: Unmanaged<PoolAccount>?
  /// The notes of the checked mode; `nil` where it is off.
  let checks: CheckedRuns?
  /// Who writes down what happens to the pages; `nil` where nobody does.
  let recorder: RunRecorder?
  /// Whether somebody does: what the short ways look at.
  let isRecorded: Bool
  /// Who samples the runs that are handed out; `nil` where nobody does.
  let profile: RunProfile?
  /// How the checked mode is set up.
  let checkedMode: CheckedMode
  /// What the environment wants the arena to say.
  let wishes: EnvironmentWishes
  /// What the program calls the arena.
  let label: LabelText
}
