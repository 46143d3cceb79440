/// Runs that were freed, and that the kernel would not make plain memory again: nobody gets them
/// until it does. To the allocator they are in use.
package struct Limbo {
  private var runs = InlineArray<64, Range<PageNumber>>(repeating: 0..<0)
  /// How many runs there are.
  package private(set) var count = 0
  /// Pages of all runs for which there was room.
  package private(set) var pageCount = 0
  /// Pages of runs for which there was no room: in use until the arena ends.
  package private(set) var strandedPages = 0

  /// No runs.
  package init() {}

  /// Keeps a run.
  package mutating func put(_ run: Range<PageNumber>) {
    guard count < runs.count else {
      strandedPages += run.count
      return
    }
    runs[count] = run
    count += 1
    pageCount += run.count
  }

  /// Takes the run that came last, to try again; `nil` where there is none.
  package mutating func take() -> Range<PageNumber>? {
    if count == 0 { return nil }
    count -= 1
    pageCount -= runs[count].count
    return runs[count]
  }
}
