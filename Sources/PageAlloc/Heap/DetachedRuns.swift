import SysMem

/// Runs on their way back to the kernel: in use to the allocator, nobody's to the caller.
///
/// A short list, sorted by address; empty but while somebody gives memory back.
package struct DetachedRuns {
  /// Runs that the list has room for.
  package static var capacity: Int { 64 }

  // Page numbers have 19 bits. Invariant: sorted, apart from each other.
  private var runs = BoundedArray<Range<UInt32>, 64>(filler: 0..<0)
  /// How many pages they have together.
  package private(set) var pageCount = 0

  /// No runs.
  package init() {}

  /// How many runs there are.
  package var runCount: Int { runs.count }

  /// Whether nothing is on its way.
  @inline(__always)
  package var isEmpty: Bool { runs.isEmpty }

  /// A run by its number, from low addresses to high.
  package subscript(index: Int) -> Range<PageNumber> {
    Int(runs[index].lowerBound)..<Int(runs[index].upperBound)
  }

  /// Adds a run.
  ///
  /// - Precondition: there is room, and none of its pages is in the list.
  package mutating func insert(_ run: Range<PageNumber>) {
    runs.insert(
      UInt32(truncatingIfNeeded: run.lowerBound)..<UInt32(truncatingIfNeeded: run.upperBound),
      at: indexOfFirst(endingAbove: run.lowerBound))
    pageCount += run.count
  }

  /// Takes a run out.
  ///
  /// - Precondition: it is in the list, just so.
  package mutating func remove(_ run: Range<PageNumber>) {
    let index = indexOfFirst(endingAbove: run.lowerBound)
    if index == runCount || self[index] != run {
      corrupted("a detached run is not in the list", UInt(run.lowerBound))
    }
    runs.remove(at: index)
    pageCount -= run.count
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
