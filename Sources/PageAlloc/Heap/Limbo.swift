/// Runs that were freed, and that the kernel would not make plain memory again: nobody gets them
/// until it does. To the allocator they are in use.
struct Limbo {
  private var runs = InlineArray<64, Range<PageNumber>>(repeating: 0..<0)
  /// How many runs there are.
  private(set) var count = 0
  /// Pages of all runs for which there was room.
  private(set) var pageCount = 0
  /// Pages of runs for which there was no room: in use until the arena ends.
  private(set) var strandedPages = 0

  /// Keeps a run.
  mutating func put(_ run: Range<PageNumber>) {
    guard count < runs.count else {
      strandedPages += run.count
      return
    }
    runs[count] = run
    count += 1
    pageCount += run.count
  }

  /// Takes the run that came last, to try again; `nil` where there is none.
  mutating func take() -> Range<PageNumber>? {
    if count == 0 { return nil }
    count -= 1
    pageCount -= runs[count].count
    return runs[count]
  }
}
