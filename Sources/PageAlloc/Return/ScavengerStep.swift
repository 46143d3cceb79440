import SysMem

// The scavenger in the background
// ===============================
//
//           park <---- nothing beyond the goal, or nothing to be had in two generations
//            |
//   step: look at clock and figures --> beyond the goal? --> work for a millisecond --> sleep (pacer)
//                                             |
//                                             +-- only since lately more was in use --> sleep
//                                                 until the generation ends
//
// A generation is a second. What is freed in one is not touched before it ends, and what was in use at
// once in this or the last one may stay resident: a program that frees and takes the same memory every
// few hundred milliseconds never meets the scavenger.

/// What to do after a step.
package enum ScavengeStep: Equatable, Sendable {
  /// Sleep, then step again.
  case sleep(nanoseconds: UInt64)
  /// Sleep until signalled.
  case park
}

extension ReturnPath {
  /// Works until so much processor time is used, in nanoseconds, then sleeps.
  static var workNanoseconds: UInt64 { 1_000_000 }

  /// One step of the scavenger. One caller at a time: the thread, or a check.
  ///
  /// - Parameter isStalled: the kernel just told that tasks wait for memory.
  func backgroundStep(isStalled: Bool) -> ScavengeStep {
    // The state lives until the arena's end; so below.
    let clock = unsafe state.pointee.scavenger.clock
    let now = clock.now()
    let processorTime = clock.processorTime()
    unsafe state.locks.pointee.heap.lock()
    unsafe state.pointee.begin(&state.steps.pointee, now: now, processorTime: processorTime)
    let excess = unsafe state.pointee.excessPages(state.steps.pointee)
    let isUnderLimit = unsafe state.pointee.isNearSoftLimit
    unsafe state.locks.pointee.heap.unlock()

    if isStalled || isCountOfStallsRising() {
      // The kernel is short of memory: all goes, at once.
      _ = unsafe state.drainCaches(own: nil, patience: 1)
      _ = release(.max, .force, .background)
      return rest(workedSince: processorTime)
    }
    if excess <= 0 { return finish(isIdle: false) }
    var missing = UInt64(excess) << UInt64(Geometry.pageShift)
    var released: UInt64 = 0
    while missing > 0 {
      let result = release(
        min(missing, Self.backgroundBatchBytes), isUnderLimit ? .force : .background, .background)
      released += result.releasedBytes
      missing -= min(missing, result.releasedBytes)
      if result.releasedBytes == 0 || result.firstRefusal != nil { break }
      if clock.processorTime().elapsed(since: processorTime) >= Self.workNanoseconds { break }
    }
    if released == 0 {
      // Perhaps it is in the caches of threads: then it is free, and old enough when the generation ends. In
      // the first one after waking, what is in use by turns has not been seen yet.
      let mayDrain = unsafe isUnderLimit || !state.steps.pointee.isFirstGeneration
      if mayDrain, unsafe state.drainCaches(own: nil, patience: 1) > 0 {
        unsafe state.steps.pointee.idleGenerations = 0
      }
      return finish(isIdle: true)
    }
    unsafe state.steps.pointee.idleGenerations = 0
    return rest(workedSince: processorTime)
  }

  private func rest(workedSince start: Moment) -> ScavengeStep {
    let worked = unsafe state.pointee.scavenger.clock.processorTime().elapsed(since: start)
    return .sleep(nanoseconds: unsafe state.steps.pointee.pacer.sleepTime(worked: worked))
  }

  /// There is nothing to do now: sleeps to the end of the generation where there may be something then.
  ///
  /// - Parameter isIdle: too much is resident, but the index has nothing to give.
  private func finish(isIdle: Bool) -> ScavengeStep {
    unsafe state.locks.pointee.heap.lock()
    defer { unsafe state.locks.pointee.heap.unlock() }
    let isPolling =
      unsafe state.pointee.scavenger.readsPressure && !state.locks.pointee.stallWatch.isOn
    return unsafe state.pointee.finish(
      &state.steps.pointee, isIdle: isIdle, mayPark: !isPolling)
  }

  /// Whether tasks waited for memory since the last look, where the kernel does not tell by itself.
  private func isCountOfStallsRising() -> Bool {
    guard unsafe state.pointee.scavenger.readsPressure, unsafe !state.locks.pointee.stallWatch.isOn
    else { return false }
    let total = stallMicroseconds(unsafe state.pointee.files)
    let last = unsafe state.steps.pointee.pressure
    unsafe state.steps.pointee.pressure = total
    guard let total, let last else { return false }
    // A hundredth of a second: less is not worth the faults to come.
    return total > last &+ 10_000
  }
}

// MARK: - Call with `heap` held

extension ArenaState {
  /// Looks at the clock: measures, and ends the generation when it is time.
  fileprivate mutating func begin(
    _ steps: inout ScavengeSteps, now: Moment, processorTime: Moment
  ) {
    if scavenger.phase == .parked {
      // Woken by stalls, not by a free.
      scavenger.phase = .awake
      scavenger.wakeAbove = .max
    }
    if steps.isFresh {
      steps.isFresh = false
      steps.isFirstGeneration = true
      steps.generationAge = 0
      steps.previousPeak = max(steps.peak, handedOutPages)
      steps.peak = handedOutPages
      steps.idleGenerations = 0
    } else {
      // Nobody slept for longer: the program was stopped, or the clock stepped forwards.
      let elapsed = min(
        now.elapsed(since: steps.lastStep),
        max(ScavengePacer.longestSleep, scavenger.generationNanoseconds))
      let worked = processorTime.elapsed(since: steps.lastProcessorTime)
      steps.pacer.observe(worked: worked, elapsed: elapsed)
      scavenger.counters.awakeNanoseconds += elapsed
      scavenger.counters.workNanoseconds += worked
      steps.generationAge += elapsed
      if steps.generationAge >= scavenger.generationNanoseconds {
        allocator.nextGeneration()
        steps.isFirstGeneration = false
        steps.generationAge = 0
        steps.previousPeak = steps.peak
        steps.peak = handedOutPages
        steps.idleGenerations += 1
      }
      steps.peak = max(steps.peak, handedOutPages)
    }
    steps.lastStep = now
    steps.lastProcessorTime = processorTime
  }

  /// Whether the background should keep away from the soft limit by taking whatever is free.
  fileprivate var isNearSoftLimit: Bool {
    limits.isNearSoft(residentPages: residentPages)
  }

  /// Resident pages beyond the goal.
  fileprivate func excessPages(_ steps: ScavengeSteps) -> Int {
    residentPages
      - scavenger.goal.residentPages(
        inUse: handedOutPages, peak: max(steps.peak, steps.previousPeak),
        limits: limits)
  }

  fileprivate mutating func finish(
    _ steps: inout ScavengeSteps, isIdle: Bool, mayPark: Bool
  ) -> ScavengeStep {
    let goal = scavenger.goal.residentPages(inUse: handedOutPages, peak: 0, limits: limits)
    let isDone = isIdle ? steps.idleGenerations >= 2 : residentPages <= goal
    if isDone, mayPark {
      steps.isFresh = true
      if scavenger.phase == .awake { scavenger.phase = .parked }
      armScavenger()
      return .park
    }
    // Its age is below that, as `begin` left it.
    return .sleep(
      nanoseconds: max(scavenger.generationNanoseconds - steps.generationAge, 1_000_000))
  }

  /// From now on frees look whether the scavenger must be woken, and so does a cache that grows.
  mutating func armScavenger() {
    let cached = cachedPages
    // What is cached now counts; what a cache will be let have beyond it lowers the mark.
    scavenger.wakeAbove =
      scavenger.goal.wakeAbove(
        inUse: inUsePages - cached, free: freeResidentPages + cached, limits: limits)
      - (cached - sparePages)
  }
}
