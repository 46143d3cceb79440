import CSysMem
import SysMem

/// Why memory went back.
enum ReleaseCause: UInt8 {
  case background
  case request
  case limit
  case headroom
}

/// What went back since the arena was made, and at what cost.
struct ReturnCounters {
  /// Bytes by cause.
  var backgroundBytes: UInt64 = 0
  var requestedBytes: UInt64 = 0
  var limitBytes: UInt64 = 0
  var headroomBytes: UInt64 = 0
  /// Bytes that the kernel would not take: they stay free as before.
  var refusedBytes: UInt64 = 0
  /// Bytes that the kernel may take when it wants to. They count as free and resident.
  var lazyBytes: UInt64 = 0
  /// Passes that gave something back.
  var passes: UInt64 = 0
  /// Time in passes that somebody waited for: all but those in the background.
  var callNanoseconds: UInt64 = 0
  /// Processor time of the scavenger's thread, and the time on the wall in which it was not parked.
  var workNanoseconds: UInt64 = 0
  var awakeNanoseconds: UInt64 = 0
  /// Allocations refused by the hard limit.
  var limitRefusals: UInt64 = 0
  /// Advice about huge pages that the kernel did not take.
  var refusedAdvice: UInt64 = 0

  mutating func add(_ byteCount: UInt64, _ cause: ReleaseCause, nanoseconds: UInt64) {
    if byteCount > 0 { passes += 1 }
    switch cause {
    case .background: backgroundBytes += byteCount
    case .request: requestedBytes += byteCount
    case .limit: limitBytes += byteCount
    case .headroom: headroomBytes += byteCount
    }
    if cause != .background { callNanoseconds += nanoseconds }
  }
}

/// What the scavenger in the background knows.
///
/// ```
///   off ---- first need: a thread is started ----> awake <---- need: signal ---- parked
///                                                    |                             ^
///                                                    +------- nothing to do -------+
/// ```
/// Guarded by the arena's heap lock, as a part of its state.
struct ScavengerState {
  /// What the thread is doing.
  enum Phase: UInt8 {
    /// There is none, and none is wanted.
    case manual
    /// There is none yet.
    case off
    /// At work, or asleep for a stated time.
    case awake
    /// Asleep until it is signalled.
    case parked
  }

  var phase: Phase
  /// More free resident pages than this wake the scavenger; `Int.max` while it is awake, or none
  /// is wanted.
  var wakeAbove: Int
  var counters = ReturnCounters()

  /// Whether there is a thread to be joined, and which. Written by the call that starts it, read at
  /// the arena's end.
  var hasThread = false
  var thread = pthread_t()

  // What follows never changes.
  let goal: ScavengeGoal
  let clock: any ScavengeClock
  let generationNanoseconds: UInt64
  let readsPressure: Bool

  init(_ plan: ScavengePlan, clock: any ScavengeClock) {
    phase = plan.isInBackground ? .off : .manual
    goal = plan.goal
    wakeAbove =
      plan.isInBackground ? goal.wakeAbove(inUse: 0, free: 0, limits: .none) : .max
    self.clock = clock
    generationNanoseconds = plan.generationNanoseconds
    readsPressure = plan.readsPressure
  }
}

/// What the scavenger knows from step to step: of whoever performs them, the thread as a rule.
struct ScavengeSteps {
  var pacer: ScavengePacer
  /// Woken since the last step.
  var isFresh = true
  var lastStep = Moment(nanoseconds: 0)
  var lastProcessorTime = Moment(nanoseconds: 0)
  /// How old the generation is, in nanoseconds: added up step by step, so that it goes on where
  /// the clock went back.
  var generationAge: UInt64 = 0
  /// None has ended since it was woken.
  var isFirstGeneration = true
  /// The most pages in use that were seen in this generation and in the one before.
  var peak = 0
  var previousPeak = 0
  /// Generations that ended since something was given back.
  var idleGenerations = 0
  /// Total stall time that the kernel told last, in microseconds.
  var pressure: UInt64?

  init(_ plan: ScavengePlan) { pacer = ScavengePacer(share: plan.cpuShare) }
}
