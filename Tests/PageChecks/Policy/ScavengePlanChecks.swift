import PageAlloc

/// What the rungs below the options are told of them.
package let scavengePlanChecks: [Check] = [
  Check("scavenge plan: who gives back, and what stays as the arena grows") { recorder in
    let told = ScavengePlan.Background(headroom: 0.25, cpuShare: 0.5)
    // The background, the headroom of growth; per 1,024 in the background, the share in per cent,
    // and per 1,024 as the arena grows.
    let table: [(ScavengePlan.Background?, Int?, goal: Int, share: Int, growth: Int?)] = [
      (.init(), nil, 102, 1, 102),
      (told, nil, 256, 50, 256),
      // Its own headroom counts.
      (told, 512, 256, 50, 256),
      (.init(headroom: 0), 512, 0, 1, 0),
      (.init(headroom: 16, cpuShare: 1), nil, 16_384, 100, 16_384),
      // Nobody: only a check performs steps, and tells what growing keeps.
      (nil, nil, 102, 1, nil),
      (nil, 512, 102, 1, 512),
    ]
    for (index, row) in table.enumerated() {
      recorder.context = "row \(index)"
      let plan = ScavengePlan(background: row.0, growthPer1024: row.1)
      recorder.expect(plan.isInBackground == (row.0 != nil), "in the background")
      recorder.expectEqual(plan.goal.headroomPer1024, row.goal, "headroom of the background")
      recorder.expectEqual(Int(plan.cpuShare * 100), row.share, "per cent of a processor")
      recorder.expect(
        plan.growthHeadroom(hasHugePages: true) == GrowthHeadroom(per1024: row.growth),
        "headroom of growth")
      recorder.expect(
        plan.growthHeadroom(hasHugePages: false) == GrowthHeadroom(per1024: nil),
        "any number stays where there are no huge pages")
      recorder.expectEqual(plan.generationNanoseconds, 1_000_000_000, "a generation")
      recorder.expect(!plan.readsPressure, "reads no pressure")
    }
  },

  Check("scavenge plan: from the options of an arena") { recorder in
    var options = PageArena.Options()
    recorder.expect(options.scavengePlan == ScavengePlan(background: .init()), "as by default")
    options.scavenging = .background(headroom: 2, cpuShare: 0.25)
    options.scavengesUnderPressure = true
    options.generationNanoseconds = 7
    options.headroomPer1024 = 99
    recorder.expect(
      options.scavengePlan
        == ScavengePlan(
          background: .init(headroom: 2, cpuShare: 0.25), generationNanoseconds: 7,
          readsPressure: true), "in the background")
    options.scavenging = .manual
    recorder.expect(
      options.scavengePlan
        == ScavengePlan(
          background: nil, growthPer1024: 99, generationNanoseconds: 7, readsPressure: true),
      "by hand")
  },
]
