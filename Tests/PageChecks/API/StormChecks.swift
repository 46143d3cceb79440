import PageAlloc

/// Random operations beside a model. `crosscheck storm` runs longer ones.
package let stormChecks: [Check] = [
  Check("storm: 100,000 operations agree with a model") { recorder in
    // A tenth where an emulator runs them.
    let operations = UInt.bitWidth == 64 ? 25_000 : 2_500
    for seed: UInt64 in 1...4 { runStorm(operations: operations, seed: seed, &recorder) }
  },

  Check("storm: in the checked mode, with little and with much in quarantine") { recorder in
    let operations = UInt.bitWidth == 64 ? 8_000 : 800
    for (seed, byteCount) in [(5, 0), (6, 4 << 20), (7, 1 << 30)] {
      runStorm(
        operations: operations, seed: UInt64(seed),
        diagnosis: .checked(quarantineByteCount: byteCount), &recorder)
    }
  },
]

/// So many random operations from a seed; stops at the first failure, which names both.
package func runStorm(
  operations: Int, seed: UInt64, diagnosis: PageArena.Diagnosis = .off, _ recorder: inout Recorder
) {
  guard var storm = Storm(source: SplitMix64(seed: seed), diagnosis: diagnosis) else {
    recorder.fail("no arena")
    return
  }
  for step in 0..<operations {
    storm.step(&recorder)
    if !recorder.isGood {
      recorder.fail("seed \(seed), operation \(step)")
      return
    }
  }
  storm.finish(&recorder)
}

/// Runs so many random operations from a seed, and prints how they ended.
///
/// - Returns: 0 where they agree with the model, else 1.
@export(interface)
package func runStorm(operations: Int, seed: UInt64, print: (String) -> Void) -> Int32 {
  var recorder = Recorder()
  runStorm(operations: operations, seed: seed, &recorder)
  for failure in recorder.failures { print("FAILED: \(failure)") }
  if recorder.failures.isEmpty { print("\(operations) operations, seed \(seed): as the model") }
  return recorder.failures.isEmpty ? 0 : 1
}
