import PageAlloc

/// Who got what, in a table of plain memory.
package let runTableChecks: [Check] = [
  Check("run table: a length of every form comes back, and goes") { recorder in
    let table = BareTable()
    let lengths = [
      1, 2, 63, 64, 126, 127, 128, 129, 191, 192, 255, 256, 511, 512, 4095, 4096, 262_144,
      Geometry.pageCount - 1024,
    ]
    for length in lengths {
      recorder.context = "\(length) pages"
      table.runs.setLength(1000, length)
      recorder.expectEqual(table.runs.length(1000), length, "length")
      recorder.expectEqual(table.runs.extent(1000), length, "extent")
      recorder.expect(table.runs.isStart(1000), "a run starts there")
      for page in [999] + (1001...1005) {
        recorder.expectEqual(table.runs.length(page), 0, "length at page \(page)")
        recorder.expectEqual(table.runs.extent(page), 0, "extent at page \(page)")
        recorder.expect(!table.runs.isStart(page), "none starts at page \(page)")
      }
      // As a cache does: nobody's for a while, then somebody's again.
      table.runs.setByte(1000, 0)
      recorder.expectEqual(table.runs.length(1000), 0, "nobody's")
      recorder.expect(!table.runs.isStart(1000), "nobody's run starts there")
      table.runs.setFirstByte(1000, length)
      recorder.expectEqual(table.runs.length(1000), length, "length, as before")
      table.runs.clear(1000)
      for page in 999...1005 { recorder.expectEqual(table.runs.byte(page), 0, "byte of \(page)") }
    }
  },

  Check("run table: a guard is a start, and no run") { recorder in
    let table = BareTable()
    for log in 0...18 {
      recorder.context = "\(1 << log) pages"
      table.runs.setGuard(512, 1 << log)
      recorder.expectEqual(table.runs.length(512), 0, "length")
      recorder.expectEqual(table.runs.extent(512), 1 << log, "extent")
      recorder.expect(table.runs.isStart(512), "a start")
      recorder.expect(table.runs.run(around: 512, lowest: 0) == nil, "nobody's run")
      table.runs.clear(512)
      recorder.expectEqual(table.runs.byte(512), 0, "cleared")
    }
  },

  Check("run table: random runs, found from each of their pages") { recorder in
    for seed in 1...10 {
      recorder.context = "seed \(seed)"
      var random = SplitMix64(seed: UInt64(seed))
      let table = BareTable()
      let low = 2000
      let high = 6000
      // The start of the run that a page belongs to; -1 for none.
      var starts = [Int](repeating: -1, count: high)
      var runs: [Range<Int>] = []
      for _ in 0..<600 {
        if random.below(3) == 0, !runs.isEmpty {
          let run = runs.remove(at: random.below(runs.count))
          table.runs.clear(run.lowerBound)
          for page in run { starts[page] = -1 }
          continue
        }
        let run = Range(start: low + random.below(high - low), count: random.logarithmic(9))
        guard run.upperBound <= high, starts[run].allSatisfy({ $0 == -1 }) else { continue }
        table.runs.setLength(run.lowerBound, run.count)
        for page in run { starts[page] = run.lowerBound }
        runs.append(run)
      }
      for page in low..<high {
        let run = table.runs.run(around: page, lowest: low)
        recorder.expectEqual(run?.lowerBound ?? -1, starts[page], "the run of page \(page)")
        if let run {
          recorder.expect(runs.contains(run), "\(run) is a run")
        }
      }
    }
  },
]

extension Range<Int> {
  /// So many numbers, from one on.
  init(start: Int, count: Int) { self = start..<(start + count) }
}
