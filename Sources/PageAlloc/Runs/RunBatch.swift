import SysMem

/// Runs to be given back together: up to 64, in any order.
package struct RunBatch {
  /// The pages of all.
  package private(set) var pageCount = 0
  // First page and length of each, packed so that they sort by page.
  private var runs = BoundedArray<UInt64, 64>(filler: 0)

  /// No runs.
  package init() {}

  /// How many runs there are.
  package var count: Int { runs.count }

  /// Whether no run more fits.
  package var isFull: Bool { runs.isFull }

  /// Forgets all runs.
  package mutating func removeAll() {
    runs.removeAll()
    pageCount = 0
  }

  /// Adds a run.
  ///
  /// - Precondition: the batch is not full.
  package mutating func add(_ page: PageNumber, _ pageCount: Int) {
    runs.append(UInt64(page) &<< 32 | UInt64(pageCount))
    self.pageCount += pageCount
  }

  /// Sorts by page: a batch is short, and often sorted already.
  mutating func sort() {
    var index = 1
    while index < count {
      let run = runs[index]
      var hole = index
      while hole > 0, runs[hole - 1] > run {
        runs[hole] = runs[hole - 1]
        hole -= 1
      }
      runs[hole] = run
      index += 1
    }
  }

  /// A run by its place in the batch.
  @inline(__always)
  subscript(index: Int) -> (page: PageNumber, pageCount: Int) {
    let run = runs[index]
    return (Int(truncatingIfNeeded: run &>> 32), Int(truncatingIfNeeded: run & 0xffff_ffff))
  }
}
