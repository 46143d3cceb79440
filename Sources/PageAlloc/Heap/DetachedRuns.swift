/// Runs on their way back to the kernel: in use to the allocator, nobody's to the caller.
///
/// A short list, sorted by address; empty but while somebody gives memory back.
struct DetachedRuns {
  /// Runs that the list has room for.
  static var capacity: Int { 64 }

  // Page numbers have 19 bits. Invariant: sorted, apart from each other; zero from `runCount` on.
  private var runs = InlineArray<64, Range<UInt32>>(repeating: 0..<0)
  /// How many runs there are.
  private(set) var runCount = 0
  /// How many pages they have together.
  private(set) var pageCount = 0

  /// Whether nothing is on its way.
  @inline(__always)
  var isEmpty: Bool { runCount == 0 }

  /// A run by its number, from low addresses to high.
  subscript(index: Int) -> Range<PageNumber> {
    Int(runs[index].lowerBound)..<Int(runs[index].upperBound)
  }

  /// Adds a run.
  ///
  /// - Precondition: there is room, and none of its pages is in the list.
  mutating func insert(_ run: Range<PageNumber>) {
    precondition(runCount < Self.capacity, "too many runs are detached")
    let place = indexOfFirst(endingAbove: run.lowerBound)
    var index = runCount
    while index > place {
      runs[index] = runs[index - 1]
      index -= 1
    }
    runs[place] =
      UInt32(truncatingIfNeeded: run.lowerBound)..<UInt32(truncatingIfNeeded: run.upperBound)
    runCount += 1
    pageCount += run.count
  }

  /// Takes a run out.
  ///
  /// - Precondition: it is in the list, just so.
  mutating func remove(_ run: Range<PageNumber>) {
    var index = indexOfFirst(endingAbove: run.lowerBound)
    if index == runCount || self[index] != run {
      corrupted("a detached run is not in the list", UInt(run.lowerBound))
    }
    runCount -= 1
    pageCount -= run.count
    while index < runCount {
      runs[index] = runs[index + 1]
      index += 1
    }
    runs[runCount] = 0..<0
  }

  /// The number of the first run that goes on above a page.
  private func indexOfFirst(endingAbove page: PageNumber) -> Int {
    var low = 0
    var high = runCount
    while low < high {
      let middle = (low + high) / 2
      if Int(runs[middle].upperBound) > page { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
