/// How a replay is done.
package struct ReplayOptions {
  /// How much of every page is written and checked.
  package enum Checking {
    /// Every byte.
    case everyByte
    /// One word a page: enough to make the memory resident.
    case oneWord
    /// Nothing: the pages' memory is not touched.
    case nothing
  }

  package var checking: Checking
  /// Whether to wait, at most a minute, for what the source gives back by itself after the last
  /// free.
  package var awaitsReturn: Bool

  package init(checking: Checking = .everyByte, awaitsReturn: Bool = false) {
    self.checking = checking
    self.awaitsReturn = awaitsReturn
  }
}

/// Why a replay stopped.
package struct ReplayError: Error, Equatable {
  /// The line of the trace whose event failed; nil when it was not an event of the file.
  package let line: Int?
  package let reason: String

  // By bytes: Embedded Swift has no tables for comparing strings otherwise.
  package static func == (one: ReplayError, other: ReplayError) -> Bool {
    one.line == other.line && one.reason.utf8.elementsEqual(other.reason.utf8)
  }
}

/// What a replay found.
///
/// The times: `elapsedNanoseconds` is the wall-clock time of all events and closing frees, with
/// everything the replay itself does to write, check and copy pages, but without its sampling of
/// memory. The allocator's own time comes from timing single calls with a monotonic clock, whose
/// own cost is taken off: every call when one word a page is checked, and one call in sixteen,
/// chosen at random, when every byte is. In the latter case the caches hold the replay's pages,
/// not the allocator's tables, so the calls take longer.
package struct ReplayReport: Equatable {
  /// Events of the file, and the frees added at its end.
  package var eventCount = 0
  package var closingFreeCount = 0
  package var elapsedNanoseconds: UInt64 = 0
  package var allocateCalls = CallTimes()
  package var freeCalls = CallTimes()

  package var bytesWritten: UInt64 = 0
  package var bytesChecked: UInt64 = 0

  /// The most pages that were live at once, as the trace says; a resize by moving needs more for
  /// a moment.
  package var peakLivePages = 0
  /// Resident bytes of the process, see `ResidentMemory`: before the pages' source was made, the
  /// most seen, after all was freed and the source was let give back what it does by itself, and
  /// after it was asked to give back the rest. Nil where the kernel does not say, or nobody waited.
  package var residentBefore: UInt64?
  package var residentPeak: UInt64?
  package var residentReturned: UInt64?
  package var residentAfter: UInt64?

  /// The source's own figures when the most pages were live, and after all was given back.
  package var usageAtPeak = PageUsage()
  package var usageAfter = PageUsage()
  /// The most ready bytes that were seen.
  package var peakReadyBytes: UInt64 = 0
  /// How long memory went back by itself after the last free.
  package var returnNanoseconds: UInt64 = 0
  /// What `releaseFreeMemory` said at the end.
  package var releasedBytes: UInt64 = 0

  package init() {}

  package var operationCount: Int { eventCount + closingFreeCount }

  /// The part of the free pages that is outside the longest free run, when the most pages are
  /// live: 0 when the free pages are one run, near 1 when they are crumbs. 0 when none is free.
  package var fragmentation: Double {
    let freePages = usageAtPeak.freeBytes / 8192
    return freePages == 0 ? 0 : 1 - Double(usageAtPeak.largestFreeRun) / Double(freePages)
  }

  /// The most ready bytes for each byte live at the peak: 1 is perfect. 0 without events.
  package var footprint: Double {
    peakLivePages == 0 ? 0 : Double(peakReadyBytes) / (Double(peakLivePages) * 8192)
  }

  /// Wall-clock nanoseconds for an operation, with writing and checking.
  package var nanosecondsPerOperation: Double {
    operationCount == 0 ? 0 : Double(elapsedNanoseconds) / Double(operationCount)
  }
}
