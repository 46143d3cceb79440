import SysMem

// What the scavenger looks at, and what wakes it.
//
// A step adds up what caches hold: by the tally alone, a MiB in each of a thousand idle caches
// would be taken for memory in use.

extension Heap {
  /// Whether what was just freed is to wake the scavenger: once the lock is free again,
  /// `ScavengerThread.wake` does that.
  ///
  /// One comparison, while there is nothing to do.
  @inline(__always)
  package mutating func wakesScavenger() -> Bool {
    watchedPages > scavenger.wakeAbove && wakeScavenger()
  }

  /// Free pages that may be resident, those in caches not.
  @inline(__always)
  private var watchedPages: Int { counts.freeResident &+ depot.pageCount }

  /// The mark may be too low: it is lowered where pages go straight back to the kernel, and not
  /// raised where others are written to.
  @inline(never)
  private mutating func wakeScavenger() -> Bool {
    noteReturned()
    return watchedPages > scavenger.wakeAbove && scavenger.wake()
  }

  /// Fewer pages are resident: less may stay.
  mutating func noteReturned() { scavenger.note(resident: counts.resident) }

  /// From now on frees look whether the scavenger must be woken, and so does a cache that grows.
  package mutating func armScavenger(_ plan: ScavengePlan) {
    arm(plan, countedReading)
  }

  private mutating func arm(_ plan: ScavengePlan, _ now: HeapReading) {
    scavenger.setMark(wakeMark(plan, now), resident: counts.resident)
  }

  /// What the mark is to be: what is in caches counts, and so does what may come to be there.
  private func wakeMark(_ plan: ScavengePlan, _ now: HeapReading) -> Int {
    plan.goal.wakeAbove(inUse: now.accessible, free: now.freeResident, limits: limits)
      - max(now.cached - depot.pageCount, unwatchedPages)
  }

  /// What all caches may hold without a word, beyond so little that nobody need look, and the
  /// memory of those without an owner.
  package var unwatchedPages: Int {
    max(0, cacheCapacity &- ScavengeGoal.slackPages)
      &+ caches.retiredCount &* CacheMemory.pagesPerCache
  }

  /// Whether so much may come to be in caches that the next free would wake a scavenger that slept:
  /// it is better to empty them first, and to part with those that nobody owns.
  package func mustEmptyCaches(_ plan: ScavengePlan) -> Bool {
    mustEmptyCaches(plan, countedReading)
  }

  private func mustEmptyCaches(_ plan: ScavengePlan, _ now: HeapReading) -> Bool {
    unwatchedPages > 0 && watchedPages > wakeMark(plan, now)
  }

  /// There is no scavenger any more that is awake: the first free that finds too much wakes it.
  package mutating func forgetThread(_ plan: ScavengePlan) {
    if scavenger.phase == .manual { return }
    scavenger.phase = .parked
    armScavenger(plan)
  }

  /// Looks at the clock: measures, and ends the generation when it is time.
  package mutating func beginStep(
    _ steps: inout ScavengeSteps, _ plan: ScavengePlan, now: Moment, processorTime: Moment
  ) {
    // Perhaps woken by stalls, not by a free.
    _ = scavenger.wake()
    let inUse = countedInUsePages
    if steps.isFresh {
      steps.begin(inUse: inUse)
    } else {
      // Nobody slept for longer: the program was stopped, or the clock stepped forwards.
      let elapsed = min(
        now.elapsed(since: steps.lastStep),
        max(ScavengePacer.longestSleep, plan.generationNanoseconds))
      let worked = processorTime.elapsed(since: steps.lastProcessorTime)
      steps.pacer.observe(worked: worked, elapsed: elapsed)
      scavenger.counters.awakeNanoseconds += elapsed
      scavenger.counters.workNanoseconds += worked
      steps.generationAge += elapsed
      if steps.generationAge >= plan.generationNanoseconds {
        allocator.nextGeneration()
        steps.endGeneration(inUse: inUse)
      }
      steps.peak = max(steps.peak, inUse)
    }
    steps.lastStep = now
    steps.lastProcessorTime = processorTime
    steps.freePages = watchedPages
  }

  /// Resident pages beyond the goal.
  package func excessPages(_ steps: ScavengeSteps, _ goal: ScavengeGoal) -> Int {
    counts.resident
      - goal.residentPages(
        inUse: countedInUsePages, peak: max(steps.peak, steps.previousPeak), limits: limits)
  }

  /// There is nothing to do now: what next.
  ///
  /// - Parameters:
  ///   - isIdle: too much is resident, but the index has nothing to give.
  ///   - mayPark: a free, or the kernel, will wake the scavenger.
  package mutating func finishStep(
    _ steps: inout ScavengeSteps, _ plan: ScavengePlan, isIdle: Bool, mayPark: Bool
  ) -> ScavengeStep {
    // Looked at once: with a second look while owners are at work, more could stay than the mark
    // allows.
    let now = countedReading
    let goal = plan.goal.residentPages(inUse: now.accessible, peak: 0, limits: limits)
    // What was freed since the step looked woke nobody, and has not been tried.
    let isAllTried = watchedPages <= steps.freePages &+ ScavengeGoal.leastFreedPages
    let isDone =
      isIdle ? steps.idleGenerations >= 2 && isAllTried : counts.resident <= goal
    // Threads that ended since wake nobody any more, and their caches' memory would stay.
    let areEmptied = unwatchedPages <= steps.unwatchedPages || !mustEmptyCaches(plan, now)
    if isDone, mayPark, areEmptied {
      steps.isFresh = true
      if scavenger.phase == .awake { scavenger.phase = .parked }
      arm(plan, now)
      return .park
    }
    // The generation's age is below that, as `beginStep` left it.
    return .sleep(nanoseconds: max(plan.generationNanoseconds - steps.generationAge, 1_000_000))
  }
}

/// What to do after a step.
package enum ScavengeStep: Equatable, Sendable {
  /// Sleep, then step again.
  case sleep(nanoseconds: UInt64)
  /// Sleep until woken.
  case park
}

extension ScavengeSteps {
  /// The scavenger was woken: a first generation begins.
  fileprivate mutating func begin(inUse: Int) {
    isFresh = false
    isFirstGeneration = true
    generationAge = 0
    previousPeak = max(peak, inUse)
    peak = inUse
    idleGenerations = 0
    unwatchedPages = 0
  }

  /// A generation ends, and the next one begins.
  fileprivate mutating func endGeneration(inUse: Int) {
    isFirstGeneration = false
    generationAge = 0
    previousPeak = peak
    peak = inUse
    idleGenerations += 1
  }
}
