import ArgumentParser
import Foundation
import PageAlloc
import PageTrace

/// `pagetool stat`: the figures of an arena while a recording is replayed on it.
struct Stat: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows the live figures of an arena while a recording is replayed on it.",
    discussion: """
      FILE is a page trace ("#pagetrace 1"). It is replayed on one thread as fast as it can, or \
      slower with --rate. One word of each page is written, and checked before the page is freed. \
      What is live after the last event is freed, too: an operation is an event, or one of these \
      frees.

      On a terminal the figures stay where they are and change, at most 20 times a second. \
      Elsewhere, and with --every, there is a line after each N operations, and one before the \
      first and after the last. With --wait it goes on for as long as memory goes back to the \
      system by itself, at most a minute, ten times a second.

      IN USE is what is handed out; CACHED what threads and the arena keep at hand; FREE what is \
      free besides and may be resident; GIVEN BACK what is free and was given back to the system, \
      or never written to. RESIDENT is the anonymous memory of the whole process as the kernel \
      counts it, quickly, which may be wrong by some hundred KiB. FRAGMENTS is the part of the \
      free pages that is outside the longest run of free pages.

      EXAMPLES
        pagetool stat mmap-node.trace.gz
        pagetool stat --rate 2000 mmap-node.trace.gz
        pagetool stat --wait --every 1000 mmap-node.trace.gz
        pagetool stat --json mmap-node.trace.gz | jq .residentBytes

      JSON
        An object a line. Memory is in bytes.
          operation, operations   how many were done, and how many there are
          seconds                 since the first
          inUseBytes, cachedBytes, freeBytes, givenBackBytes
          residentBytes           null where the system does not say
          longestFreeRunBytes, fragmentation
                                  the latter 0 where nothing is free
        If the file cannot be used or the replay fails, the last line is an object
        with: error, an object: message, line (if known).

      EXIT STATUS
        0   the recording was replayed
        1   contents were lost, a call failed, or FILE cannot be read or is
            malformed
        64  the command line makes no sense
      """)

  @Argument(help: "The trace to replay, plain or packed with gzip.", completion: .file())
  var file: String

  @Option(
    help: ArgumentHelp(
      "Print a line after so many operations. (default: a twentieth of all)", valueName: "n"))
  var every: Int?

  @Option(help: ArgumentHelp("Replay at most so many operations a second.", valueName: "n"))
  var rate: Int?

  @Flag(help: "Go on while memory goes back to the system by itself.")
  var wait = false

  @Flag(help: "Print an object a line instead of text.")
  var json = false

  func validate() throws {
    if let every, every < 1 { throw ValidationError("--every must be at least 1.") }
    if let rate, rate < 1 || rate > 1_000_000_000 {
      throw ValidationError("--rate must be in 1...1000000000.")
    }
  }

  func run() throws {
    do throws(FileFailure) {
      let trace = try readTrace(file)
      try replay(trace)
    } catch {
      if json { try printObject(["error": error]) }
      complain(file, error)
      throw ExitCode.failure
    }
  }

  /// A part of an interval that it is a multiple of, so that looks come at its ends, too.
  static func step(of interval: Int, atMost limit: Int) -> Int {
    var parts = (interval + limit - 1) / limit
    while interval % parts != 0 { parts += 1 }
    return interval / parts
  }

  private func replay(_ trace: ProgramTrace) throws(FileFailure) {
    let total = trace.events.count + trace.closingFrees.count
    let isLive = !json && every == nil && isTerminal
    var display = StatDisplay(name: trace.header.name, total: total, isLive: isLive, isJSON: json)
    let lineInterval = every ?? max(1, (total + 19) / 20)
    // Often enough to keep the rate, and for a picture that moves.
    var interval = isLive ? max(1, total / 1000) : lineInterval
    if let rate {
      interval = Self.step(of: max(1, min(interval, total)), atMost: max(1, rate / 20))
    }
    do {
      let arena = try PageArena()
      let start = ContinuousClock.now
      var nextLine = 0
      try PageTrace.replay(trace, on: arena, every: interval) { done in
        if let rate { sleep(until: Double(done) / Double(rate), since: start) }
        if isLive || done >= nextLine || done == total {
          nextLine = (done / lineInterval + 1) * lineInterval
          display.show(ArenaFigures(arena, done, since: start), isLast: done == total && !wait)
        }
      }
      while wait, arena.isReturning, start.secondsAgo < 60 {
        usleep(100_000)
        display.show(ArenaFigures(arena, total, since: start), isLast: !arena.isReturning)
      }
    } catch let error as ReplayError {
      throw FileFailure(error.reason, line: error.line)
    } catch {
      throw FileFailure("\(error)")
    }
  }

  /// Whether text can be changed where it stands.
  private var isTerminal: Bool {
    isatty(STDOUT_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
  }

  private func sleep(until seconds: Double, since start: ContinuousClock.Instant) {
    let left = seconds - start.secondsAgo
    if left > 0 { Thread.sleep(forTimeInterval: left) }
  }
}

/// What an arena holds at one moment.
struct ArenaFigures {
  /// Operations done.
  let done: Int
  let seconds: Double
  let statistics: PageArena.Statistics
  let resident: UInt64?

  init(_ arena: PageArena, _ done: Int, since start: ContinuousClock.Instant) {
    self.done = done
    seconds = start.secondsAgo
    statistics = arena.statistics
    resident = ResidentMemory.quick()
  }

  /// Kept at hand by threads and by the arena.
  var cached: UInt64 { statistics.cachedBytes + statistics.keptLongBytes }
  /// Free besides.
  var free: UInt64 {
    let all = statistics.freeMaybeResidentBytes
    return all > cached ? all - cached : 0
  }
  var longestFreeRun: UInt64 { UInt64(statistics.largestCommittedRun) * 8192 }

  /// The part of what is free that is outside the longest run; 0 where nothing is.
  var fragmentation: Double {
    let all = statistics.freeMaybeResidentBytes + statistics.scavengedBytes
    return all == 0 ? 0 : max(0, 1 - Double(longestFreeRun) / Double(all))
  }
}

extension ContinuousClock.Instant {
  fileprivate var secondsAgo: Double { duration(to: .now) / .seconds(1) }
}
