/// A region of pages in one word: free pages at its low edge, longest free run, at its high edge.
///
/// ```
///   63 | 62 ... 54 | 53 ....... 36 | 35 ....... 18 | 17 ....... 0
///    A |     0     |      end      |      max      |    start
/// ```
/// A region of 2^18 pages that is all free has three values that need 19 bits; bit A stands for it.
package struct PallocSum: Equatable, Sendable {
  /// The packed form.
  package var packed: UInt64

  private static let fieldBits = 18
  // Computed: on 32-bit hosts a stored one is set up on first use, which each use then asks for.
  private static var allFree: UInt64 { 1 &<< 63 }

  /// Takes the packed form as it is.
  @inline(__always)
  package init(packed: UInt64) { self.packed = packed }

  /// Packs three page counts.
  ///
  /// - Precondition: each is in 0 ... 2^18, and `max` is the largest.
  @inline(__always)
  package init(start: Int, max: Int, end: Int) {
    if max == 1 << Self.fieldBits {
      packed = Self.allFree
    } else {
      packed =
        UInt64(truncatingIfNeeded: start)
        | UInt64(truncatingIfNeeded: max) &<< 18
        | UInt64(truncatingIfNeeded: end) &<< 36
    }
  }

  /// Nothing free, or never grown.
  @inline(__always)
  package static var none: PallocSum { PallocSum(packed: 0) }

  /// A chunk that is all free.
  @inline(__always)
  package static var freeChunk: PallocSum {
    PallocSum(
      start: Geometry.pagesPerChunk, max: Geometry.pagesPerChunk, end: Geometry.pagesPerChunk)
  }

  /// Free pages at the low edge.
  @inline(__always)
  package var start: Int { field(0) }

  /// The longest run of free pages.
  @inline(__always)
  package var max: Int { field(18) }

  /// Free pages at the high edge.
  @inline(__always)
  package var end: Int { field(36) }

  /// Whether it is that of 2^18 pages, all free.
  @inline(__always)
  var isAllOfRoot: Bool { packed & Self.allFree != 0 }

  /// `start` of an entry below the root, none of which is large enough for bit A.
  @inline(__always)
  var startBelowRoot: Int { Int(truncatingIfNeeded: packed & 0x3_ffff) }

  /// `max` of an entry below the root.
  @inline(__always)
  var maxBelowRoot: Int { Int(truncatingIfNeeded: packed &>> 18 & 0x3_ffff) }

  /// `end` of an entry below the root.
  @inline(__always)
  var endBelowRoot: Int { Int(truncatingIfNeeded: packed &>> 36) }

  /// Whether the free pages at both edges are as many as in another summary.
  @inline(__always)
  func hasEdges(of other: PallocSum) -> Bool {
    (packed ^ other.packed) & ~(0x3_ffff &<< 18) == 0
  }

  @inline(__always)
  private func field(_ shift: UInt64) -> Int {
    if packed & Self.allFree != 0 { return 1 << Self.fieldBits }
    return Int(truncatingIfNeeded: packed &>> shift & 0x3_ffff)
  }
}

/// Neighbouring regions of equal size, put together from low to high.
struct Neighbours {
  private let size: Int
  private var start = -1
  private var longest = 0
  private var run = 0  // free pages up to the high edge

  /// No regions yet, of so many pages each: below the root.
  @inline(__always)
  init(pages size: Int) { self.size = size }

  /// Adds the next one.
  @inline(__always)
  mutating func add(_ sum: PallocSum) {
    let low = sum.startBelowRoot
    run &+= low
    if low == size { return }
    if start < 0 { start = run }
    longest = Swift.max(longest, run, sum.maxBelowRoot)
    run = sum.endBelowRoot
  }

  /// The longest free run of those that were added.
  @inline(__always)
  var longestRun: Int { Swift.max(longest, run) }

  /// The summary of those that were added.
  @inline(__always)
  var sum: PallocSum { PallocSum(start: start < 0 ? run : start, max: longestRun, end: run) }
}

extension PallocSum {
  /// The summary of neighbouring regions of equal size, from low to high.
  ///
  /// - Parameters:
  ///   - count: how many there are, 1 ... 8.
  ///   - logPagesPerChild: log2 of the pages in each, at most 15: each is below the root.
  ///   - child: the summary of one.
  /// - Complexity: O(`count`).
  @inline(__always)
  package static func merge(
    count: Int, logPagesPerChild: Int, child: (Int) -> PallocSum
  ) -> PallocSum {
    var all = Neighbours(pages: 1 &<< logPagesPerChild)
    for index in 0..<count { all.add(child(index)) }
    return all.sum
  }
}
