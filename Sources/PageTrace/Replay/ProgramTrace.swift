/// What a real program asked of a page allocator: the events of a `#pagetrace 1` file.
///
/// Only the parser makes one, and it proves that the events fit together: ids count from zero,
/// whatever is freed, purged or resized is live at that time, and at most `pageLimit` pages are
/// live at once. A replay relies on that and checks nothing of it again.
///
/// The events are kept as they stand in the file, 16 bytes each; line `firstEventLine + i` of the
/// file is event `i`.
package struct ProgramTrace {
  /// The most pages that may be live at once: an arena of 4 GiB.
  package static let pageLimit = 524_288

  package let header: Header
  package let events: [Event]
  /// The frees that the file does not list: of everything still live after the last event, by run
  /// and then by offset.
  package let closingFrees: [Event]
  /// The first event after which the most pages are live; nil without events.
  package let peakEvent: Int?
  /// The line of the first event, counted from 1.
  package let firstEventLine: Int

  /// How many allocations there are; the runs are `0 ..< runCount`.
  package var runCount: Int { header.allocationCount }

  init(
    header: Header, events: [Event], closingFrees: [Event], peakEvent: Int?, firstEventLine: Int
  ) {
    self.header = header
    self.events = events
    self.closingFrees = closingFrees
    self.peakEvent = peakEvent
    self.firstEventLine = firstEventLine
  }
}

extension ProgramTrace {
  /// What an event does; the letter is the one of its line.
  package enum EventKind: UInt8 {
    /// `a`: a new run of `pageCount` pages.
    case allocate
    /// `f`: pages `offset ..< offset + pageCount` of the run go back.
    case free
    /// `r`: the run has `pageCount` pages from now on, and may move.
    case resize
    /// `p`: the contents of pages `offset ..< offset + pageCount` are not needed any more.
    case purge
  }

  /// One event. Units are pages of 8 KiB.
  package struct Event: Equatable {
    /// The run's id; ids count allocations from 0.
    package let run: UInt32
    /// The first page, counted from the run's own start; 0 for `allocate` and `resize`.
    package let offset: UInt32
    /// How many pages: at least 1, at most `pageLimit`.
    package let pageCount: UInt32
    /// The thread that asked, counted from 0.
    package let thread: UInt16
    package let kind: EventKind
    /// In traces of Go programs: an allocation that came from a page cache, without the lock.
    package let isFromCache: Bool
  }
}
