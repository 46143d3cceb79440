import ArgumentParser
import Foundation
import PageBench
import PageRivals

/// `make bench`: our pages against everybody else's, in one run.
@main
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measures PageArena and its rivals, interleaved, and writes a report.",
    discussion: """
      Writes latest.json and plots to OUTPUT. Benchmarks/README.md explains rows and fields.

      EXAMPLES
        bench --quick
        bench --only pair --only churn
        bench --workloads recordings --only replay
        bench --rivals libraries --skip mmap,swift --huge-pages
        bench --redraw Benchmarks/results/latest.json
      """)

  @Flag(help: "Fewer rows and less time: under a minute.")
  var quick = false

  @Option(help: "Only rows whose name contains this. May be given more than once.")
  var only: [String] = []

  @Option(help: "Also replay the recordings in this folder. May be given more than once.")
  var workloads: [String] = []

  @Option(help: "The folder of this package: its Data and Workloads are read.")
  var package = "Benchmarks"

  @Option(help: "The folder that names Debian's rivals, a file with the library's path for each.")
  var peers = ".build/cross/peers"

  @Option(
    help: "A folder of shared libraries: each with posix_memalign, calloc, free is a rival more.")
  var rivals: String?

  @Option(help: "Names of rivals to leave out, with commas between.")
  var skip = ""

  @Flag(help: "Switch on what rivals have of their own for huge pages, and ours.")
  var hugePages = false

  @Option(help: "Where the report goes.")
  var output = "Benchmarks/results"

  @Option(help: "Measure nothing: draw the plots of this file, a latest.json, anew.")
  var redraw: String?

  func run() throws {
    if let redraw {
      let plots = try writePlots(JSONReport(contentsOf: redraw), to: "\(output)/plots")
      return print("\(plots) plots in \(output)/plots")
    }
    let surroundings = Surroundings(hugePages: hugePages)
    guard surroundings.enter() else {
      throw ValidationError("the program cannot start itself again")
    }
    let go = try GoFigures.tables(in: "\(package)/Data")
    let peers = try Peers(
      hugePages: surroundings.ours, known: peers, more: rivals,
      skipping: skip.split(separator: ",").map(String.init))
    let rows = chosenRows()
    if rows.isEmpty { throw ValidationError("no row has such a name") }

    let runner = Runner(peers: peers.present, plan: quick ? .quick : .full)
    var progress = Progress(total: rows.count)
    var results: [RowResult] = []
    for row in rows {
      progress.begin(row)
      results.append(runner.run(row))
    }
    progress.end()

    let report = Report(
      mode: quick ? "quick" : "full", surroundings: surroundings,
      peers: peers, rows: results, go: go)
    for line in TextReport.lines(report) { print(line) }
    try FileManager.default.createDirectory(
      atPath: output, withIntermediateDirectories: true)
    let json = JSONReport(report)
    try json.text().write(to: URL(fileURLWithPath: "\(output)/latest.json"))
    let plots = try writePlots(json, to: "\(output)/plots")
    print("\(output)/latest.json, \(plots) plots in \(output)/plots")
  }

  private func chosenRows() -> [Row] {
    // The two that the command line brings along count too.
    let bundled = ["\(package)/Workloads", "\(package)/../Sources/pagetool/Workloads"]
    let (list, complaints) = recordings(in: bundled + workloads)
    for complaint in complaints {
      FileHandle.standardError.write(Data("\(complaint)\n".utf8))
    }
    let quickOnes = ["go-gofmt-std-386", "mmap-node", "mmap-redis-jemalloc"]
    let rows = Row.fixed + list.map { .replay($0, isQuick: quickOnes.contains($0.name)) }
    return rows.filter { row in
      if !only.isEmpty { return only.contains { row.name.contains($0) } }
      return !quick || row.isQuick
    }
  }
}
