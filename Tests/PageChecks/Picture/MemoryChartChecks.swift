import PageAlloc
import PageTrace

/// Curves of memory, in a terminal and as SVG; Tests/pagetoolTests reads those as XML.
package let memoryChartChecks: [Check] = [
  Check("chart: ticks are round numbers, and few") { recorder in
    for (most, count, isBinary, expected) in [
      (1, 5, true, [0, 1]), (5, 5, true, [0, 1, 2, 3, 4, 5]), (6, 5, true, [0, 2, 4, 6]),
      (194 << 20, 5, true, [0, 64 << 20, 128 << 20, 192 << 20]),
      (8, 8, false, [0, 1, 2, 3, 4, 5, 6, 7, 8]), (9, 8, false, [0, 2, 4, 6, 8]),
      (33, 8, false, [0, 5, 10, 15, 20, 25, 30]), (588_231, 4, false, [0, 200_000, 400_000]),
    ] as [(UInt64, UInt64, Bool, [UInt64])] {
      let ticks = MemoryChart.ticks(to: most, count: count, isBinary: isBinary)
      recorder.expect(ticks == expected, "up to \(most): \(ticks.count) ticks")
    }
  },

  Check("chart as text: bands of one scale, and 80 columns") { recorder in
    var chart = MemoryChart(title: "a\u{1b} heap")
    chart.append(.init(step: 0, live: 0, resident: 0, givenBack: 0))
    chart.append(.init(step: 34, live: 16 << 20, resident: 24 << 20, givenBack: 1))
    chart.append(.init(step: 67, live: 8 << 20, resident: 32 << 20, givenBack: 0))
    let text = chart.text(isColoured: false)
    let lines = Array(text.utf8).split(separator: 10, omittingEmptySubsequences: false)
    func band(_ pieces: (Int, String)...) -> String {
      pieces.reduce(into: "") { for _ in 0..<$1.0 { $0 += $1.1 } }
    }
    let expected = [
      "a? heap", "",
      "live: at most 16 MiB, at step 34; 8 MiB at the end",
      "   32 MiB ┤" + band((68, " ")), "          ┤" + band((68, " ")),
      "          ┤" + band((34, " "), (33, "█"), (1, " ")),
      "        0 ┤" + band((34, " "), (34, "█")), "",
      "resident: at most 32 MiB, at step 67; 32 MiB at the end",
      "   32 MiB ┤" + band((67, " "), (1, "█")),
      "          ┤" + band((34, " "), (34, "█")), "          ┤" + band((34, " "), (34, "█")),
      "        0 ┤" + band((34, " "), (34, "█")), "",
      "given back: at most 1 bytes, at step 34; 0 bytes at the end",
      "   32 MiB ┤" + band((68, " ")), "          ┤" + band((68, " ")),
      "          ┤" + band((68, " ")), "        0 ┤" + band((34, " "), (33, "▁"), (1, " ")), "",
      "           step 0" + band((60, " ")) + "67", "",
    ]
    recorder.expectEqual(lines.count, expected.count, "lines")
    for index in 0..<min(lines.count, expected.count) {
      recorder.expect(
        lines[index].elementsEqual(expected[index].utf8),
        "line \(index): \(String(decoding: lines[index], as: UTF8.self))")
    }
    recorder.expect(chart.text(isColoured: true).utf8.count > text.utf8.count, "colours")
  },

  Check("chart: without a sample, and with one, there are a text and a picture") { recorder in
    var chart = MemoryChart(title: "none")
    recorder.expect(!chart.text(isColoured: false).isEmpty && !chart.svg().isEmpty, "none")
    chart.append(.init(step: 5, live: 1 << 32, resident: 1 << 32, givenBack: 0))
    recorder.expect(!chart.text(isColoured: false).isEmpty && !chart.svg().isEmpty, "one")
  },

  Check("chart as SVG: a sample more than a pixel makes no file much larger") { recorder in
    var random = SplitMix64(seed: 7)
    var chart = MemoryChart(title: "much")
    for step in 0..<2000 {
      let live = UInt64(random.below(1 << 28))
      chart.append(.init(step: step, live: live, resident: live + 1, givenBack: live / 2))
    }
    let size = chart.svg().count
    recorder.expect(size < 64 << 10, "\(size) bytes")
  },
]
