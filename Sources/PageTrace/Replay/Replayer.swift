import CSysMem
import PageAlloc
import SysMem

/// Replays a trace on a source of pages, in the order of its lines and on one thread.
///
/// Every page that is given out is written, and is checked to hold what was written before it
/// goes back, when it is moved and when it is purged. After the last event everything still live
/// is checked and freed, and the source is asked to give its free memory back.
///
/// - Parameters:
///   - makeSource: Makes the source of pages, after the resident memory was first read.
///   - progress: Called now and then with the operations done and the operations there are.
/// - Throws: `ReplayError` at the first call that fails and at the first byte that is not as it
///   was written.
package func replay<Source: PageSource>(
  _ trace: ProgramTrace, options: ReplayOptions = ReplayOptions(),
  on makeSource: () throws(Source.Failure) -> Source,
  progress: ((_ done: Int, _ total: Int) -> Void)? = nil
) throws(ReplayError) -> ReplayReport {
  // The replay's own tables are written, and thus resident, before memory is first read.
  var tables = ReplayTables(trace, options)
  let before = ResidentMemory.exact()
  let source: Source
  do {
    source = try makeSource()
  } catch {
    throw ReplayError(line: nil, reason: Source.describe(error))
  }
  var replayer = Replayer(trace: trace, source: source, options: options)
  replayer.report.residentBefore = before
  try replayer.run(&tables, progress)
  return replayer.report
}

/// Where each run is and how large, by id.
struct ReplayTables {
  var addresses: [UInt]
  var sizes: [UInt32]
  var clock: CallClock

  init(_ trace: ProgramTrace, _ options: ReplayOptions) {
    addresses = [UInt](repeating: 0, count: trace.runCount)
    sizes = [UInt32](repeating: 0, count: trace.runCount)
    clock = CallClock(interval: options.checking == .everyByte ? 16 : 1)
  }
}

/// The replay at work.
struct Replayer<Source: PageSource> {
  let trace: ProgramTrace
  let source: Source
  let options: ReplayOptions
  var report = ReplayReport()
  /// The line of the event at hand, for errors; nil after the last one.
  var line: Int?

  init(trace: ProgramTrace, source: Source, options: ReplayOptions) {
    self.trace = trace
    self.source = source
    self.options = options
  }

  mutating func run(
    _ tables: inout ReplayTables, _ progress: ((Int, Int) -> Void)?
  ) throws(ReplayError) {
    let total = trace.events.count + trace.closingFrees.count
    // About a thousand samples a trace.
    let interval = max(64, trace.events.count / 1024)
    var sampling: UInt64 = 0
    let start = Moment.now
    for index in 0..<trace.events.count {
      line = trace.firstEventLine + index
      try perform(trace.events[index], &tables)
      let isPeak = index == trace.peakEvent
      if isPeak || index % interval == 0 {
        let sampleStart = Moment.now
        sample(exactly: isPeak)
        progress?(index, total)
        sampling += Moment.now.elapsed(since: sampleStart)
      }
    }
    line = nil
    for event in trace.closingFrees { try perform(event, &tables) }
    report.elapsedNanoseconds = Moment.now.elapsed(since: start, without: sampling)
    progress?(total, total)

    report.eventCount = trace.events.count
    report.closingFreeCount = trace.closingFrees.count
    report.peakLivePages = trace.header.peakLivePages
    if options.awaitsReturn { awaitReturn() }
    do {
      report.releasedBytes = UInt64(try source.releaseFreeMemory())
    } catch {
      throw failure("the free memory cannot be released: \(Source.describe(error))")
    }
    report.residentAfter = ResidentMemory.exact()
    report.usageAfter = source.usage
    if report.usageAfter.inUseBytes != 0 {
      throw failure("\(report.usageAfter.inUseBytes) bytes are in use after all was freed")
    }
  }

  /// Waits until the source has given back by itself what it will, and looks at what stays.
  private mutating func awaitReturn() {
    let start = Moment.now
    let word: UInt32 = 0
    while source.isReturning, Moment.now.elapsed(since: start) < 60_000_000_000 {
      // A sleep of 10 ms on a word that nobody changes, and that lives as long as the call.
      _ = unsafe withUnsafePointer(to: word) { unsafe csm_futex_wait_for($0, 0, 10_000_000) }
    }
    report.returnNanoseconds = Moment.now.elapsed(since: start)
    report.residentReturned = ResidentMemory.exact()
  }

  mutating func perform(
    _ event: ProgramTrace.Event, _ tables: inout ReplayTables
  ) throws(ReplayError) {
    let run = Int(event.run)
    switch event.kind {
    case .allocate:
      tables.addresses[run] = try take(event.run, 0..<event.pageCount, &tables.clock)
      tables.sizes[run] = event.pageCount
      write(event.run, 0..<event.pageCount, tables.addresses[run])
    case .free:
      let pages = event.offset..<event.offset + event.pageCount
      try check(event.run, pages, tables.addresses[run])
      try giveBack(event.run, pages, tables.addresses[run], &tables.clock)
    case .purge:
      // The arena has no call that discards the contents of pages and keeps the pages. So the
      // pages are as the program would leave them after using them again: checked once more and
      // written anew.
      let pages = event.offset..<event.offset + event.pageCount
      try check(event.run, pages, tables.addresses[run])
      write(event.run, pages, tables.addresses[run])
    case .resize:
      try move(event.run, to: event.pageCount, &tables)
    }
  }

  /// A resize: a new run, the contents copied, the old run freed.
  private mutating func move(
    _ run: UInt32, to newCount: UInt32, _ tables: inout ReplayTables
  ) throws(ReplayError) {
    let oldCount = tables.sizes[Int(run)]
    let old = tables.addresses[Int(run)]
    let new = try take(run, 0..<newCount, &tables.clock)
    // The old run is checked after the new one was given out: they must not overlap.
    try check(run, 0..<oldCount, old)
    let kept = min(oldCount, newCount)
    if options.checking != .nothing {
      // Invariant: both runs are given out and at least `kept` pages long; `take` gave no zero.
      unsafe UnsafeMutableRawPointer(bitPattern: new)!.copyMemory(
        from: UnsafeRawPointer(bitPattern: old)!, byteCount: PageSpace.byteCount(of: Int(kept)))
    }
    write(run, kept..<newCount, new)
    try check(run, 0..<kept, new)
    try giveBack(run, 0..<oldCount, old, &tables.clock)
    tables.addresses[Int(run)] = new
    tables.sizes[Int(run)] = newCount
  }
}

// MARK: - Calls of the source

extension Replayer {
  private mutating func take(
    _ run: UInt32, _ pages: Range<UInt32>, _ clock: inout CallClock
  ) throws(ReplayError) -> UInt {
    let start = clock.start()
    let address: UInt
    do {
      // Invariant: none; an address is only a number until something is written there.
      address = unsafe UInt(bitPattern: try source.takePages(pages.count))
    } catch {
      throw failure("run \(run) of \(pages.count) pages is refused: \(Source.describe(error))")
    }
    clock.stop(start, &report.allocateCalls)
    guard address != 0, PageSpace(base: 0).isStartOfPage(address) else {
      throw failure("run \(run) of \(pages.count) pages is not at a page boundary")
    }
    return address
  }

  private mutating func giveBack(
    _ run: UInt32, _ pages: Range<UInt32>, _ base: UInt, _ clock: inout CallClock
  ) throws(ReplayError) {
    // Invariant: the trace says that these pages of the run are live, so they are given out.
    let first = unsafe UnsafeMutableRawPointer(
      bitPattern: PageSpace(base: base).address(of: Int(pages.lowerBound)))!
    let start = clock.start()
    do {
      unsafe try source.returnPages(first, pages.count)
    } catch {
      throw failure(
        "pages \(pages.lowerBound) to \(pages.upperBound - 1) of run \(run) cannot be freed: "
          + Source.describe(error))
    }
    clock.stop(start, &report.freeCalls)
  }

  private mutating func sample(exactly: Bool) {
    let usage = source.usage
    report.peakReadyBytes = max(report.peakReadyBytes, usage.readyBytes)
    if exactly { report.usageAtPeak = usage }
    if let now = exactly ? ResidentMemory.exact() : ResidentMemory.quick() {
      report.residentPeak = max(report.residentPeak ?? 0, now)
    }
  }

  /// An error of the event at hand.
  func failure(_ reason: String) -> ReplayError { ReplayError(line: line, reason: reason) }
}
