/// What is known of one run: a record of fixed size in the tables of ``CheckedRuns``.
package struct RunNote: BitwiseCopyable {
  /// What has become of the run.
  package enum State: UInt8, BitwiseCopyable {
    /// The note is nobody's.
    case none
    /// In use, or some of it.
    case inUse
    /// Freed, and on its way into the quarantine.
    case leaving
    /// Freed, and out of reach.
    case quarantined
    /// Freed, and free to be handed out again.
    case free
  }

  /// What keeps others out of a run in quarantine.
  package enum Fence: UInt8, BitwiseCopyable {
    /// Nothing: the kernel would not, or the run does not consist of whole pages of its.
    case none
    /// Markers in the page tables.
    case markers
    /// Access rights, or something half done: only fresh memory undoes it.
    case access
  }

  package var state = State.none
  package var fence = Fence.none
  /// The kernel has the contents.
  package var isZero = false
  /// The pages of the run, as it was allocated or freed.
  package var firstPage: UInt32 = 0
  package var pageCount: UInt32 = 0
  /// How many of them are still in use and told by this note.
  package var livePages: UInt32 = 0
  /// The next in a list: of notes that are nobody's, or of freed runs.
  package var next: UInt32 = 0
  /// Who allocated it.
  package var allocation = Trace()
  /// Who freed it.
  package var end = Trace()

  /// Nobody's.
  package init() {}

  /// The pages.
  package var pages: Range<PageNumber> { Int(firstPage)..<Int(firstPage &+ pageCount) }
}
