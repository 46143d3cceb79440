import PageAlloc
import SysMem

/// Which growths ask for huge pages.
package let hugeGrowthPauseChecks: [Check] = [
  Check(
    "huge growth's pauses: none in 8 MiB at first, 4 MiB after a slow look, then four times as much"
  ) {
    recorder in
    walk(
      [
        .plain(grown: 0, chunks: 1),
        .plain(grown: 1023, chunks: 1),
        .asks(grown: 1024, chunks: 1),
        // The first look has nothing to compare with.
        .look(allocated: 1000, stalls: 1000),
        .asks(grown: 1536, chunks: 1),
        // One wait for four huge pages is quick enough.
        .look(allocated: 1032, stalls: 1008),
        .asks(grown: 2048, chunks: 1),
        .look(allocated: 1064, stalls: 1017),
        .plain(grown: 2560, chunks: 1),
        .asks(grown: 3072, chunks: 1),
        .look(allocated: 1064, stalls: 1018),
        .plain(grown: 3584, chunks: 1),
        .plain(grown: 4096, chunks: 2),
        // The rest of a pause, and more.
        .plain(grown: 5120, chunks: 9),
        .asks(grown: 9728, chunks: 1),
        // Nothing happened, and the kernel does not tell: all stays as it was.
        .look(allocated: 1064, stalls: 1018),
        .silence,
        .asks(grown: 10_240, chunks: 1),
        .look(allocated: 1065, stalls: 1019),
        .plain(grown: 10_752, chunks: 15),
        .plain(grown: 18_432, chunks: 1),
        .asks(grown: 18_944, chunks: 1),
        // A quick one, and the pauses are short again.
        .look(allocated: 1066, stalls: 1019),
        .asks(grown: 19_456, chunks: 1),
        .look(allocated: .max, stalls: 1_000_000),
        .asks(grown: 19_968, chunks: 1),
        // Counters that go back tell nothing.
        .look(allocated: 0, stalls: 0),
        .asks(grown: 20_480, chunks: 1),
        .look(allocated: 0, stalls: 1),
        .plain(grown: 20_992, chunks: 1),
        .asks(grown: 21_504, chunks: 1),
      ], &recorder)
  },

  Check("huge growth's pauses: none is longer than the arena") { recorder in
    var steps: [Step] = [.look(allocated: 0, stalls: 0)]
    for (index, pause) in [1, 4, 16, 64, 256, 1024, 1024, 1024].enumerated() {
      steps += [.asks(grown: 1024, chunks: 1), .look(allocated: 0, stalls: UInt64(index) + 1)]
      if pause > 1 { steps.append(.plain(grown: 1024, chunks: pause - 1)) }
      steps.append(.plain(grown: 1024, chunks: 1))
    }
    walk(steps, &recorder)
  },

  Check("huge growth's pauses: a look is due when 64 MiB were asked for") { recorder in
    var growth = HugeGrowth()
    growth.note(asked: 15)
    recorder.expect(!growth.isLookDue, "after 60 MiB")
    growth.note(asked: 1)
    recorder.expect(growth.isLookDue, "after 64 MiB")
    growth.note(nil)
    recorder.expect(!growth.isLookDue, "after the look")
    growth.note(asked: 100)
    recorder.expect(growth.isLookDue, "after 400 MiB at once")
  },
]

/// What happens to a policy, and what comes of it.
private enum Step {
  /// A growth that asks for huge pages, and one that does not.
  case asks(grown: Int, chunks: Int)
  case plain(grown: Int, chunks: Int)
  /// A look at the kernel's counters, and at a kernel that has none.
  case look(allocated: UInt64, stalls: UInt64)
  case silence
}

private func walk(_ steps: [Step], _ recorder: inout Recorder) {
  var growth = HugeGrowth()
  for (index, step) in steps.enumerated() {
    recorder.context = "step \(index)"
    switch step {
    case .asks(let grown, let chunks):
      recorder.expect(growth.isDue(grownPages: grown, chunkCount: chunks), "asks")
    case .plain(let grown, let chunks):
      recorder.expect(!growth.isDue(grownPages: grown, chunkCount: chunks), "does not ask")
    case .look(let allocated, let stalls):
      var events = HugePageEvents()
      events.allocated = allocated
      events.stalls = stalls
      growth.note(events)
    case .silence: growth.note(nil)
    }
  }
}
