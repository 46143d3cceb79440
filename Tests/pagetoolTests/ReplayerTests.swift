import Testing

@testable import PageTrace

/// Replaying: the figures of a sound replay, and that a source of pages with a fault is found out.
@Suite struct ReplayerTests {
  static let everyByte = ReplayOptions()
  static let oneWord = ReplayOptions(checking: .oneWord)

  static func run(
    _ text: TraceText, _ fault: FaultyPages.Fault, _ options: ReplayOptions = everyByte
  ) throws -> Result<ReplayReport, ReplayError> {
    let trace = try ProgramTrace(parsing: text.bytes)
    do throws(ReplayError) {
      return .success(
        try replay(
          trace, options: options,
          on: { () throws(FaultyPages.Failure) -> FaultyPages in FaultyPages(fault) }))
    } catch {
      return .failure(error)
    }
  }

  /// What a replay throws.
  static func failure(
    _ text: TraceText, _ fault: FaultyPages.Fault, _ options: ReplayOptions = everyByte
  ) throws -> ReplayError {
    guard case .failure(let error) = try run(text, fault, options) else {
      Issue.record("the fault is not found")
      return ReplayError(line: nil, reason: "")
    }
    return error
  }

  @Test func soundReplay() throws {
    let report = try Self.run(.sample, .none).get()
    #expect(report.eventCount == 13 && report.closingFreeCount == 3)
    // Four runs and two moves; six frees, two moves and three closing frees.
    #expect(report.allocateCalls.count == 6 && report.freeCalls.count == 5 + 2 + 3)
    // Four runs, the growth of run 1, and the purged pages.
    let written = 4 + 1 + 7 + 2 + 4 + 3 + 2
    #expect(report.bytesWritten == UInt64(written * 8192))
    // In the order of the lines, a run that moves in its old place and in its new one, and what is
    // freed at the end.
    let checked = 2 + 3 + 1 + 1 + 1 + 5 + 3 + 1 + 2 + 1 + 2
    #expect(report.bytesChecked == UInt64((checked + 3 + 4 + 2) * 8192))
    #expect(report.peakLivePages == 15 && report.usageAfter.inUseBytes == 0)
    #expect(report.usageAtPeak.inUseBytes == 15 * 8192 && report.usageAfter.metadataBytes == 77)
    #expect(report.releasedBytes == 22 * 8192)
    #expect(report.residentBefore != nil && report.residentAfter != nil)
  }

  @Test func quickReplayTimesEveryCall() throws {
    let report = try Self.run(.sample, .none, Self.oneWord).get()
    #expect(report.allocateCalls.timedCount == 6 && report.freeCalls.timedCount == 10)
    #expect(report.bytesWritten == 23 * 8)
  }

  @Test func emptyTrace() throws {
    let report = try Self.run(TraceText([]), .none).get()
    #expect(report.operationCount == 0 && report.allocateCalls.medianNanoseconds == 0)
    #expect(report.fragmentation == 0 && report.footprint == 0)
    #expect(report.nanosecondsPerOperation == 0)
  }

  static let threeRuns = TraceText(["a 0 2 0", "a 1 2 0", "a 2 1 0", "f 1 0 2 0", "f 0 0 2 0"])

  /// Places in the 2 + 2 pages of the first two runs.
  @Test(arguments: [0, 1, 7, 8, 4095, 4096, 8191, 8192, 12_345, 16_383, 16_384, 24_000, 32_767])
  func everyChangedByteIsFound(place: Int) throws {
    let error = try Self.failure(Self.threeRuns, .changesByte(place))
    let run = place / 16_384
    let header = Self.threeRuns.headerLineCount
    #expect(error.line == header + (run == 1 ? 4 : 5))
    let page = place % 16_384 / 8192
    let byte = place % 8192 / 8 * 8
    #expect(error.reason.contains("page \(page) of run \(run) lost"), "\(error.reason)")
    #expect(error.reason.contains("byte \(byte) "), "\(error.reason)")
  }

  @Test func changeIsFoundInWhatIsLiveAtTheEnd() throws {
    let text = TraceText(["a 0 2 0", "a 1 2 0", "a 2 1 0"])
    let error = try Self.failure(text, .changesByte(8191))
    #expect(error.line == nil && error.reason.contains("page 0 of run 0 lost"))
  }

  @Test func changeIsFoundBeforeAMoveAndAPurge() throws {
    for event in ["r 0 3 0", "r 0 1 0", "p 0 1 1 0"] {
      let text = TraceText(["a 0 2 0", "a 1 2 0", "a 2 1 0", event])
      let error = try Self.failure(text, .changesByte(8192))
      #expect(error.line == text.headerLineCount + 4)
      #expect(error.reason.contains("page 1 of run 0 lost"), "\(error.reason)")
    }
  }

  @Test func overlapIsFound() throws {
    for options in [Self.everyByte, Self.oneWord] {
      let error = try Self.failure(Self.threeRuns, .givesAPageTwice, options)
      #expect(error.reason.contains("page 1 of run 0 lost"), "\(error.reason)")
    }
  }

  @Test func misalignmentIsFound() throws {
    let error = try Self.failure(Self.threeRuns, .misaligns)
    #expect(error.line == Self.threeRuns.headerLineCount + 1)
    #expect(error.reason.contains("page boundary"))
  }

  @Test func failuresOfTheSourceAreNamed() throws {
    let header = Self.threeRuns.headerLineCount
    let refusal = try Self.failure(Self.threeRuns, .refusesThirdRun)
    #expect(refusal.line == header + 3 && refusal.reason.contains("no third run"))
    let free = try Self.failure(Self.threeRuns, .refusesFrees)
    #expect(free.line == header + 4 && free.reason.contains("pages 0 to 1 of run 1"))
    #expect(free.reason.contains("not today"))
    let release = try Self.failure(Self.threeRuns, .refusesRelease)
    #expect(release.line == nil && release.reason.contains("kept"))
    let leak = try Self.failure(Self.threeRuns, .forgetsAFree)
    #expect(leak.line == nil && leak.reason.contains("8192 bytes are in use"))
  }

  @Test func medianOfTimes() {
    var times = CallTimes()
    #expect(times.medianNanoseconds == 0 && times.meanNanoseconds == 0)
    for nanoseconds: UInt64 in [7, 3, 1_000_000] { times.add(nanoseconds) }
    #expect(times.medianNanoseconds == 7 && times.timedCount == 3)
    #expect(times.meanNanoseconds == 1_000_010.0 / 3)
    // Larger ones are known to a sixteenth.
    for nanoseconds in [UInt64(1000), 1 << 40, .max >> 8] {
      var times = CallTimes()
      times.add(nanoseconds)
      let off = times.medianNanoseconds / Double(nanoseconds)
      #expect(off > 15.0 / 16 && off < 17.0 / 16, "\(nanoseconds)")
    }
  }

  @Test func patternsDiffer() {
    var seeds: Set<UInt64> = []
    for run in UInt32(0)..<100 {
      for page in UInt32(0)..<100 { seeds.insert(ReplayPattern.seed(run: run, page: page)) }
    }
    #expect(seeds.count == 10_000)
  }

  @Test func residentMemoryIsRead() throws {
    let exact = try #require(ResidentMemory.exact())
    let quick = try #require(ResidentMemory.quick())
    #expect(exact > 100_000 && quick > 100_000)
  }
}
