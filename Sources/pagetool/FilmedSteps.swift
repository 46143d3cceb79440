import ArgumentParser
import PageAlloc
import PageTrace

/// Which steps of a recording `film` and `plot` look at, and how time goes by.
struct FilmedSteps: ParsableArguments {
  @Option(help: ArgumentHelp("The first step to show.", valueName: "step"))
  var from = 0

  @Option(
    help: ArgumentHelp(
      "The last step to show. (default: the end of the recording)", valueName: "step"))
  var to: Int?

  @Option(
    help: ArgumentHelp(
      "How long the recording is taken to have lasted; 0 gives nothing back as time goes by.",
      valueName: "seconds"))
  var seconds = 10.0

  func validate() throws {
    if from < 0 { throw ValidationError("--from must not be negative.") }
    if let to, to < from { throw ValidationError("--to must not be less than --from.") }
    // Written so that a NaN is refused too.
    guard seconds >= 0, seconds <= 1e6 else {
      throw ValidationError("--seconds must be from 0 to 1,000,000.")
    }
  }

  /// Reads a recording.
  func recording(_ path: String) throws(FileFailure) -> ProgramTrace {
    let bytes = try readInput(path)
    do throws(TraceFormatError) {
      return try ProgramTrace(parsing: bytes)
    } catch {
      throw FileFailure(error)
    }
  }

  /// The steps to look at.
  ///
  /// - Parameter count: how many; the step at which most pages are in use may come on top.
  func steps(of trace: ProgramTrace, count: Int) throws(FileFailure) -> FilmSteps {
    let all = trace.events.count
    let last = to ?? all
    for step in [from, last] where step > all {
      throw FileFailure("there is no step \(grouped(step)): the recording has \(grouped(all))")
    }
    return FilmSteps(in: from...last, count: count, peak: trace.peakEvent.map { $0 + 1 })
  }

  /// Replays a recording and shows what every page is at some steps.
  ///
  /// - Parameter isWriting: whether a word of each page is written.
  func replay(
    _ trace: ProgramTrace, at steps: FilmSteps, path: String, isWriting: Bool = false,
    visit: (_ step: Int, _ snapshot: PageSnapshot) -> Void
  ) throws(FileFailure) {
    let progress = ProgressLine(path)
    defer { progress.erase() }
    do throws(ReplayError) {
      try PageTrace.replay(
        trace, film: steps, lasting: UInt64(seconds * 1e9), isWriting: isWriting,
        progress: progress.update, visit: visit)
    } catch {
      throw FileFailure(error.reason, line: error.line)
    }
  }
}
