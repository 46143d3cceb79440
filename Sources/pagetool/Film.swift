import ArgumentParser
import PageTrace

/// `pagetool film`: a page for a browser that shows a recorded program's heap, step by step.
struct Film: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes a page for a browser that shows a recording's heap step by step.",
    usage: """
      pagetool film [--frames <n>] [--from <step>] [--to <step>]
                    [--seconds <seconds>] [--json] --output <html> <file>
      """,
    discussion: """
      FILE is a page trace ("#pagetrace 1"). It is replayed on an arena as by "pagetool plot", and \
      what every page is at a thousand steps becomes a film: one HTML file with a slider over the \
      steps, the map of the heap as "pagetool map" draws it, and below it the curves of live, \
      resident and given-back memory. The page has all that it needs in itself, and uses no \
      network. It can be worked by keyboard, and is readable on light ground and on dark. As by \
      "pagetool map", one word of each page is written, unless more than a GiB is in use at once, \
      and a frame marks what a huge page backs, where the kernel tells (Linux 6.7) and a cell is \
      at most eight pages.

      More frames show more of a recording with many steps; so does a part of it, by --from and \
      --to. A frame is kept as what differs from the one before.

      EXAMPLES
        pagetool film go-flatework-amd64.trace.gz -o film.html
        pagetool film mmap-node.trace.gz -o film.html --from 2000 --to 3000
        pagetool film mmap-node.trace.gz -o film.html --frames 300 --seconds 60
        pagetool film --json mmap-node.trace.gz -o film.html

      JSON
        An array with one object.
          file, name     the FILE as given; the trace's own name
          output         the page as given
          steps          events there are
          frames         an array with an object for each frame, in order: step,
                         pageCount, longestFreeRun (pages), hugePages (how many;
                         null where they are not known)
          seconds        how long the recording is taken to have lasted
          pagesPerCell, cells
          byteCount      of the page
          error          object: message, line (if known); of a file that cannot
                         be used, instead of all the above but file

      EXIT STATUS
        0   the page was written
        1   FILE cannot be read, is malformed, or has no such step; the replay
            failed; or the page cannot be written
        64  the command line makes no sense
      """)

  @Argument(help: "A page trace, plain or packed with gzip.", completion: .file())
  var file: String

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("The page to write; - is the standard output.", valueName: "html"),
    completion: .file(extensions: ["html"]))
  var output: String

  @Option(help: ArgumentHelp("How many steps to show, 2 to 10,000.", valueName: "n"))
  var frames = 1000

  @OptionGroup var filmed: FilmedSteps

  @Flag(help: "Print JSON about the page.")
  var json = false

  func validate() throws {
    guard frames >= 2, frames <= 10_000 else {
      throw ValidationError("--frames must be from 2 to 10,000.")
    }
    if json, output == "-" {
      throw ValidationError("--json and -o - both want the standard output.")
    }
  }

  func run() throws {
    var result = FilmResult(file: file, output: output, seconds: filmed.seconds)
    do throws(FileFailure) {
      let trace = try filmed.recording(file)
      let steps = try filmed.steps(of: trace, count: frames)
      var film = HeapFilm(peakPages: trace.header.peakLivePages)
      var chart = MemoryChart(title: "Live, resident and given-back memory")
      let isWritten = trace.header.isWritten
      try filmed.replay(trace, at: steps, path: file, isWriting: isWritten) { step, snapshot in
        film.append(snapshot, hugePages: isWritten ? snapshot.hugePages : nil, step: step)
        chart.append(MemoryChart.Sample(snapshot, step: step))
      }
      let page = FilmPage(
        title: trace.header.name, film: film, chart: chart, eventCount: trace.events.count,
        seconds: filmed.seconds)
      let html = try bytes(of: page)
      try writeOutput(html, to: output)
      (result.header, result.film, result.byteCount) = (trace.header, film, html.count)
    } catch {
      result.failure = error
      complain(error.path ?? file, error)
    }
    if json {
      print(try jsonText([result]))
    } else if let text = result.text, output != "-" {
      print(text)
    }
    if result.failure != nil { throw ExitCode.failure }
  }

  private func bytes(of page: FilmPage) throws(FileFailure) -> [UInt8] {
    do {
      return try page.html()
    } catch {
      throw FileFailure("the page cannot be made: \(error)")
    }
  }
}

/// What came of the file. Header and film are there unless there is a failure.
private struct FilmResult {
  let file: String
  let output: String
  let seconds: Double
  var header: ProgramTrace.Header?
  var film: HeapFilm?
  var byteCount = 0
  var failure: FileFailure?

  /// A line for people.
  var text: String? {
    guard let header, let film else { return nil }
    return "\(output): \(header.name), \(grouped(film.frames.count)) frames of "
      + "\(grouped(header.eventCount)) steps, \(bytes(UInt64(byteCount)))"
  }
}

extension FilmResult: Encodable {
  private enum Key: String, CodingKey {
    case file, error, name, output, steps, frames, seconds, pagesPerCell, cells, byteCount
  }

  private struct Frame: Encodable {
    let step: Int
    let pageCount: Int
    let longestFreeRun: Int
    let hugePages: Int?

    init(_ frame: HeapFilm.Frame) {
      step = frame.step
      pageCount = frame.pageCount
      longestFreeRun = frame.longestFreeRun
      hugePages = frame.hugePages?.count
    }

    func encode(to encoder: any Encoder) throws {
      var object = encoder.container(keyedBy: FrameKey.self)
      try object.encode(step, forKey: .step)
      try object.encode(pageCount, forKey: .pageCount)
      try object.encode(longestFreeRun, forKey: .longestFreeRun)
      // Null where they are not known, as in "pagetool map".
      try object.encode(hugePages, forKey: .hugePages)
    }
  }

  private enum FrameKey: String, CodingKey {
    case step, pageCount, longestFreeRun, hugePages
  }

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try object.encode(file, forKey: .file)
    if let failure { return try object.encode(failure, forKey: .error) }
    guard let header, let film else { return }
    try object.encode(header.name, forKey: .name)
    try object.encode(output, forKey: .output)
    try object.encode(header.eventCount, forKey: .steps)
    try object.encode(film.frames.map(Frame.init), forKey: .frames)
    try object.encode(seconds, forKey: .seconds)
    try object.encode(film.pagesPerCell, forKey: .pagesPerCell)
    try object.encode(film.cellCount, forKey: .cells)
    try object.encode(byteCount, forKey: .byteCount)
  }
}
