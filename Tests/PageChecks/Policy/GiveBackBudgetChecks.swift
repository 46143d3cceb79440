import PageAlloc
import SysMem

/// The ceiling on what the soft limit costs allocating threads.
package let giveBackBudgetChecks: [Check] = [
  Check("give-back budget: a tenth of a second, and four tenths of the time") { recorder in
    var budget = GiveBackBudget()
    // Milliseconds; whether somebody may give back then, and for how long it does.
    let table: [(time: UInt64, isAllowed: Bool, spent: UInt64)] = [
      (1000, true, 60),
      (1060, true, 63),
      // 123 ms spent, 100 and 24 there.
      (1123, true, 101),
      (1224, false, 0),
      (1300, false, 0),
      (1380, true, 1),
      // Full again, and no fuller.
      (5000, true, 100),
      (5000, false, 0),
      // The clock went back: no time passed, and it goes on from there.
      (4000, false, 0),
      (4100, true, 41),
      (4100, false, 0),
      // One pass of an hour is forgiven in the end.
      (9000, true, 3_600_000),
      (9001, false, 0),
      (12_000, true, 0),
    ]
    for row in table {
      recorder.context = "at \(row.time) ms"
      let now = Moment(nanoseconds: row.time * 1_000_000)
      recorder.expect(budget.allows(now) == row.isAllowed, "allowed")
      budget.spend(row.spent * 1_000_000)
    }
  },

  Check("give-back budget: full within seconds, however many threads have spent of it") {
    recorder in
    var budget = GiveBackBudget()
    recorder.expect(budget.allows(Moment(nanoseconds: 1_000_000_000)), "at first")
    // All of them began while there was some, and waited for each other.
    for _ in 0..<200 { budget.spend(500_000_000) }
    recorder.expect(!budget.allows(Moment(nanoseconds: 1_100_000_000)), "a little later")
    recorder.expect(budget.allows(Moment(nanoseconds: 12_000_000_000)), "ten seconds later")
    for _ in 0..<200 { budget.spend(.max) }
    recorder.expect(budget.allows(Moment(nanoseconds: 3_600_000_000_000)), "an hour later")
  },

  Check("give-back budget: in any second, half of it and one pass") { recorder in
    // A pass takes 5 ms, and is made whenever it may be; in between 0.1 ms go by.
    var budget = GiveBackBudget()
    var time: UInt64 = 1_000_000_000
    var passes: [UInt64] = []
    while time < 4_000_000_000 {
      if budget.allows(Moment(nanoseconds: time)) {
        passes.append(time)
        budget.spend(5_000_000)
        time += 5_000_000
      }
      time += 100_000
    }
    for start in passes {
      let inSecond = passes.count { $0 >= start && $0 < start + 1_000_000_000 }
      recorder.expect(inSecond <= 101, "\(inSecond) passes within a second from \(start) on")
    }
    recorder.expect(passes.count > 240, "\(passes.count) passes in three seconds")
  },

  Check("soft limit: gives way where keeping it takes half of the time") { recorder in
    // Each look at the clock takes a millisecond, which is then what a pass takes at least.
    let clock = FakeClock()
    let calls = FakeCalls(hugePageSize: 0)
    var options = PageArena.Options(calls: calls)
    options.threadCacheByteCount = 0
    options.scavenging = .manual
    options.clock = SlowClock(clock)
    options.memoryLimit = .bytes(soft: 1000 << 13, hard: 4000 << 13)
    guard let arena = makeArena(&recorder, options), let live = arena.take(900, &recorder) else {
      return
    }
    // What is freed does not hold the next run: each is fresh, beyond the limit.
    var runs: [Run] = []
    for round in 0..<1000 {
      guard let run = arena.take(60 + round % 2, &recorder) else { return }
      runs.append(run)
      if runs.count > 2 { arena.give(runs.removeFirst(), &recorder) }
    }
    let statistics = arena.statistics
    recorder.expect(statistics.returned.softLimitYields > 0, "it gave way")
    recorder.expect(statistics.returned.limitBytes > 0, "it was kept at first")
    recorder.expect(statistics.maybeResidentBytes <= 4000 << 13, "the hard limit is kept")
    arena.give(live, &recorder)
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },
]

/// A clock on which each look takes a millisecond.
private final class SlowClock: ScavengeClock {
  private let clock: FakeClock

  init(_ clock: FakeClock) { self.clock = clock }

  func now() -> Moment {
    clock.sleep(1_000_000)
    return clock.now()
  }

  func processorTime() -> Moment { clock.processorTime() }
}
