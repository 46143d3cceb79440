import PageAlloc

/// How many runs there are of each size.
package let sizeCountsChecks: [Check] = [
  Check("size counts: each length counts for the power of two below it") { recorder in
    for power in 0..<SizeCounts.powers {
      recorder.context = "2^\(power)"
      for pages in [1 << power, (1 << power) + (1 << power) / 2, (2 << power) - 1] {
        var counts = SizeCounts()
        counts.add(pages)
        for other in 0..<SizeCounts.powers {
          recorder.expectEqual(counts[other], other == power ? 1 : 0, "\(pages) pages, 2^\(other)")
        }
        counts.remove(pages)
        recorder.expectEqual(counts[power], 0, "\(pages) pages, removed")
      }
    }
  },

  Check("size counts: changes move once, as far as they are asked for") { recorder in
    var (counts, changes) = (SizeCounts(), SizeCounts())
    counts.add(3)
    for pages in [1, 2, 3, 127, 128] { changes.add(pages) }
    // A cut run: what went counts as less than none.
    changes.remove(64)
    changes.remove(64)
    counts.move(from: &changes, upTo: 127)
    let rows: [(power: Int, count: Int, left: Int)] = [
      (0, 1, 0), (1, 3, 0), (5, 0, 0), (6, -1, 0), (7, 0, 1),
    ]
    for row in rows {
      recorder.expectEqual(counts[row.power], row.count, "2^\(row.power)")
      recorder.expectEqual(changes[row.power], row.left, "left of 2^\(row.power)")
    }
    counts.move(from: &changes, upTo: 127)
    recorder.expectEqual(counts[1], 3, "nothing moves twice")
  },
]
