import PageAlloc
import SysMem

/// What wakes the scavenger, and its steps, on a heap without an arena and on times of the check's
/// own.
package let scavengerStateChecks: [Check] = [
  Check("scavenger state: asleep until woken, and woken once") { recorder in
    var none = ScavengerState(ScavengePlan(background: nil))
    recorder.expect(none.phase == .manual && none.wakeAbove == .max, "nobody to wake")
    recorder.expect(!none.wake() && none.phase == .manual, "so nobody wakes")
    var state = ScavengerState(ScavengePlan(background: .init()))
    recorder.expect(state.phase == .parked, "parked at first")
    recorder.expect(state.wakeAbove > 0 && state.wakeAbove < 512, "above \(state.wakeAbove) pages")
    recorder.expect(state.wake(), "woken")
    recorder.expect(state.phase == .awake && state.wakeAbove == .max, "awake")
    recorder.expect(!state.wake(), "it is awake already")
  },

  Check("return counters: by cause, and the time of those who waited") { recorder in
    var counters = ReturnCounters()
    let causes: [ReleaseCause] = [.background, .request, .limit, .headroom]
    for (index, cause) in causes.enumerated() {
      counters.add(UInt64(1) << UInt64(index), cause, nanoseconds: 10)
    }
    counters.add(0, .request, nanoseconds: 100)
    recorder.expectEqual(counters.backgroundBytes, 1, "in the background")
    recorder.expectEqual(counters.requestedBytes, 2, "on request")
    recorder.expectEqual(counters.limitBytes, 4, "for a limit")
    recorder.expectEqual(counters.headroomBytes, 8, "as it grew")
    recorder.expectEqual(counters.passes, 4, "passes that gave something back")
    recorder.expectEqual(counters.callNanoseconds, 130, "time that somebody waited for")
  },

  Check("heap scavenger: the free that finds too much wakes it, once") { recorder in
    let plan = ScavengePlan(background: .init())
    guard let subject = makeHeap(&recorder, plan: plan), let run = subject.fill(4096, &recorder)
    else { return }
    subject.heap.armScavenger(plan)
    let mark = subject.heap.scavenger.wakeAbove
    var woken = -1
    for page in run {
      subject.give(page..<(page + 1), of: page..<run.upperBound)
      if subject.heap.wakesScavenger() {
        recorder.expectEqual(woken, -1, "woken before")
        woken = page + 1 - run.lowerBound
      }
    }
    recorder.expectEqual(woken, mark + 1, "free pages when it was woken")
    // The headroom of 4,096 pages, as far as it is a tenth of what is then in use, and 1 MiB.
    recorder.expect(woken > 400 && woken < 600, "\(woken) free pages")
    subject.heap.forgetThread(plan)
    recorder.expect(subject.heap.scavenger.phase == .parked, "forgotten: parked")
    recorder.expect(subject.heap.scavenger.wakeAbove >= 4096, "and what is free now is known")
  },

  Check("heap scavenger: pages that go straight back wake it when the rest is too much") {
    recorder in
    let plan = ScavengePlan(background: .init())
    guard let subject = makeHeap(&recorder, plan: plan), let run = subject.fill(4096, &recorder)
    else { return }
    subject.give(run.lowerBound..<(run.lowerBound + 250), of: run)
    subject.heap.armScavenger(plan)
    let mark = subject.heap.scavenger.wakeAbove
    func excess() -> Int {
      let counts = subject.heap.counts
      return counts.resident
        - plan.goal.residentPages(inUse: counts.allocated, peak: 0, limits: .none)
    }
    recorder.expect(excess() < -200, "\(excess()) pages beyond the goal at first")
    // One stays in use between these and those that go straight back, each by itself: less than a
    // page of headroom goes with it.
    var next = run.lowerBound + 251
    func goOn(to end: PageNumber) -> Bool {
      while next < end {
        let start = next == run.lowerBound + 251 ? next - 1 : next
        subject.give(next..<(next + 1), of: start..<run.upperBound)
        subject.heap.noteScavenged(next, 1)
        next += 1
        if subject.heap.wakesScavenger() { return true }
      }
      return false
    }
    recorder.expect(!goOn(to: run.lowerBound + 1501), "woken early")
    // They are taken again, and written to: as much may stay as before.
    guard let again = subject.take(1250) else { return recorder.fail("no run of 1250 pages") }
    recorder.expectEqual(again.scavengedPages, 1250, "pages that were not resident")
    let page = again.page
    subject.give(page..<(page + 10), of: page..<(page + 1250))
    recorder.expect(!subject.heap.wakesScavenger(), "woken for 10 pages")
    subject.heap.noteScavenged(page, 10)
    recorder.expect(
      mark - subject.heap.scavenger.wakeAbove <= 1, "the mark is where it was")
    subject.give((page + 10)..<(page + 1250), of: (page + 10)..<(page + 1250))
    subject.heap.noteScavenged(page + 10, 1240)
    recorder.expect(goOn(to: run.upperBound), "never woken")
    recorder.expect(excess() > 0 && excess() <= 3, "woken with \(excess()) pages beyond the goal")
  },

  Check("heap scavenger: generations by the clock, however it steps") { recorder in
    let plan = ScavengePlan(background: .init(), generationNanoseconds: 1_000)
    guard let subject = makeHeap(&recorder, plan: plan), let run = subject.fill(1000, &recorder)
    else { return }
    var steps = ScavengeSteps(plan)
    // The time, and how old the generation is then; 0 where a new one begins.
    let rows: [(now: UInt64, age: UInt64, ended: Int)] = [
      (5_000, 0, 0), (5_400, 400, 0), (5_400, 400, 0), (4_000, 400, 0), (4_599, 999, 0),
      (4_600, 0, 1), (4_000, 0, 1), (5_100, 0, 2), (5_101, 1, 2),
    ]
    for (index, row) in rows.enumerated() {
      recorder.context = "step \(index)"
      subject.heap.beginStep(
        &steps, plan, now: Moment(nanoseconds: row.now), processorTime: Moment(nanoseconds: 0))
      recorder.expectEqual(steps.generationAge, row.age, "age")
      recorder.expectEqual(steps.idleGenerations, row.ended, "generations that ended")
      recorder.expect(!steps.isFresh, "no step was missed")
    }
    recorder.context = "a long stop"
    subject.heap.beginStep(
      &steps, plan, now: Moment(nanoseconds: .max), processorTime: Moment(nanoseconds: 0))
    recorder.expectEqual(steps.generationAge, 0, "one generation, however long")
    recorder.expectEqual(steps.idleGenerations, 3, "generations that ended")
    recorder.context = ""
    recorder.expectEqual(steps.peak, run.count, "the most that was in use")
  },

  Check("heap scavenger: it parks when no more is resident than may stay") { recorder in
    let plan = ScavengePlan(background: .init(), generationNanoseconds: 5_000_000)
    guard let subject = makeHeap(&recorder, plan: plan), let run = subject.fill(4096, &recorder)
    else { return }
    var steps = ScavengeSteps(plan)
    begin(&steps, plan, subject, at: 1)
    recorder.expect(subject.heap.scavenger.phase == .awake, "awake")
    // All is in use: nothing is too much.
    recorder.expect(subject.heap.excessPages(steps, plan.goal) <= 0, "nothing is too much")
    subject.give((run.lowerBound + 96)..<run.upperBound, of: run)
    // What was in use lately may stay; from the next generation but one on it may not.
    recorder.expect(subject.heap.excessPages(steps, plan.goal) <= 0, "the peak was just now")
    for age in [5_000_001, 10_000_001] { begin(&steps, plan, subject, at: UInt64(age)) }
    let kept = 96 + 96 * plan.goal.headroomPer1024 / 1024 + ScavengeGoal.slackPages
    recorder.expectEqual(subject.heap.excessPages(steps, plan.goal), 4096 - kept, "too much")
    for mayPark in [false, true] {
      let next = subject.heap.finishStep(&steps, plan, isIdle: false, mayPark: mayPark)
      recorder.expect(next == .sleep(nanoseconds: 5_000_000), "it sleeps for a generation")
    }
    // It goes.
    var order = ReleaseOrder()
    while subject.heap.excessPages(steps, plan.goal) > 0 {
      let excess = UInt64(subject.heap.excessPages(steps, plan.goal)) << 13
      guard let run = subject.heap.detach(excess, .force, &order) else {
        return recorder.fail("there is something to give back")
      }
      subject.heap.reattach(run, scavenged: true)
    }
    recorder.expectEqual(subject.heap.counts.resident, kept, "what stays")
    let watched = subject.heap.finishStep(&steps, plan, isIdle: false, mayPark: false)
    recorder.expect(watched != .park, "it must not park where it looks at something itself")
    let last = subject.heap.finishStep(&steps, plan, isIdle: false, mayPark: true)
    recorder.expect(last == .park && subject.heap.scavenger.phase == .parked, "parked")
    recorder.expect(steps.isFresh, "the next step is a first one")
    recorder.expect(subject.heap.scavenger.wakeAbove != .max, "a free can wake it")
  },

  Check("heap scavenger: what is freed between a step's look and its end keeps it awake") {
    recorder in
    let plan = ScavengePlan(background: .init(), generationNanoseconds: 1_000)
    guard let subject = makeHeap(&recorder, plan: plan), let run = subject.fill(2048, &recorder)
    else { return }
    var steps = ScavengeSteps(plan)
    subject.give(run.lowerBound..<(run.lowerBound + 1024), of: run)
    var start = run.lowerBound + 1024
    for pages in [65, 64] {
      recorder.context = "\(pages) pages"
      for time in [1, 1_001, 2_001] { begin(&steps, plan, subject, at: UInt64(time)) }
      subject.give(start..<(start + pages), of: start..<run.upperBound)
      start += pages
      let wakes = subject.heap.wakesScavenger()
      recorder.expect(!wakes, "it is awake: a free wakes nobody")
      let next = subject.heap.finishStep(&steps, plan, isIdle: true, mayPark: true)
      recorder.expect((next == .park) == (pages == 64), "parked")
    }
  },

  Check("heap scavenger: caches that lose their owners between a step's look and its end, too") {
    recorder in
    let plan = ScavengePlan(background: .init(), generationNanoseconds: 1_000)
    guard let subject = makeHeap(&recorder, plan: plan) else { return }
    var steps = ScavengeSteps(plan)
    let caches = (0..<100).map { _ in BareCache(subject) }
    defer { withExtendedLifetime(caches) {} }
    for cache in caches { subject.heap.add(cache.reference) }
    for time in [1, 1_001, 2_001] { begin(&steps, plan, subject, at: UInt64(time)) }
    recorder.expect(!subject.heap.mustEmptyCaches(plan), "all have owners when it looks")
    for cache in caches {
      let wakes = subject.heap.retire(cache.reference)
      recorder.expect(!wakes, "it is awake: a thread that ends wakes nobody")
    }
    let next = subject.heap.finishStep(&steps, plan, isIdle: false, mayPark: true)
    recorder.expect(next == .sleep(nanoseconds: 1_000_000), "it looks once more")
    recorder.expect(subject.heap.mustEmptyCaches(plan), "and finds them")
    _ = subject.heap.removeRetiredCaches()
    steps.unwatchedPages = subject.heap.unwatchedPages
    let last = subject.heap.finishStep(&steps, plan, isIdle: false, mayPark: true)
    recorder.expect(last == .park, "parked")
  },

  Check("heap scavenger: what is freed above the place that a search has come to is found later") {
    recorder in
    guard let subject = makeHeap(&recorder), let run = subject.fill(1024, &recorder) else { return }
    let chunk = Geometry.firstPage(of: Geometry.chunk(of: run.upperBound - 1))
    // The lower part was freed in the last generation, and the upper one in this one.
    subject.give(chunk..<(chunk + 200), of: run)
    subject.heap.allocator.nextGeneration()
    subject.give((chunk + 300)..<(chunk + 400), of: chunk + 200..<run.upperBound)
    recorder.expectEqual(release(subject), 200, "pages of the last generation")
    recorder.expectEqual(release(subject), 0, "none of this one")
    subject.heap.allocator.nextGeneration()
    recorder.expectEqual(release(subject), 100, "pages of what is the last one now")
    recorder.expectEqual(subject.heap.counts.freeResident, 0, "free and resident")
  },
]

private func begin(
  _ steps: inout ScavengeSteps, _ plan: ScavengePlan, _ subject: StandaloneHeap, at time: UInt64
) {
  subject.heap.beginStep(
    &steps, plan, now: Moment(nanoseconds: time), processorTime: Moment(nanoseconds: 0))
}

/// Gives back what the background finds.
///
/// - Returns: how many pages.
private func release(_ subject: StandaloneHeap) -> Int {
  var order = ReleaseOrder()
  var pages = 0
  while let run = subject.heap.detach(.max, .background, &order) {
    pages += subject.heap.reattach(run, scavenged: true)
  }
  return pages
}
