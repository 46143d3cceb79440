extension ProgramTrace {
  /// Reads a `#pagetrace 1` file.
  ///
  /// Checked are the form of every line, the order of the ids, that frees, resizes and purges name
  /// what is live, the limits, and that the header's counts are those of the events. What a file
  /// is called and how large it is packed does not matter here.
  ///
  /// - Throws: `TraceFormatError` with the line at fault, whatever the bytes are.
  /// - Complexity: O(*n*) but for runs that are freed in very many pieces.
  package init(parsing bytes: [UInt8]) throws(TraceFormatError) {
    var reader = LineReader(bytes)
    let header = try HeaderLines(&reader)
    var parser = try EventParser(header)
    // A line of a trace is hardly shorter than 12 bytes.
    parser.events.reserveCapacity(bytes.count / 12)
    while let line = try reader.next() { try parser.add(line) }
    self.init(
      header: try parser.checkedHeader(header), events: parser.events,
      closingFrees: parser.closingFrees(), peakEvent: parser.peakEvent,
      firstEventLine: header.lastLine + 1)
  }
}

/// Goes through the events, keeps them, and knows what is live.
private struct EventParser {
  var events: [ProgramTrace.Event] = []
  /// The event after which the most pages were live for the first time.
  private(set) var peakEvent: Int?

  private let threadCount: UInt64
  /// In traces of Go programs an allocation may say that it came from a cache.
  private let isGo: Bool
  private var runs = LiveRuns()
  /// How many events there are of each kind, by `EventKind.rawValue`.
  private var counts: [UInt64] = [0, 0, 0, 0]
  private var cacheCount: UInt64 = 0
  private var livePages: UInt64 = 0
  private var peakPages: UInt64 = 0
  private var allocatedPages: UInt64 = 0

  private static let pageLimit = UInt64(ProgramTrace.pageLimit)

  init(_ header: HeaderLines) throws(TraceFormatError) {
    isGo = try header.value("kind").equals("go-spans")
    threadCount = try header.number("threads")
    guard threadCount <= UInt64(UInt16.max) + 1 else {
      throw TraceFormatError(
        line: header.line(of: "threads"), reason: "\(threadCount) threads are too many")
    }
  }

  mutating func add(_ line: Line) throws(TraceFormatError) {
    var line = line
    let event: ProgramTrace.Event
    let letter = try line.field("the event")
    if letter.equals("a") {
      event = try allocation(&line)
    } else if letter.equals("f") {
      event = try part(.free, &line)
    } else if letter.equals("r") {
      event = try resize(&line)
    } else if letter.equals("p") {
      event = try part(.purge, &line)
    } else {
      throw line.error("there is no event \(letter.quoted)")
    }
    try line.finish()
    guard events.count < Int(Int32.max) else { throw line.error("too many events") }
    counts[Int(event.kind.rawValue)] += 1
    events.append(event)
    guard livePages <= Self.pageLimit else {
      throw line.error("\(livePages) live pages do not fit the arena of \(Self.pageLimit)")
    }
    if livePages > peakPages {
      peakPages = livePages
      peakEvent = events.count - 1
    }
  }

  /// What is live after the last event, as frees.
  func closingFrees() -> [ProgramTrace.Event] {
    var frees: [ProgramTrace.Event] = []
    for run in 0..<runs.count {
      for piece in runs.livePieces(of: run) {
        frees.append(
          ProgramTrace.Event(
            run: UInt32(run), offset: piece.lowerBound, pageCount: UInt32(piece.count), thread: 0,
            kind: .free, isFromCache: false))
      }
    }
    return frees
  }

  /// The header, whose counts are those of the events.
  func checkedHeader(_ lines: HeaderLines) throws(TraceFormatError) -> ProgramTrace.Header {
    try lines.expect("page_size", 8192)
    try lines.expect("arena_limit_pages", Self.pageLimit)
    try lines.expect("events", UInt64(events.count))
    try lines.expect("allocs", count(of: .allocate))
    try lines.expect("frees", count(of: .free))
    try lines.expect("resizes", count(of: .resize))
    try lines.expect("purges", count(of: .purge))
    try lines.expect("peak_live_pages", peakPages)
    try lines.expect("end_live_pages", livePages)
    try lines.expect("total_alloc_pages", allocatedPages)
    if isGo { try lines.expect("cache_allocs", cacheCount) }
    // Not used here, but every trace has them.
    _ = try lines.value("version")
    _ = try lines.value("command")
    _ = try lines.value("arch")
    return ProgramTrace.Header(
      name: try lines.text("name"), kind: try lines.text("kind"),
      program: try lines.text("program"), eventCount: events.count,
      allocationCount: runs.count, freeCount: Int(count(of: .free)),
      resizeCount: Int(count(of: .resize)), purgeCount: Int(count(of: .purge)),
      threadCount: Int(threadCount), peakLivePages: Int(peakPages),
      endLivePages: Int(livePages), allocatedPages: allocatedPages)
  }

  private func count(of kind: ProgramTrace.EventKind) -> UInt64 { counts[Int(kind.rawValue)] }
}

// MARK: - One kind of event each

extension EventParser {
  /// `a <id> <npages> <thread>`, and `c` at the end for one from a cache.
  private mutating func allocation(
    _ line: inout Line
  ) throws(TraceFormatError) -> ProgramTrace.Event {
    let run = try number(&line, "the run")
    guard run == UInt64(runs.count) else {
      throw line.error("run \(run) is out of order, \(runs.count) is next")
    }
    let pageCount = try pageCount(&line)
    let thread = try thread(&line)
    var isFromCache = false
    if isGo, !line.isAtEnd {
      try line.expect("c")
      isFromCache = true
      cacheCount += 1
    }
    runs.add(pageCount: pageCount)
    livePages += UInt64(pageCount)
    allocatedPages += UInt64(pageCount)
    return ProgramTrace.Event(
      run: UInt32(run), offset: 0, pageCount: pageCount, thread: thread, kind: .allocate,
      isFromCache: isFromCache)
  }

  /// `f` or `p <id> <offset> <npages> <thread>`.
  private mutating func part(
    _ kind: ProgramTrace.EventKind, _ line: inout Line
  ) throws(TraceFormatError) -> ProgramTrace.Event {
    let (run, size) = try liveRun(&line)
    let offset = try number(&line, "the offset")
    let pageCount = try pageCount(&line)
    guard offset < UInt64(size), UInt64(pageCount) <= UInt64(size) - offset else {
      throw line.error(
        "run \(run) has \(size) pages: no \(pageCount) at \(offset)")
    }
    let start = UInt32(offset)
    let pages = start..<start + pageCount
    guard runs.isLive(pages, of: run) else {
      throw line.error("not all of the \(pageCount) pages at \(start) of run \(run) are live")
    }
    let thread = try thread(&line)
    if kind == .free {
      runs.free(pages, of: run)
      livePages -= UInt64(pageCount)
    }
    return ProgramTrace.Event(
      run: UInt32(run), offset: start, pageCount: pageCount, thread: thread, kind: kind,
      isFromCache: false)
  }

  /// `r <id> <npages> <thread>`.
  private mutating func resize(_ line: inout Line) throws(TraceFormatError) -> ProgramTrace.Event {
    let (run, size) = try liveRun(&line)
    let pageCount = try pageCount(&line)
    guard runs.isWhole(run) else {
      throw line.error("run \(run) cannot be resized, a part of it was freed")
    }
    guard pageCount != size else { throw line.error("run \(run) has \(size) pages already") }
    let thread = try thread(&line)
    runs.resize(run, to: pageCount)
    livePages = livePages - UInt64(size) + UInt64(pageCount)
    if pageCount > size { allocatedPages += UInt64(pageCount - size) }
    return ProgramTrace.Event(
      run: UInt32(run), offset: 0, pageCount: pageCount, thread: thread, kind: .resize,
      isFromCache: false)
  }
}

// MARK: - Fields

extension EventParser {
  private func number(_ line: inout Line, _ what: String) throws(TraceFormatError) -> UInt64 {
    let field = try line.field(what)
    guard let value = field.plainDecimal else {
      throw line.error("\(what) is no plain decimal number: \(field.quoted)")
    }
    return value
  }

  /// A run that is live, and its size.
  private func liveRun(
    _ line: inout Line
  ) throws(TraceFormatError) -> (run: Int, size: UInt32) {
    let run = try number(&line, "the run")
    guard let size = runs.size(of: run) else { throw line.error("run \(run) is not live") }
    return (Int(run), size)
  }

  private func pageCount(_ line: inout Line) throws(TraceFormatError) -> UInt32 {
    let count = try number(&line, "the number of pages")
    guard count >= 1, count <= Self.pageLimit else {
      throw line.error("\(count) pages are not in 1...\(Self.pageLimit)")
    }
    return UInt32(count)
  }

  private func thread(_ line: inout Line) throws(TraceFormatError) -> UInt16 {
    let thread = try number(&line, "the thread")
    guard thread < threadCount else {
      throw line.error("there is no thread \(thread), only \(threadCount)")
    }
    return UInt16(thread)
  }
}
