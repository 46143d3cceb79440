import PageAlloc

/// What may stay resident while fresh memory is taken, step by step.
package let growthHeadroomChecks: [Check] = [
  Check("growth headroom: a look each 4 MiB, and no more goes back than was taken") { recorder in
    GrowthHeadroom(per1024: 102).walk(
      [
        .take(511, isDue: false),
        .take(1, isDue: true),
        // 24 MiB beside what is in use.
        .look(inUse: 8192, resident: 8192 + 3072, excess: 0),
        .take(512, isDue: true),
        .look(inUse: 8192, resident: 8192 + 3072 + 100, excess: 100),
        // Nobody took anything since.
        .look(inUse: 8192, resident: 20_000, excess: 0),
        .take(511, isDue: false),
        .look(inUse: 8192, resident: 20_000, excess: 511),
        // What could not go back is to be looked for again.
        .take(511, isDue: false),
        .take(512, isDue: true),
        .look(inUse: 8192, resident: 20_000, excess: 1023),
      ], &recorder)
  },

  Check("growth headroom: beside the most that was in use when somebody counted") { recorder in
    GrowthHeadroom(per1024: 102).walk(
      [
        .count(inUse: 20_000, out: 20_100, next: 20_228),
        .take(1024, isDue: true),
        .look(inUse: 100, resident: 20_000 + 3072 + 28, excess: 28),
        // Less in use is no less headroom.
        .count(inUse: 300, out: 400, next: 528),
        .take(1024, isDue: true),
        .look(inUse: 100, resident: 20_000 + 3072 + 28, excess: 28),
        // A look counts, too.
        .take(1024, isDue: true),
        .look(inUse: 30_000, resident: 40_000, excess: 1024),
        .take(2048, isDue: true),
        // Half as much again as the headroom: 153 of 1,024, here more than 24 MiB.
        .look(inUse: 100, resident: 30_000 + 4482 + 1, excess: 1),
      ], &recorder)
  },

  Check("growth headroom: a height that was paid for may be again, and a lower one changes nothing")
  { recorder in
    GrowthHeadroom(per1024: 0).walk(
      [
        .take(1024, isDue: true),
        .look(inUse: 0, resident: 5000, excess: 1024),
        .paidFor(4500),
        .take(1024, isDue: true),
        .look(inUse: 0, resident: 5000, excess: 500),
        .paidFor(4000),
        .take(1024, isDue: true),
        .look(inUse: 0, resident: 5000, excess: 500),
      ], &recorder)
  },

  Check("growth headroom: any number may stay, or the most there is") { recorder in
    let unbounded = GrowthHeadroom(per1024: nil)
    recorder.expectEqual(unbounded.nextCount, .max, "nobody need count")
    unbounded.walk(
      [.take(100_000, isDue: false), .look(inUse: 0, resident: 100_000, excess: 0)], &recorder)
    // Of a full arena, 24 times as much.
    GrowthHeadroom(per1024: 16_384).walk(
      [.take(1024, isDue: true), .look(inUse: 524_288, resident: 524_288, excess: 0)], &recorder)
  },
]

/// What happens to a headroom, and what comes of it.
private enum Step {
  case take(Int, isDue: Bool)
  case count(inUse: Int, out: Int, next: Int)
  case look(inUse: Int, resident: Int, excess: Int)
  case paidFor(Int)
}

extension GrowthHeadroom {
  /// Walks a copy through steps.
  fileprivate func walk(_ steps: [Step], _ recorder: inout Recorder) {
    var headroom = self
    for (index, step) in steps.enumerated() {
      recorder.context = "step \(index)"
      switch step {
      case .take(let pages, let isDue):
        recorder.expect(headroom.note(taken: pages) == isDue, "a look is due, or is not")
      case .count(let inUse, let out, let next):
        headroom.note(inUse: inUse, outPages: out)
        recorder.expectEqual(headroom.nextCount, next, "the next count")
      case .look(let inUse, let resident, let excess):
        recorder.expectEqual(
          headroom.excess(inUse: inUse, residentPages: resident), excess, "pages that go back")
      case .paidFor(let pages): headroom.note(paidFor: pages)
      }
    }
  }
}
