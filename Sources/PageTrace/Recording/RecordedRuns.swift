import PageAlloc

extension RecordingFile {
  /// The same as a page trace, with threads counted in the order in which they come.
  ///
  /// A resize of what is not a whole run any more becomes a free and an allocation.
  ///
  /// - Throws: pages are handed out that are in use, or taken back that are not; as ``init(_:)``.
  package func trace() throws(TraceFormatError) -> [UInt8] {
    var runs = RecordedRuns(toleratesGaps: unwrittenCount > 0)
    for (number, record) in records.enumerated() { try runs.add(record, number: number + 1) }
    return runs.writer.file(
      TraceWriter.Labels(
        name: label.isEmpty ? "recording" : label, program: "unknown", version: "unknown",
        command: "unknown", arch: "unknown",
        note: isFull
          ? "an arena of PageAlloc, until its recording was full" : "an arena of PageAlloc"))
  }
}

/// Makes events of runs out of records of pages.
private struct RecordedRuns {
  private struct Run {
    let start: Int
    var pageCount: Int
    /// Nothing of it was freed.
    var isWhole = true
  }

  private(set) var writer = TraceWriter()
  private var runs: [Run] = []
  /// The run that each page belongs to; -1 for none.
  private var owners = [Int32](repeating: -1, count: ProgramTrace.pageLimit)
  private var threads: [Int] = []
  /// Some records are missing: who frees what nobody has, or takes what somebody has, is believed.
  private let toleratesGaps: Bool

  init(toleratesGaps: Bool) { self.toleratesGaps = toleratesGaps }

  mutating func add(
    _ record: RecordingFile.Record, number: Int
  ) throws(TraceFormatError) {
    let thread = threadNumber(record.thread)
    let pages = record.pages
    switch record.kind {
    case .allocate: try allocate(pages, thread, number)
    case .free:
      for (run, part) in try parts(of: pages, number) { free(part, of: run, thread) }
    case .resize: try resize(pages, thread, number)
    case .discard:
      for (run, part) in try parts(of: pages, number) {
        let start = runs[run].start
        writer.purge((part.lowerBound - start)..<(part.upperBound - start), of: run, thread: thread)
      }
    case .nothing: break
    }
  }

  private mutating func allocate(
    _ pages: Range<Int>, _ thread: Int, _ number: Int
  ) throws(TraceFormatError) {
    if let taken = pages.first(where: { owners[$0] >= 0 }) {
      guard toleratesGaps else {
        throw TraceFormatError(line: number, reason: "page \(taken) is handed out twice")
      }
      for (run, part) in try parts(of: pages, number) { free(part, of: run, thread) }
    }
    let run = writer.allocate(pages.count, thread: thread)
    runs.append(Run(start: pages.lowerBound, pageCount: pages.count))
    for page in pages { owners[page] = Int32(run) }
  }

  private mutating func free(_ part: Range<Int>, of run: Int, _ thread: Int) {
    let start = runs[run].start
    writer.free((part.lowerBound - start)..<(part.upperBound - start), of: run, thread: thread)
    runs[run].isWhole = false
    for page in part { owners[page] = -1 }
  }

  private mutating func resize(
    _ pages: Range<Int>, _ thread: Int, _ number: Int
  ) throws(TraceFormatError) {
    let run = Int(owners[pages.lowerBound])
    guard run >= 0 else {
      if toleratesGaps { return try allocate(pages, thread, number) }
      throw TraceFormatError(line: number, reason: "page \(pages.lowerBound) is in no run")
    }
    let old = runs[run]
    if old.isWhole, old.start == pages.lowerBound, pages.count > old.pageCount {
      let added = (old.start + old.pageCount)..<pages.upperBound
      guard added.allSatisfy({ owners[$0] < 0 }) else {
        throw TraceFormatError(line: number, reason: "a run grows over another one")
      }
      writer.resize(run, from: old.pageCount, to: pages.count, thread: thread)
      runs[run].pageCount = pages.count
      for page in added { owners[page] = Int32(run) }
      return
    }
    // A part of a run that was divided: it has what is its own up to where it grew.
    let end = pages.first { owners[$0] != Int32(run) } ?? pages.upperBound
    if end == pages.upperBound { return }
    free(pages.lowerBound..<end, of: run, thread)
    try allocate(pages, thread, number)
  }

  /// What lies in a range of each run, in order.
  private func parts(
    of pages: Range<Int>, _ number: Int
  ) throws(TraceFormatError) -> [(Int, Range<Int>)] {
    var parts: [(Int, Range<Int>)] = []
    var page = pages.lowerBound
    while page < pages.upperBound {
      let owner = owners[page]
      var end = page + 1
      while end < pages.upperBound, owners[end] == owner { end += 1 }
      if owner >= 0 {
        parts.append((Int(owner), page..<end))
      } else if !toleratesGaps {
        throw TraceFormatError(line: number, reason: "page \(page) is not in use")
      }
      page = end
    }
    return parts
  }

  /// Threads from 0 on, by when they came.
  private mutating func threadNumber(_ name: Int) -> Int {
    if let number = threads.firstIndex(of: name) { return number }
    threads.append(name)
    return threads.count - 1
  }
}
