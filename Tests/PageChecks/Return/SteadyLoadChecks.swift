import PageAlloc
import SysMem

/// Loads that go on as they are: what goes to the kernel and comes back falls towards nothing.
package let steadyLoadChecks: [Check] = [
  Check("steady load: four runs of 8 to 24 MiB, sizes going up and down") { recorder in
    repeatLoad(1000, &recorder) { round in (1024 + (round * 7 % 33) * 64, 4, 0) }
  },

  Check("steady load: forty runs of 1 to 5 MiB that live for a random time") { recorder in
    var random = SplitMix64(seed: 1)
    repeatLoad(8000, &recorder) { _ in (130 + random.below(500), 40, random.below(40)) }
  },

  Check("steady load: each height of residency is paid for once") { recorder in
    var headroom = GrowthHeadroom(per1024: 102)
    var resident = 4096
    var released = 0
    // A load that cannot do with less than 9,000 pages: what goes back, it takes again.
    for _ in 0..<1000 {
      resident = min(resident + 512, 9_000)
      if headroom.note(taken: 512) {
        let excess = headroom.excess(inUse: 4096, residentPages: resident)
        if excess > 0 { headroom.note(paidFor: resident) }
        resident -= excess
        released += excess
      }
    }
    recorder.expect(released <= 9_000 - 4096 - 3072, "\(released) pages went back")
    recorder.expectEqual(headroom.excess(inUse: 4096, residentPages: 9_000), 0, "at its height")
  },
]

/// Holds some runs, and in each round frees one and takes another. No memory is touched.
///
/// - Parameter next: the pages of the next run, how many runs to hold, and which one is freed.
private func repeatLoad(
  _ rounds: Int, _ recorder: inout Recorder, _ next: (Int) -> (pages: Int, held: Int, freed: Int)
) {
  var options = PageArena.Options()
  options.scavenging = .manual
  options.calls = FakeCalls()
  options.headroomPer1024 = 102
  guard let arena = makeArena(&recorder, options) else { return }
  var runs: [Run] = []
  var before: UInt64 = 0
  for round in 0..<rounds {
    let (pages, held, freed) = next(round)
    if runs.count == held { arena.give(runs.remove(at: freed), &recorder) }
    guard let run = arena.take(pages, &recorder) else { return }
    runs.append(run)
    if round == rounds / 2 { before = arena.statistics.returned.headroomBytes }
  }
  let after = arena.statistics.returned.headroomBytes
  recorder.expect(after > 0, "some went back at first")
  recorder.expect(after - before <= 64 << 20, "\(after - before) bytes in the second half")
  recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
}
