/// How large the runs of a trace are, and how long they live.
///
/// Sizes are pages of 8 KiB, lifetimes are events between a run's allocation and the free of its
/// last page. Both are counted in classes of powers of two: class `k` holds 2^k ... 2^(k+1) - 1. A
/// run that is resized counts with the size that it was allocated with; a run that is live at the
/// end has no lifetime.
package struct TraceProfile: Equatable {
  /// A class of sizes or lifetimes.
  package struct Class: Equatable {
    /// How many runs are in it.
    package var runs = 0
    /// The pages that these runs were allocated with.
    package var pages: UInt64 = 0
  }

  /// By size, from one page on; as far as there are runs.
  package private(set) var sizes: [Class] = []
  /// By lifetime, from one event on; as far as there are runs.
  package private(set) var lifetimes: [Class] = []
  /// Runs that are live at the end.
  package private(set) var live = Class()
  /// All runs.
  package private(set) var all = Class()
  /// The median of all sizes in pages, and of the lifetimes; 0 where there are none.
  package private(set) var medianSize = 0
  package private(set) var medianLifetime = 0
  /// The largest size in pages, and the longest lifetime.
  package private(set) var largestSize = 0
  package private(set) var longestLifetime = 0

  /// - Complexity: O(*n* log *n*) for *n* events.
  package init(_ trace: ProgramTrace) {
    var born = [Int32](repeating: 0, count: trace.runCount)
    var first = [UInt32](repeating: 0, count: trace.runCount)
    var left = [UInt32](repeating: 0, count: trace.runCount)
    var spans: [Int32] = []
    for (index, event) in trace.events.enumerated() {
      let run = Int(event.run)
      switch event.kind {
      case .allocate:
        born[run] = Int32(index)
        first[run] = event.pageCount
        left[run] = event.pageCount
        Self.add(event.pageCount, to: &all)
        Self.add(event.pageCount, to: &sizes, at: Int(event.pageCount))
      case .resize: left[run] = event.pageCount
      case .free:
        left[run] -= event.pageCount
        if left[run] == 0 {
          let span = Int32(index) - born[run]
          spans.append(span)
          Self.add(first[run], to: &lifetimes, at: Int(span))
        }
      case .purge: break
      }
    }
    for run in left.indices where left[run] > 0 { Self.add(first[run], to: &live) }
    first.sort()
    spans.sort()
    if let last = first.last {
      medianSize = Int(first[first.count / 2])
      largestSize = Int(last)
    }
    if let last = spans.last {
      medianLifetime = Int(spans[spans.count / 2])
      longestLifetime = Int(last)
    }
  }

  private static func add(_ pages: UInt32, to count: inout Class) {
    count.runs += 1
    count.pages += UInt64(pages)
  }

  /// - Parameter value: at least 1.
  private static func add(_ pages: UInt32, to classes: inout [Class], at value: Int) {
    let index = Int.bitWidth - 1 - value.leadingZeroBitCount
    while classes.count <= index { classes.append(Class()) }
    add(pages, to: &classes[index])
  }
}
