import PageAlloc

/// The pacing, on a clock of the check's own: nobody sleeps here.
package let scavengePacerChecks: [Check] = [
  Check("pacer: the share comes out, whatever a sleep or a wake-up costs") { recorder in
    // Sleeps that are longer than asked for, work that costs more than the scavenger itself sees.
    for (oversleep, overhead) in [(0, 0), (60_000, 0), (0, 100_000), (2_000_000, 300_000)] {
      for share in [0.001, 0.01, 0.25] {
        recorder.context = "share \(Int(share * 1000)) ‰, \(oversleep) ns, \(overhead) ns"
        var pacer = ScavengePacer(share: share)
        var random = SplitMix64(seed: 7)
        var elapsed: UInt64 = 0
        var worked: UInt64 = 0
        var greediest = 0.0
        // The first second is for settling.
        for step in 0..<3000 {
          let work = UInt64(500_000 + random.below(1_000_000))
          let sleep = pacer.sleepTime(worked: work) + UInt64(oversleep)
          let used = work + UInt64(overhead)
          pacer.observe(worked: used, elapsed: used + sleep)
          if step >= 200 {
            elapsed += used + sleep
            worked += used
            greediest = max(greediest, Double(used) / Double(used + sleep))
          }
        }
        let result = Double(worked) / Double(elapsed) / share
        recorder.expect(result > 0.85 && result < 1.15, "\(Int(result * 1000)) ‰ of the share")
        recorder.expect(greediest < share * 3, "one step had \(Int(greediest * 1e6)) millionths")
      }
    }
  },

  Check("pacer: an odd measurement has no lasting effect, and no sleep is endless") { recorder in
    var pacer = ScavengePacer(share: 0.01)
    // A minute in which the thread was not let run, then one in which it did nothing but run.
    pacer.observe(worked: 1_000_000, elapsed: 60_000_000_000)
    recorder.expect(pacer.sleepTime(worked: 1_000_000) > 70_000_000, "not greedy after a rest")
    pacer.observe(worked: 60_000_000_000, elapsed: 60_000_000_000)
    recorder.expect(pacer.sleepTime(worked: 1_000_000) >= 99_000_000, "sleeps more after a rush")
    for _ in 0..<200 {
      let sleep = pacer.sleepTime(worked: 1_000_000)
      pacer.observe(worked: 1_000_000, elapsed: 1_000_000 + sleep)
    }
    let sleep = pacer.sleepTime(worked: 1_000_000)
    recorder.expect(sleep > 80_000_000 && sleep < 120_000_000, "\(sleep) ns in the end")
    recorder.expectEqual(
      pacer.sleepTime(worked: .max / 2), ScavengePacer.longestSleep, "the longest sleep")
  },

  Check("pacer: what lasts a moment weighs little, and what lasts long no more than a second") {
    recorder in
    // Nine tenths of the share each time: a sleep of 99 ms becomes 96 by that alone, and 93 where
    // it lasts a second.
    for (elapsed, least, most): (UInt64, UInt64, UInt64) in [
      (10_000_000, 95_900_000, 96_200_000), (1_000_000_000, 93_200_000, 93_500_000),
      (20_000_000_000, 93_200_000, 93_500_000),
    ] {
      var pacer = ScavengePacer(share: 0.01)
      pacer.observe(worked: elapsed / 1000 * 9, elapsed: elapsed)
      let sleep = pacer.sleepTime(worked: 1_000_000)
      recorder.expect(sleep > least && sleep < most, "\(sleep) ns after \(elapsed)")
    }
  },
]
