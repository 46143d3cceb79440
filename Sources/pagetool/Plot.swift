import ArgumentParser
import PageTrace

/// `pagetool plot`: draws how much memory a recorded program's heap has over its steps.
struct Plot: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draws live, resident and given-back memory over the steps of a recording.",
    usage: """
      pagetool plot [--from <step>] [--to <step>] [--seconds <seconds>]
                    [--no-color] [--json] [--output <svg>] <file>
      """,
    discussion: """
      FILE is a page trace ("#pagetrace 1"). It is replayed on an arena, and at a thousand steps, \
      evenly apart, and where most is in use, the arena is asked what every page is. Nothing is \
      written to the pages: the figures are the arena's, and a heap of any size can be drawn.

      live         in use
      resident     in use, cached, or free and not given back: at most so much is in memory
      given back   free, and given back to the system or never written to

      A trace has no times. Its steps are spread evenly over --seconds, and as that time goes by \
      the arena gives free memory back as it would in a program. The same file with the same \
      options gives the same curves.

      In the text each curve has a band of its own, all of one scale, and no line more than 80 \
      columns. There are colours where the standard output is a terminal, unless NO_COLOR is set \
      or TERM is "dumb". The SVG is readable on light ground and on dark, and its curves can be \
      told apart without colours.

      EXAMPLES
        pagetool plot mmap-node.trace.gz
        pagetool plot go-flatework-amd64.trace.gz -o plot.svg
        pagetool plot mmap-node.trace.gz --from 2000 --to 3000 --seconds 60
        pagetool plot mmap-node.trace.gz -o - | rsvg-convert -o plot.png
        pagetool plot --json mmap-node.trace.gz > plot.json

      JSON
        An array with one object. Memory is in bytes.
          file, name     the FILE as given; the trace's own name
          steps          events there are
          seconds        how long the recording is taken to have lasted
          samples        an array with an object for each step that was looked at,
                         in order: step, live, resident, givenBack
          error          object: message, line (if known); of a file that cannot
                         be used, instead of all the above but file

      EXIT STATUS
        0   the curves were drawn
        1   FILE cannot be read, is malformed, or has no such step; the replay
            failed; or the SVG cannot be written
        64  the command line makes no sense
      """)

  @Argument(help: "A page trace, plain or packed with gzip.", completion: .file())
  var file: String

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Write a picture as SVG to a file instead of text; - is the standard output.",
      valueName: "svg"),
    completion: .file(extensions: ["svg"]))
  var output: String?

  @OptionGroup var filmed: FilmedSteps

  @Flag(help: "Print no colours.")
  var noColor = false

  @Flag(help: "Print JSON instead of text.")
  var json = false

  /// How many steps are looked at: more than a picture has columns.
  private static let sampleCount = 1000

  func validate() throws {
    if json, output == "-" {
      throw ValidationError("--json and -o - both want the standard output.")
    }
  }

  func run() throws {
    var result = PlotResult(file: file, seconds: filmed.seconds)
    do throws(FileFailure) {
      let trace = try filmed.recording(file)
      let steps = try filmed.steps(of: trace, count: Self.sampleCount)
      var chart = MemoryChart(title: "\(trace.header.name), memory by steps")
      try filmed.replay(trace, at: steps, path: file) { step, snapshot in
        chart.append(MemoryChart.Sample(snapshot, step: step))
      }
      (result.header, result.chart) = (trace.header, chart)
      if let output { try writeOutput(chart.svg(), to: output) }
    } catch {
      result.failure = error
      complain(error.path ?? file, error)
    }
    if json {
      print(try jsonText([result]))
    } else if let chart = result.chart, result.failure == nil, output == nil {
      print(chart.text(isColoured: !noColor && isOutputColoured), terminator: "")
    }
    if result.failure != nil { throw ExitCode.failure }
  }
}

/// What came of the file. Header and chart are there unless there is a failure.
private struct PlotResult {
  let file: String
  let seconds: Double
  var header: ProgramTrace.Header?
  var chart: MemoryChart?
  var failure: FileFailure?
}

extension PlotResult: Encodable {
  private enum Key: String, CodingKey { case file, error, name, steps, seconds, samples }

  private struct Sample: Encodable {
    let step: Int
    let live: UInt64
    let resident: UInt64
    let givenBack: UInt64
  }

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try object.encode(file, forKey: .file)
    if let failure { return try object.encode(failure, forKey: .error) }
    guard let header, let chart else { return }
    try object.encode(header.name, forKey: .name)
    try object.encode(header.eventCount, forKey: .steps)
    try object.encode(seconds, forKey: .seconds)
    let samples = chart.samples.map {
      Sample(step: $0.step, live: $0.live, resident: $0.resident, givenBack: $0.givenBack)
    }
    try object.encode(samples, forKey: .samples)
  }
}
