/// The packed summaries of all levels: a handle on them, which fits a register; copying it copies
/// no summaries.
@safe
package struct SummaryEntries {
  // Invariant: 1,170 words that outlive the handle; the owner of the tree serialises access.
  private let words: UnsafeMutablePointer<UInt64>

  /// The entries in `words`.
  package init(words: UnsafeMutablePointer<UInt64>) { unsafe self.words = words }

  /// An entry by where it lies among those of all levels.
  @inline(__always)
  package subscript(position: Int) -> PallocSum {
    get {
      assert(position >= 0 && position < Geometry.summaryEntryCount)
      // In range, by the assertion above: callers derive the position from a page number.
      return unsafe PallocSum(packed: words[position])
    }
    nonmutating set {
      assert(position >= 0 && position < Geometry.summaryEntryCount)
      // In range, as above.
      unsafe words[position] = newValue.packed
    }
  }
}
