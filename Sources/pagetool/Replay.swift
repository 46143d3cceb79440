import ArgumentParser
import PageAlloc
import PageTrace

/// `pagetool replay`: replays page traces of real programs on an arena.
struct Replay: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Replays page traces of real programs and measures time and memory.",
    discussion: """
      Each FILE is a page trace ("#pagetrace 1"). Its events are replayed in the order of their \
      lines, on one thread, on an arena of its own. Every byte of every page is written when the \
      page is given out, and checked before the page is freed, moved or purged; what is live after \
      the last event is checked and freed too. Then memory goes back to the system by itself, \
      which takes a few seconds (not waited for with --quick), and at last all the rest on request.

      Times: "an operation" is wall-clock time of all operations with writing, checking, copying \
      and page faults. "allocate" and "free" are the allocator's calls alone, by a clock around \
      single calls: one call in 16, at random, or every call with --quick. The table at the end \
      of several files has the medians.

      Memory: "resident" is the anonymous memory of the whole process, read before the arena is \
      made, about a thousand times in between, when what goes back by itself has gone, and after \
      the rest was given back. "ready" is what the arena has committed, whether it is resident or \
      not.

      EXAMPLES
        pagetool replay go-flatework-amd64.trace.gz
        pagetool replay --quick traces/*.trace.gz
        pagetool replay --json mmap-node.trace.gz > node.json

      JSON
        An array with one object a file, in the order of the arguments. Memory is
        in bytes, times are in nanoseconds; null is what the system does not say.
          file, name            the FILE as given; the trace's own name
          checking              "every-byte" or "one-word"
          operations            events of the file
          closingFrees          frees added after them
          threads               threads of the recorded program
          bytesWritten, bytesChecked
          elapsedNanoseconds, nanosecondsPerOperation
          allocateCalls, freeCalls
                                objects: count, timed; of the timed ones
                                meanNanoseconds, medianNanoseconds (to 1/16)
          peakLivePages, endLivePages
          residentBytes         object: before, peak, returned (by itself, after the
                                last free), after (the rest given back too)
          returnNanoseconds     how long it went back by itself
          readyBytes            most memory made ready for pages
          footprint             readyBytes for each byte live at the peak
          fragmentation         1 - longest free run / free pages, when most pages
                                are live
          metadataBytes         the allocator's bookkeeping
          inUseBytesAfter       what is in use after all was freed
          releasedBytes         given back at the end
          error                 object: message, line (if known); of a file that
                                cannot be used or failed, instead of all the above
                                but file

      EXIT STATUS
        0   every replay went through
        1   contents were lost, a call failed, or a file cannot be read or is
            malformed
        64  the command line makes no sense
      """)

  @Argument(help: "The traces to replay, plain or packed with gzip.", completion: .file())
  var files: [String]

  @Flag(
    help:
      "Write and check one word a page only, which makes half of it resident, and time every call.")
  var quick = false

  @Flag(help: "Print JSON instead of text.")
  var json = false

  func run() throws {
    var results: [ReplayResult] = []
    for path in files {
      let result = result(of: path)
      if let failure = result.failure {
        complain(path, failure)
      } else if !json {
        print(result.text)
      }
      results.append(result)
    }
    if json {
      print(try jsonText(results))
    } else if results.count > 1, let table = replayTable(results) {
      print(table)
    }
    if results.contains(where: { $0.failure != nil }) { throw ExitCode.failure }
  }

  private func result(of path: String) -> ReplayResult {
    let checking: ReplayOptions.Checking = quick ? .oneWord : .everyByte
    let progress = ProgressLine(path)
    defer { progress.erase() }
    var result = ReplayResult(file: path, checking: checking)
    do throws(FileFailure) {
      let trace = try readTrace(path)
      result.header = trace.header
      result.report = try replay(
        trace, ReplayOptions(checking: checking, awaitsReturn: !quick), progress)
    } catch {
      result.failure = error
    }
    return result
  }

  private func replay(
    _ trace: ProgramTrace, _ options: ReplayOptions, _ progress: ProgressLine
  ) throws(FileFailure) -> ReplayReport {
    do {
      return try PageTrace.replay(
        trace, options: options,
        on: { () throws(PageArenaError) -> PageArena in try PageArena() },
        progress: progress.update)
    } catch {
      throw FileFailure(error.reason, line: error.line)
    }
  }
}

/// What came of one file. Header and report are there unless there is a failure.
struct ReplayResult {
  let file: String
  let checking: ReplayOptions.Checking
  var header: ProgramTrace.Header?
  var report: ReplayReport?
  var failure: FileFailure?
}
