import CSysMem
import PageAlloc
import SysMem

/// The scavenger's thread at work, on real memory and on the real clock.
package let scavengerThreadChecks: [Check] = [
  Check("scavenger thread: there before anything is freed; asleep when done") { recorder in
    guard let arena = makeArena(&recorder, .quick()), let run = arena.take(1024, &recorder)
    else { return }
    recorder.expect(arena.scavengerThread.exists, "no thread before the first free")
    run.stamp(1)
    arena.give(run.part(0, 64), &recorder)
    recorder.expect(arena.scavengerThread.isParked, "woken for half a MiB")
    arena.give(run.part(64, 960), &recorder)
    guard wait(5, until: { arena.scavengerThread.isParked }) else {
      recorder.fail("not parked after 5 s: \(arena.statistics.description)")
      return
    }
    let done = arena.statistics
    recorder.expect(
      done.maybeResidentBytes <= 1 << 20, "\(done.maybeResidentBytes) bytes are resident")
    recorder.expect(run.residentBytes <= 1 << 20, "\(run.residentBytes) by the kernel")
    // Asleep without a timeout: its figures do not move.
    sleep(milliseconds: 150)
    recorder.expect(arena.statistics == done, "it woke with nothing to do")
    // And again.
    guard let again = arena.take(1024, &recorder) else { return }
    again.stamp(1)
    arena.give(again, &recorder)
    let isReturned = wait(5) { arena.statistics.maybeResidentBytes <= 1 << 20 }
    recorder.expect(isReturned, "the second time")
  },

  Check("scavenger thread: what was free before goes when what is in use goes straight back") {
    recorder in
    for way in StraightBack.allCases {
      recorder.context = "\(way)"
      guard let arena = makeArena(&recorder, .quick()), let spare = arena.take(600, &recorder),
        var run = arena.own(way == .freed ? 1 : 7000, &recorder),
        let other = arena.take(way == .freed ? 7000 : 1, &recorder)
      else { return }
      spare.stamp(1)
      arena.give(spare, &recorder)
      guard wait(5, until: { arena.scavengerThread.isParked }) else {
        return recorder.fail("it is awake")
      }
      let before = arena.statistics.freeMaybeResidentBytes
      recorder.expect(before >= 600 << 13, "\(before >> 13) free pages: a tenth may stay")
      recorder.succeeds("straight back") { () throws(PageArenaError) in
        switch way {
        case .decommitted: try run.decommit(in: 0..<7000)
        case .decommittedByParts:
          for part in 0..<7 { try run.decommit(in: part * 1000..<(part + 1) * 1000) }
        case .closedAndDiscarded:
          try run.protect(.none)
          try run.discard()
        case .freed: unsafe try arena.deallocateDiscarding(other.pointer, pages: 7000)
        }
      }
      let isReturned = wait(5) { arena.statistics.freeMaybeResidentBytes <= 192 << 13 }
      recorder.expect(
        isReturned, "\(arena.statistics.freeMaybeResidentBytes >> 13) free pages stay")
    }
  },

  Check("scavenger thread: one for all arenas, gone with the last") { recorder in
    guard let manual = makeArena(&recorder, byteCount: 64 << 20) else { return }
    recorder.expect(!manual.scavengerThread.exists, "a thread for an arena that wants none")
    let before = settledThreadCount()
    do {
      guard let first = makeArena(&recorder, .quick()), let second = makeArena(&recorder, .quick())
      else { return }
      let more = settledThreadCount() - before
      recorder.expectEqual(more, before == 0 ? 0 : 1, "threads more than before")
      // Both are served, in whatever order they are woken.
      for arena in [second, first, second] {
        guard let run = arena.take(1024, &recorder) else { return }
        run.stamp(1)
        arena.give(run, &recorder)
      }
      for arena in [first, second] {
        recorder.expect(wait(5) { arena.statistics.maybeResidentBytes <= 1 << 20 }, "given back")
      }
    }
    recorder.expect(!manual.scavengerThread.exists, "the thread outlives the last of them")
    recorder.expectEqual(settledThreadCount(), before, "threads in the end")
  },

  Check("scavenger thread: ends with the arena, at work or asleep") { recorder in
    for pages in [1024, 8192] {
      for delay in [0, 5, 40] {
        let calls = FakeCalls()
        var options = PageArena.Options.quick()
        options.calls = calls
        do {
          guard let arena = makeArena(&recorder, options), let run = arena.take(pages, &recorder)
          else { return }
          run.stamp(1)
          arena.give(run, &recorder)
          recorder.expect(arena.scavengerThread.exists, "a thread")
          sleep(milliseconds: delay)
        }
        let mapped = calls.mappedByteCount.load(ordering: .relaxed)
        recorder.expectEqual(mapped, 0, "bytes mapped after the end")
      }
    }
  },

  Check("scavenger thread: a wake in the middle of a step is not lost, and counts once") {
    recorder in
    guard let arena = makeArena(&recorder, byteCount: 64 << 20) else { return }
    let returns = arena.returns(
      after: [.park, .park, .sleep(nanoseconds: 7), .sleep(nanoseconds: 7), .park],
      wakes: [false, true, false, true, false])
    recorder.expect(returns == [nil, 0, 7, 0, nil], "\(returns.count) returns")
  },

  Check("scavenger thread: releaseFreeMemory joins a pass that is under way") { recorder in
    guard let arena = makeArena(&recorder, .quick()), let run = arena.take(8192, &recorder)
    else { return }
    for _ in 0..<5 {
      run.stamp(1)
      arena.give(run, &recorder)
      sleep(milliseconds: 12)
      recorder.expect((try? arena.releaseFreeMemory()) != nil, "released")
      // By whom does not matter: all of it is gone when the call returns.
      recorder.expectEqual(arena.statistics.maybeResidentBytes, 0, "resident")
      recorder.expectEqual(run.residentBytes, 0, "resident by the kernel")
      guard let again = arena.take(8192, &recorder) else { return }
      recorder.expect(again == run, "the same place")
    }
  },

  Check("scavenger thread: four threads churn while it works, and nothing is lost") { recorder in
    guard let arena = makeArena(&recorder, .quick(share: 0.5)) else { return }
    var workers: [Churn] = []
    for seed: UInt64 in 1...4 { workers.append(Churn(arena, seed: seed)) }
    runThreads(workers) { $0.churn() }
    for worker in workers {
      recorder.expectEqual(worker.faults.load(ordering: .relaxed), 0, "faults in a thread")
    }
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use at the end")
    let isReturned = wait(10) { arena.statistics.maybeResidentBytes <= ScavengeGoal.mostKeptBytes }
    recorder.expect(isReturned, "\(arena.statistics.maybeResidentBytes) bytes stay")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },
]

extension PageArena.Options {
  /// A scavenger in a hurry: generations of 10 ms.
  static func quick(
    share: Double = 0.25, hearingStallsBy files: (any SystemFiles)? = nil
  ) -> PageArena.Options {
    var options = PageArena.Options()
    options.scavenging = .background(cpuShare: share)
    options.generationNanoseconds = 10_000_000
    if let files {
      options.scavengesUnderPressure = true
      options.files = files
    }
    return options
  }
}

extension ScavengeGoal {
  /// What may stay for good where nothing is in use any more: the last few pages may have been
  /// freed while the thread slept, which wakes nobody.
  static var mostKeptBytes: UInt64 {
    let goal = ScavengeGoal(headroom: 0.1)
    return UInt64(goal.residentPages(inUse: leastFreedPages, peak: 0, limits: .none)) << 13
  }
}

/// Looks every few milliseconds whether something holds.
///
/// - Returns: whether it came to hold within so many seconds.
func wait(_ seconds: UInt64, until condition: () -> Bool) -> Bool {
  let end = csm_now() + seconds * 1_000_000_000
  while csm_now() < end {
    if condition() { return true }
    sleep(milliseconds: 5)
  }
  return condition()
}

/// Sleeps on a word that nobody changes.
func sleep(milliseconds: Int) {
  let word: UInt32 = 0
  // The word lives as long as the call.
  _ = unsafe withUnsafePointer(to: word) {
    unsafe csm_futex_wait_for($0, 0, UInt64(milliseconds) * 1_000_000)
  }
}

/// Threads of the process once their count has not changed for 50 ms: the kernel counts a thread
/// for a moment after it was joined.
private func settledThreadCount() -> Int {
  var count = threadCount()
  var looksAlike = 0
  while looksAlike < 10 {
    sleep(milliseconds: 5)
    let next = threadCount()
    looksAlike = next == count ? looksAlike + 1 : 0
    count = next
  }
  return count
}

/// Threads of the process, as the kernel counts them; 0 where it does not say.
private func threadCount() -> Int {
  var text = SmallText()
  guard LinuxFiles().read(SmallText("/proc/self/status"), into: &text) else { return 0 }
  for place in 0..<text.count where text.has("Threads:\t", at: place) {
    return Int(text.number(at: place + 9) ?? 0)
  }
  return 0
}

/// How what is in use goes back without having been free.
private enum StraightBack: CaseIterable {
  case decommitted, decommittedByParts, closedAndDiscarded, freed
}
