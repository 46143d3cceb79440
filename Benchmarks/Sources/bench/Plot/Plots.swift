import Foundation

/// Writes the plots of a report as SVG.
///
/// - Returns: how many there are.
func writePlots(_ report: JSONReport, to folder: String) throws -> Int {
  let plots: [(String, LogBars)] = [
    ("pair", barPlot(report, "allocate + free of a run, by pages: ns", ["pair"])),
    ("churn", barPlot(report, "churn, occupancy, threads: ns", ["churn", "occupancy", "threads"])),
    ("touch", barPlot(report, "written to, zeroed, aligned: ns", ["touch", "zeroed", "aligned"])),
    ("replay", barPlot(report, "recorded programs: ns an event", ["replay"])),
    ("memory", memoryPlot(report)),
    ("engine", enginePlot(report)),
  ]
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  var count = 0
  for (name, plot) in plots {
    guard let svg = plot.svg() else { continue }
    try Data(svg).write(to: URL(fileURLWithPath: "\(folder)/\(name).svg"))
    count += 1
  }
  return count
}

private func barPlot(_ report: JSONReport, _ title: String, _ families: [String]) -> LogBars {
  bars(report, title, note: "p50, logarithmic; shorter is better") { entry in
    families.contains(entry.family) ? .some(entry.nanoseconds?.p50) : nil
  }
}

private func memoryPlot(_ report: JSONReport) -> LogBars {
  bars(report, "peak resident memory: MiB", note: "logarithmic; shorter is better") { entry in
    entry.peakResidentBytes.map { max(1, $0 / 1_048_576) }
  }
}

/// A group of bars a row, a bar for each allocator.
///
/// - Parameter figure: of a result; `nil` where its row is not to be shown, and `.some(nil)` where
///   it is, without a bar.
private func bars(
  _ report: JSONReport, _ title: String, note: String,
  _ figure: (JSONReport.ResultEntry) -> Double??
) -> LogBars {
  let names = report.peers.filter { $0.isPresent && $0.name != Peers.nobody }.map(\.name)
  var rows: [String] = []
  var figures: [String: [String: Double]] = [:]
  for entry in report.results {
    guard let value = figure(entry) else { continue }
    if figures[entry.name] == nil { rows.append(entry.name) }
    figures[entry.name, default: [:]][entry.allocator] = value
  }
  return LogBars(
    title: title, note: note,
    series: names.map { LogBars.Series(name: $0, colour: BarColour(of: $0)) },
    groups: rows.map { row in
      LogBars.Group(label: row, values: names.map { figures[row]?[$0] })
    })
}

private func enginePlot(_ report: JSONReport) -> LogBars {
  let prefix = "engine/"
  let rows = report.comparisons.filter { $0.name.hasPrefix(prefix) }
  return LogBars(
    title: "the engine alone: ns", note: "least, logarithmic; Go: recorded on another machine",
    series: [Peers.ours, "Go"].map { LogBars.Series(name: $0, colour: BarColour(of: $0)) },
    groups: rows.map { row in
      LogBars.Group(label: String(row.name.dropFirst(prefix.count)), values: [row.ours, row.best])
    })
}
