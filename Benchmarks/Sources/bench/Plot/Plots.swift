import Foundation

/// Writes the plots of a report, each as SVG and as PNG.
///
/// - Returns: how many there are.
func writePlots(_ report: Report, to folder: String) throws -> Int {
  let plots: [(String, Canvas?)] = [
    (
      "pair",
      barPlot(report, "allocate + free of a run, by pages: ns", ["pair"])
    ),
    ("churn", barPlot(report, "churn, occupancy, threads: ns", ["churn", "occupancy", "threads"])),
    (
      "touch",
      barPlot(report, "written to, zeroed, aligned: ns", ["touch", "zeroed", "aligned"])
    ),
    ("replay", barPlot(report, "recorded programs: ns an event", ["replay"])),
    ("memory", memoryPlot(report)),
    ("engine", enginePlot(report)),
  ]
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  var count = 0
  for (name, plot) in plots {
    guard let plot else { continue }
    let path = "\(folder)/\(name)"
    try Data(plot.svg.utf8).write(to: URL(fileURLWithPath: path + ".svg"))
    try Data(plot.png).write(to: URL(fileURLWithPath: path + ".png"))
    count += 1
  }
  return count
}

/// Okabe and Ito's colours, which most eyes tell apart. Ours is the strong one.
private func colour(of name: String) -> Colour {
  switch name {
  case Peers.ours: Colour(0xd55e00)
  case Peers.raw: Colour(0x999999)
  case "swift": Colour(0xcc79a7)
  case "glibc": Colour(0x56b4e9)
  case "jemalloc": Colour(0x009e73)
  case "mimalloc": Colour(0xe69f00)
  default: Colour(0x0072b2)
  }
}

private func barPlot(_ report: Report, _ title: String, _ families: [String]) -> Canvas? {
  let rows = report.rows.filter { families.contains($0.row.family) && !$0.results.isEmpty }
  let names = report.peers.present.map(\.name).filter { $0 != Peers.nobody }
  let groups = rows.map { result in
    LogBars.Group(
      label: result.row.name,
      bars: names.map { name in
        LogBars.Bar(name, result.results[name].map(\.figures.p50), colour(of: name))
      })
  }
  return LogBars(title: title, note: "p50, logarithmic; shorter is better", groups: groups).canvas
}

private func memoryPlot(_ report: Report) -> Canvas? {
  let rows = report.rows.filter { $0.row.hasMemory && !$0.results.isEmpty }
  let names = report.peers.present.map(\.name).filter { $0 != Peers.nobody }
  let groups = rows.map { result in
    LogBars.Group(
      label: result.row.name,
      bars: names.map { name in
        LogBars.Bar(
          name, result.results[name].map { max(1, $0.figures.residentPeak / 1_048_576) },
          colour(of: name))
      })
  }
  return LogBars(
    title: "peak resident memory: MiB", note: "logarithmic; shorter is better", groups: groups
  ).canvas
}

private func enginePlot(_ report: Report) -> Canvas? {
  let rows = report.comparisons.filter { !$0.row.hasRivals }
  let groups = rows.map { row in
    LogBars.Group(
      label: String(row.row.name.dropFirst("engine/".count)),
      bars: [
        LogBars.Bar(Peers.ours, row.ours, colour(of: Peers.ours)),
        LogBars.Bar("Go", row.best.nanoseconds, colour(of: "Go")),
      ])
  }
  return LogBars(
    title: "the engine alone: ns", note: "least, logarithmic; Go: recorded on another machine",
    groups: groups
  ).canvas
}
