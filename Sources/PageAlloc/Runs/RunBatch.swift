/// Runs to be given back together: up to 64, in any order.
package struct RunBatch {
  /// How many runs there are.
  package private(set) var count = 0
  /// The pages of all.
  package private(set) var pageCount = 0
  // First page and length of each, packed so that they sort by page. No `BoundedArray`: the
  // compiler copies one that lies in another value to read from it, which costs 30 instructions a
  // free where sizes vary.
  private var runs = InlineArray<64, UInt64>(repeating: 0)

  /// No runs.
  package init() {}

  /// Whether no run more fits.
  package var isFull: Bool { count == 64 }

  /// Forgets all runs.
  package mutating func removeAll() {
    count = 0
    pageCount = 0
  }

  /// Adds a run.
  ///
  /// - Precondition: the batch is not full.
  package mutating func add(_ page: PageNumber, _ pageCount: Int) {
    precondition(count < 64, "the batch is full")
    self[packed: count] = UInt64(page) &<< 32 | UInt64(pageCount)
    count += 1
    self.pageCount += pageCount
  }

  /// Sorts by page: a batch is short, and often sorted already.
  package mutating func sort() {
    var index = 1
    while index < count {
      let run = self[packed: index]
      var hole = index
      while hole > 0, self[packed: hole - 1] > run {
        self[packed: hole] = self[packed: hole - 1]
        hole -= 1
      }
      self[packed: hole] = run
      index += 1
    }
  }

  /// A run by its place in the batch.
  @inline(__always)
  package subscript(index: Int) -> (page: PageNumber, pageCount: Int) {
    let run = self[packed: index]
    return (Int(truncatingIfNeeded: run &>> 32), Int(truncatingIfNeeded: run & 0xffff_ffff))
  }

  /// One of the runs. A checked access would copy the whole array to read from it.
  @inline(__always)
  private subscript(packed index: Int) -> UInt64 {
    // Callers keep within 0 ..< 64.
    get { unsafe runs[unchecked: index] }
    set { unsafe runs[unchecked: index] = newValue }
  }
}
