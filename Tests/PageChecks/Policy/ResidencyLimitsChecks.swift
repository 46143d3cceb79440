import PageAlloc

/// What may be resident, and what an allocation beyond it is told.
package let residencyLimitsChecks: [Check] = [
  Check("pool limits: read in the middle of a change, they are bounds all the same") { recorder in
    let all = [0, 1, 600, 1 << 40, Int.max]
    for (soft, hard) in all.flatMap({ soft in all.map { (soft, $0) } }) {
      let limits = PoolLimits(softPages: soft, hardPages: hard)
      for share in [0, 1, 1000, 1 << 30] {
        let bounds = limits.limits(ofShare: share)
        recorder.expect(bounds.softPages <= bounds.hardPages, "\(soft), \(hard): soft above hard")
      }
      recorder.expect(limits.share(forSoft: 10) >= 10, "a share")
    }
  },

  Check("residency limits: from bytes, rounded down to pages; none from 4 GiB on") { recorder in
    let none = Int.max
    // Bytes, soft and hard; pages, soft, hard, and near the soft limit.
    let table: [(softBytes: UInt64?, hardBytes: UInt64?, soft: Int, hard: Int, near: Int)] = [
      (nil, nil, none, none, none),
      (1 << 20, nil, 128, none, 122),
      // A hard limit alone is the soft one, too.
      (nil, 1 << 20, 128, 128, 122),
      (1 << 20, 2 << 20, 128, 256, 122),
      (0, 0, 0, 0, 0),
      (8191, 8192, 0, 1, 0),
      // Where a twentieth is less than a page, near is where the limit is.
      (19 << 13, nil, 19, none, 19),
      (20 << 13, nil, 20, none, 19),
      (UInt64(1) << 32 - 1, UInt64(1) << 32, 524_287, none, 498_073),
      (UInt64(1) << 32, .max, none, none, none),
      (1 << 20, UInt64(1) << 40, 128, none, 122),
    ]
    for (index, row) in table.enumerated() {
      recorder.context = "row \(index)"
      let limits = ResidencyLimits(softBytes: row.softBytes, hardBytes: row.hardBytes)
      recorder.expectEqual(limits.softPages, row.soft, "soft")
      recorder.expectEqual(limits.hardPages, row.hard, "hard")
      recorder.expectEqual(limits.nearSoftPages, row.near, "near the soft limit")
      recorder.expect(limits.isAny == (row.soft != none), "whether there is one")
      recorder.expect(limits.softBytes == bytes(row.soft), "soft, in bytes")
      recorder.expect(limits.hardBytes == bytes(row.hard), "hard, in bytes")
    }
    recorder.expect(
      ResidencyLimits.none == ResidencyLimits(softBytes: nil, hardBytes: nil), "none is none")
  },

  Check("residency limits: resident pages near, at and beyond each bound") { recorder in
    let limits = ResidencyLimits(softBytes: 100 << 13, hardBytes: 200 << 13)
    // Resident pages; whether they are near the soft limit, how many are beyond it, whether the
    // hard one allows it.
    let table: [(resident: Int, isNear: Bool, excess: Int, isAllowed: Bool)] = [
      (0, false, 0, true),
      (95, false, 0, true),
      (96, true, 0, true),
      (100, true, 0, true),
      (101, true, 1, true),
      (200, true, 100, true),
      (201, true, 101, false),
      (524_288, true, 524_188, false),
    ]
    for row in table {
      recorder.context = "\(row.resident) resident"
      recorder.expect(limits.isNearSoft(residentPages: row.resident) == row.isNear, "near")
      recorder.expectEqual(limits.excess(residentPages: row.resident), row.excess, "beyond")
      recorder.expect(limits.allows(residentPages: row.resident) == row.isAllowed, "allowed")
      let none = ResidencyLimits.none
      recorder.expect(!none.isNearSoft(residentPages: row.resident), "near no limit")
      recorder.expectEqual(none.excess(residentPages: row.resident), 0, "beyond no limit")
      recorder.expect(none.allows(residentPages: row.resident), "allowed without a limit")
    }
  },

  Check("residency limits: which requests cannot be had, and what they are told") { recorder in
    let limits = ResidencyLimits(softBytes: 100 << 13, hardBytes: 200 << 13)
    let soft = ResidencyLimits(softBytes: 100 << 13, hardBytes: nil)
    // Pages asked for, pages that others have.
    let table: [(pages: Int, inUse: Int, isHopeless: Bool)] = [
      (1, 0, false),
      (200, 0, false),
      (201, 0, true),
      (1, 199, false),
      (1, 200, true),
      (100, 100, false),
      (100, 101, true),
      // A limit that was lowered.
      (1, 500, true),
      (524_288, 524_288, true),
      (.max, 0, true),
    ]
    for row in table {
      recorder.context = "\(row.pages) pages, \(row.inUse) in use"
      recorder.expect(limits.isHopeless(row.pages, inUse: row.inUse) == row.isHopeless, "hopeless")
      recorder.expect(!soft.isHopeless(row.pages, inUse: row.inUse), "a soft limit refuses nothing")
    }
    recorder.expect(
      limits.refusal(7, inUse: 199)
        == .limitReached(pages: 7, inUseBytes: 199 << 13, limitBytes: 200 << 13), "the refusal")
  },
]

private func bytes(_ pages: Int) -> UInt64? { pages == .max ? nil : UInt64(pages) << 13 }
