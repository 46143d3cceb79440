import SysMem

// The scavenger in the background
// ===============================
//
//           park <---- nothing beyond the goal, or nothing to be had in two generations
//            |
//   step: look at clock and figures --> beyond the goal? --> work for a millisecond --> sleep
//   (pacer)
//                                             |
//                                             +-- only since lately more was in use --> sleep
//                                                 until the generation ends
//
// A generation is a second. What is freed in one is not touched before it ends, and what was in use
// at once in this or the last one may stay resident: a program that frees and takes the same memory
// every few hundred milliseconds never meets the scavenger.

/// Performs the scavenger's steps for an arena. One caller at a time: the thread, or a check.
struct Scavenger {
  /// The arena.
  let core: ArenaCore

  init(_ core: ArenaCore) { self.core = core }

  /// Works until so much processor time is used, in nanoseconds, then sleeps.
  static var workNanoseconds: UInt64 { 1_000_000 }

  /// One step.
  ///
  /// - Parameters:
  ///   - isStalled: the kernel just told that tasks wait for memory.
  ///   - isWatched: the kernel would tell.
  func step(isStalled: Bool, isWatched: Bool) -> ScavengeStep {
    core.wishes.tracesScavenging
      ? tracedStep(isStalled: isStalled, isWatched: isWatched)
      : quietStep(isStalled: isStalled, isWatched: isWatched)
  }

  /// The same, and nobody is told.
  func quietStep(isStalled: Bool, isWatched: Bool) -> ScavengeStep {
    lookAtHugePages()
    let mayPark = isWatched || !core.plan.readsPressure
    // Woken for that look alone: no free has found too much.
    if mayPark, !isStalled, core.withHeap({ $0.scavenger.phase == .parked }) { return .park }
    let next = core.withSteps { step(&$0, isStalled: isStalled, mayPark: mayPark) }
    if case .park = next, core.pool != nil { core.retreat() }
    return next
  }

  /// Looks how the kernel came by huge pages, where that is due.
  private func lookAtHugePages() {
    guard core.withGrowth({ $0.hugeGrowth.isLookDue }) else { return }
    let events = core.files.hugePageEvents()
    core.withGrowth { $0.hugeGrowth.note(events) }
  }

  private func step(
    _ steps: inout ScavengeSteps, isStalled: Bool, mayPark: Bool
  ) -> ScavengeStep {
    let now = core.clock.now()
    let start = core.clock.processorTime()
    let plan = core.plan
    let (excess, isNearSoft) = core.withHeap { heap in
      heap.beginStep(&steps, plan, now: now, processorTime: start)
      return (
        heap.excessPages(steps, plan.goal),
        heap.limits.isNearSoft(residentPages: heap.counts.resident)
      )
    }
    if isStalled || (!mayPark && isCountOfStallsRising(&steps)) {
      // The kernel is short of memory: all goes, at once.
      core.drainCachesOfOthers()
      _ = Releaser(core).release(.max, .force, .background)
      return rest(steps, since: start)
    }
    if excess > 0 {
      if giveBack(ArenaCore.bytes(excess), isNearSoft, since: start) {
        steps.idleGenerations = 0
        return rest(steps, since: start)
      }
      // Perhaps it is in the caches of threads: then it is free, and old enough when the generation
      // ends. In the first one after waking, what is in use by turns has not been seen yet.
      if isNearSoft || !steps.isFirstGeneration {
        let drained = core.drainCachesOfOthers()
        // Who is inside may be so for long, if he was preempted: no free need follow.
        if drained.pages > 0 || drained.isPending { steps.idleGenerations = 0 }
      }
    } else {
      steps.idleGenerations = 0
    }
    // Once in a generation: threads at work get what they need again.
    if mayPark, !steps.isFirstGeneration, core.withHeap({ $0.mustEmptyCaches(plan) }) {
      core.drainCachesOfOthers()
      steps.unwatchedPages = core.dropRetiredCaches()
    }
    return core.withHeap {
      $0.finishStep(&steps, plan, isIdle: excess > 0, mayPark: mayPark)
    }
  }

  /// Gives memory back for about a millisecond.
  ///
  /// - Returns: whether there was any.
  private func giveBack(_ byteCount: UInt64, _ isNearSoft: Bool, since start: Moment) -> Bool {
    var missing = byteCount
    var isAny = false
    while missing > 0 {
      let result = Releaser(core).release(
        min(missing, Releaser.backgroundBatchBytes), isNearSoft ? .force : .background,
        .background)
      isAny = isAny || result.releasedBytes > 0
      missing -= min(missing, result.releasedBytes)
      if result.releasedBytes == 0 || result.firstRefusal != nil { break }
      if core.clock.processorTime().elapsed(since: start) >= Self.workNanoseconds { break }
    }
    return isAny
  }

  private func rest(_ steps: ScavengeSteps, since start: Moment) -> ScavengeStep {
    let worked = core.clock.processorTime().elapsed(since: start)
    return .sleep(nanoseconds: steps.pacer.sleepTime(worked: worked))
  }

  /// Whether tasks waited for memory since the last look, where the kernel does not tell by itself.
  private func isCountOfStallsRising(_ steps: inout ScavengeSteps) -> Bool {
    let total = stallMicroseconds(core.files)
    let last = steps.pressure
    steps.pressure = total
    guard let total, let last else { return false }
    // A hundredth of a second: less is not worth the faults to come.
    return total > last &+ 10_000
  }
}
