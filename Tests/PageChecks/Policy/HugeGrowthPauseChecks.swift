import PageAlloc

/// Which growths ask for huge pages.
package let hugeGrowthPauseChecks: [Check] = [
  Check(
    "huge growth's pauses: none in the first 8 MiB, 4 MiB after a slow one, then four times as much"
  ) {
    recorder in
    walk(
      [
        .plain(grown: 0, chunks: 1),
        .plain(grown: 1023, chunks: 1),
        .asks(grown: 1024, chunks: 1),
        // Nobody noted anything: no page was asked for in the end.
        .asks(grown: 1024, chunks: 1),
        // As long as the small pages would take is quick enough.
        .note(600_000, isQuick: true),
        .asks(grown: 1536, chunks: 1),
        .note(600_001, isQuick: false),
        .plain(grown: 2048, chunks: 1),
        .asks(grown: 2560, chunks: 1),
        .note(4_000_000, isQuick: false),
        .plain(grown: 3072, chunks: 1),
        .plain(grown: 3584, chunks: 2),
        // The rest of a pause, and more.
        .plain(grown: 4608, chunks: 9),
        .asks(grown: 9216, chunks: 1),
        .note(4_000_000, isQuick: false),
        .plain(grown: 9728, chunks: 15),
        .plain(grown: 17_408, chunks: 1),
        .asks(grown: 17_920, chunks: 1),
        // A quick one, and all is as it was.
        .note(0, isQuick: true),
        .asks(grown: 18_432, chunks: 1),
        .note(.max, isQuick: false),
        .plain(grown: 18_944, chunks: 1),
        .asks(grown: 19_456, chunks: 1),
      ], &recorder)
  },

  Check("huge growth's pauses: none is longer than the arena") { recorder in
    var steps: [Step] = []
    for pause in [1, 4, 16, 64, 256, 1024, 1024, 1024] {
      steps += [.asks(grown: 1024, chunks: 1), .note(.max, isQuick: false)]
      if pause > 1 { steps.append(.plain(grown: 1024, chunks: pause - 1)) }
      steps.append(.plain(grown: 1024, chunks: 1))
    }
    walk(steps, &recorder)
  },
]

/// What happens to a policy, and what comes of it.
private enum Step {
  /// A growth that asks for huge pages, and one that does not.
  case asks(grown: Int, chunks: Int)
  case plain(grown: Int, chunks: Int)
  /// How long the first one took, in nanoseconds.
  case note(UInt64, isQuick: Bool)
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
    case .note(let nanoseconds, let isQuick):
      recorder.expect(growth.note(nanoseconds: nanoseconds) == isQuick, "quick, or not")
    }
  }
}
