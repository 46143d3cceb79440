import PageTrace

/// What is written of a process, or of all of them: the events, and where its runs are.
final class ProcessTrace {
  /// Where a run begins, and how many bytes it had when it was whole.
  struct Run {
    var base: UInt64
    var byteCount: UInt64
  }

  private(set) var writer = TraceWriter()
  private(set) var runs: [Run] = []
  var leftOut = LeftOut()
  /// The number that each thread has in the trace.
  private var threads: [UInt64: Int] = [:]

  static let pageSize: UInt64 = 8192
  /// As many threads as a trace can name.
  private static let mostThreads = 65_536

  /// - Returns: the new run; `nil` where the trace's arena has no room for it.
  func allocate(_ range: Range<UInt64>, by task: UInt64) -> Int? {
    guard let pages = Self.pageCount(of: range), pages <= writer.room else {
      leftOut.tooLargeMappings += 1
      let (sum, overflows) = leftOut.tooLargeBytes.addingReportingOverflow(UInt64(range.count))
      leftOut.tooLargeBytes = overflows ? .max : sum
      return nil
    }
    runs.append(Run(base: range.lowerBound, byteCount: UInt64(range.count)))
    return writer.allocate(pages, thread: thread(task))
  }

  /// Moves and resizes a whole run.
  ///
  /// - Returns: whether there is room for it.
  func move(_ run: Int, to range: Range<UInt64>, by task: UInt64) -> Bool {
    guard let old = Self.pageCount(of: 0..<runs[run].byteCount),
      let new = Self.pageCount(of: range), new - old <= writer.room
    else { return false }
    if new != old { writer.resize(run, from: old, to: new, thread: thread(task)) }
    runs[run] = Run(base: range.lowerBound, byteCount: UInt64(range.count))
    return true
  }

  func free(_ pages: Range<Int>, of run: Int, by task: UInt64) {
    if !pages.isEmpty { writer.free(pages, of: run, thread: thread(task)) }
  }

  func purge(_ pages: Range<Int>, of run: Int, by task: UInt64) {
    if !pages.isEmpty { writer.purge(pages, of: run, thread: thread(task)) }
  }

  /// Threads count from 0, in the order of their first events.
  private func thread(_ task: UInt64) -> Int {
    if let number = threads[task] { return number }
    let number = min(threads.count, Self.mostThreads - 1)
    threads[task] = number
    return number
  }

  /// Pages of the trace, a part of one counted whole; `nil` for more than an arena has.
  private static func pageCount(of range: Range<UInt64>) -> Int? {
    let count = (UInt64(range.count) + pageSize - 1) / pageSize
    return count <= UInt64(ProgramTrace.pageLimit) ? Int(count) : nil
  }
}

/// What of a process is not in its trace.
package struct LeftOut: Equatable {
  /// Mappings of files.
  package var fileMappings = 0
  /// Mappings that are shared with other processes, or of devices.
  package var sharedMappings = 0
  /// Anonymous mappings without access. What of them becomes accessible later is in the trace.
  package var reservations = 0
  /// Mappings for which an arena of 4 GiB has no room, beside what is live.
  package var tooLargeMappings = 0
  /// How large these were.
  package var tooLargeBytes: UInt64 = 0
  /// Calls of `brk` that were refused.
  package var refusedBreaks = 0
  /// Calls of `madvise` with other advice than that contents are not needed.
  package var otherAdvice = 0
  /// Calls of a process before it became another program, with memory that was its parent's.
  package var callsBeforeExec = 0
  /// Calls about addresses of which nothing is known: mapped before the recording began, as a rule.
  package var callsElsewhere = 0
}
