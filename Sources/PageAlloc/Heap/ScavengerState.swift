import SysMem

/// What frees need to know of the scavenger in the background, and what went back.
///
/// ```
///   parked ---- more is free than `wakeAbove` ----> awake
///     ^                                               |
///     +------------- nothing to do -------------------+
/// ```
package struct ScavengerState {
  /// What the scavenger is doing.
  package enum Phase: UInt8 {
    /// There is none, and none is wanted.
    case manual
    /// It waits for a free that wakes it.
    case parked
    /// At work, or asleep for a stated time.
    case awake
  }

  package var phase: Phase
  /// More free resident pages than this wake the scavenger; `Int.max` while it is awake, or none is
  /// wanted.
  package private(set) var wakeAbove: Int
  /// The pages that were resident when that was set, and by how much it was lowered since because
  /// fewer are.
  private var markedResident = 0
  private var lowered = 0
  private let goal: ScavengeGoal
  package var counters = ReturnCounters()

  package init(_ plan: ScavengePlan) {
    phase = plan.isInBackground ? .parked : .manual
    goal = plan.goal
    wakeAbove =
      plan.isInBackground ? plan.goal.wakeAbove(inUse: 0, free: 0, limits: .none) : .max
  }

  /// It is awake, whoever woke it: until it has parked again no free wakes it.
  ///
  /// - Returns: whether it was asleep.
  package mutating func wake() -> Bool {
    wakeAbove = .max
    if phase != .parked { return false }
    phase = .awake
    return true
  }

  /// More free pages than `mark` wake it, while so many are resident.
  mutating func setMark(_ mark: Int, resident: Int) {
    wakeAbove = mark
    markedResident = resident
    lowered = 0
  }

  /// So many more free pages wake it.
  mutating func moveMark(by pages: Int) {
    if wakeAbove != .max { wakeAbove &+= pages }
  }

  /// So many pages are resident now. Where they are fewer, less may stay, whoever gave the others
  /// back: they need not have been free in between.
  mutating func note(resident: Int) {
    if wakeAbove == .max { return }
    let less = goal.wakesEarlier(byFewer: max(0, markedResident &- resident))
    wakeAbove &+= lowered &- less
    lowered = less
  }
}

/// What the scavenger knows from step to step: of whoever performs them, the thread as a rule.
package struct ScavengeSteps {
  var pacer: ScavengePacer
  /// Woken since the last step.
  package var isFresh = true
  var lastStep = Moment(nanoseconds: 0)
  var lastProcessorTime = Moment(nanoseconds: 0)
  /// How old the generation is, in nanoseconds: added up step by step, so that it goes on where
  /// the clock went back.
  package var generationAge: UInt64 = 0
  /// None has ended since it was woken.
  package var isFirstGeneration = true
  /// The most pages in use that were seen in this generation and in the one before.
  package var peak = 0
  package var previousPeak = 0
  /// Generations that ended since something was given back, or was about to come back, or nothing
  /// was too much.
  package var idleGenerations = 0
  /// Free pages that might be resident when the step looked.
  package var freePages = 0
  /// ``Heap/unwatchedPages`` after caches were emptied since it was woken, 0 until then: to empty
  /// them once more takes nothing of that.
  package var unwatchedPages = 0
  /// Total stall time that the kernel told last, in microseconds.
  var pressure: UInt64?

  package init(_ plan: ScavengePlan) { pacer = ScavengePacer(share: plan.cpuShare) }
}
