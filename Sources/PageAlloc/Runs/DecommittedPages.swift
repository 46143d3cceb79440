// Which pages nobody can access, since nothing backs them
// =======================================================
//
//   a run of 12 pages      | memory | decommitted | memory |
//   bits                     0 0 0    1 1 1 1 1 1   0 0 0
//
// A bit a page, which stays with the page when its run is split or joined. The run's owner, who
// alone changes the bits of its pages, keeps a mark that there may be some (RunTraits.decommitted).
// Words are shared with neighbours: the heap lock guards them.

/// The pages in use that were decommitted.
package struct DecommittedPages {
  private let words: MappedTable<UInt64>

  /// Bytes that it takes.
  package static let byteCount = Geometry.pageCount / 8
  /// Bytes a chunk.
  static let bytesPerChunk = Geometry.pagesPerChunk / 8

  /// A view of the memory at an address.
  ///
  /// - Precondition: ``byteCount`` bytes, zero at first, of which nobody else has a view.
  @unsafe @inline(__always)
  init(at address: UInt) {
    unsafe words = MappedTable(at: address, count: Geometry.pageCount / 64)
  }

  /// Adds pages.
  ///
  /// - Returns: how many of them were not there.
  /// - Complexity: O(pages / 64); so below.
  package func insert(_ pages: Range<PageNumber>) -> Int {
    let count = count(in: pages)
    forEachWord(of: pages) { words[$0] |= $1 }
    return pages.count - count
  }

  /// Takes pages out, as far as they are there.
  package func remove(_ pages: Range<PageNumber>) {
    // Where there are none the memory may be untouched, and stays so.
    forEachWord(of: pages) { if words[$0] & $1 != 0 { words[$0] &= ~$1 } }
  }

  /// How many of some pages are there.
  package func count(in pages: Range<PageNumber>) -> Int {
    var count = 0
    forEachWord(of: pages) { count += (words[$0] & $1).nonzeroBitCount }
    return count
  }

  /// The first pages in a row that are there, of those in a range.
  ///
  /// - Returns: `nil` where none is.
  package func first(in pages: Range<PageNumber>) -> Range<PageNumber>? {
    guard let start = first(in: pages, flipping: 0) else { return nil }
    let end = first(in: start..<pages.upperBound, flipping: .max)
    return start..<(end ?? pages.upperBound)
  }

  /// The first page whose bit is set, or, with all bits flipped, is not.
  private func first(in pages: Range<PageNumber>, flipping flip: UInt64) -> PageNumber? {
    var page = pages.lowerBound
    while page < pages.upperBound {
      let count = min(64 - page & 63, pages.upperBound - page)
      let found = (words[page >> 6] ^ flip) & mask(from: page & 63, count: count)
      if found != 0 { return page & ~63 + found.trailingZeroBitCount }
      page += count
    }
    return nil
  }

  /// Calls `body` with the place of each word that has bits of some pages, and these.
  @inline(__always)
  private func forEachWord(of pages: Range<PageNumber>, _ body: (Int, UInt64) -> Void) {
    var page = pages.lowerBound
    while page < pages.upperBound {
      let count = min(64 - page & 63, pages.upperBound - page)
      body(page >> 6, mask(from: page & 63, count: count))
      page += count
    }
  }
}
