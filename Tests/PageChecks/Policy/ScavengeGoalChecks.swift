import PageAlloc

/// How much free memory stays, and when it is too much.
package let scavengeGoalChecks: [Check] = [
  Check("goal: a part of what is or was in use and 1 MiB stay, less near the soft limit") {
    recorder in
    // Headroom, pages in use, the most lately, the soft limit in pages; what may stay resident.
    let table: [(headroom: Double, inUse: Int, peak: Int, soft: Int?, stays: Int)] = [
      (0.1, 0, 0, nil, 128),
      (0.1, 10_240, 0, nil, 11_388),
      // What was in use is likely to be wanted again.
      (0.1, 0, 10_240, nil, 11_388),
      (0.1, 10_240, 9000, nil, 11_388),
      (0, 1000, 0, nil, 1128),
      (16, 100, 0, nil, 1828),
      // The most that an arena has.
      (16, 524_288, 524_288, nil, 8_913_024),
      // 19/20 of the limit, whatever was in use; but 1 MiB beside what is.
      (0.1, 5000, 0, 11_000, 5626),
      (0.1, 10_000, 0, 11_000, 10_450),
      (0.1, 100, 10_240, 11_000, 10_450),
      (0.1, 12_000, 0, 11_000, 12_128),
      (0.1, 0, 0, 0, 128),
    ]
    for (index, row) in table.enumerated() {
      recorder.context = "row \(index)"
      let stays = ScavengeGoal(headroom: row.headroom).residentPages(
        inUse: row.inUse, peak: row.peak, limits: soft(row.soft))
      recorder.expectEqual(stays, row.stays, "pages that stay")
    }
  },

  Check("goal: the scavenger is woken where frees alone pass the goal") { recorder in
    // Headroom, pages in use, free ones, the soft limit in pages; above how many free ones.
    let table: [(headroom: Double, inUse: Int, free: Int, soft: Int?, above: Int)] = [
      (0.1, 0, 0, nil, 116),
      (0, 0, 0, nil, 128),
      (0.1, 10_240, 0, nil, 1044),
      (0.1, 10_240, 100, nil, 1053),
      // The goal is passed: each half MiB.
      (0.1, 0, 1000, nil, 1064),
      // Within a twentieth of the limit, or beyond it: each MiB.
      (0.1, 10_240, 0, 10_500, 128),
      (0.1, 10_240, 0, 10_700, 128),
      (0.1, 10_240, 0, 10_778, 1044),
      (0.1, 10_240, 0, 0, 128),
    ]
    for (index, row) in table.enumerated() {
      recorder.context = "row \(index)"
      let above = ScavengeGoal(headroom: row.headroom).wakeAbove(
        inUse: row.inUse, free: row.free, limits: soft(row.soft))
      recorder.expectEqual(above, row.above, "free pages")
    }
  },

  Check("goal: no wake-up comes much before or after the page at which the goal is passed") {
    recorder in
    let goal = ScavengeGoal(headroom: 0.1)
    var random = SplitMix64(seed: 3)
    for _ in 0..<2000 {
      let inUse = random.below(1 << 18)
      let free = random.below(max(1, inUse / 10))
      let wake = goal.wakeAbove(inUse: inUse, free: free, limits: .none)
      let freed = wake - free + 1
      recorder.context = "\(inUse) in use, \(free) free"
      recorder.expect(freed > 64, "at least half a MiB of frees between two wake-ups")
      if freed > 65, freed <= inUse {
        let now = inUse - freed
        recorder.expect(
          inUse + free >= goal.residentPages(inUse: now, peak: 0, limits: .none) - 2,
          "woken too early")
        recorder.expect(
          inUse + free <= goal.residentPages(inUse: now + 2, peak: 0, limits: .none) + 2,
          "woken too late")
      }
    }
  },
]

/// A soft limit in pages, alone.
private func soft(_ pages: Int?) -> ResidencyLimits {
  ResidencyLimits(softBytes: pages.map { UInt64($0) << 13 }, hardBytes: nil)
}
