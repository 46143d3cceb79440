import Synchronization

// Runs of more than 127 pages that an owner keeps at hand: eight for each power of two, matched by
// size.
//
//   level 0    128 ... 255 pages    | run | run |   |   |   |   |   |   |
//   level 1    256 ... 511          | run |   | ...
//   ...
//   level 11   262,144 ... 524,287

/// The long runs of a cache. Who may touch the cache may touch them.
package struct LongRuns: ~Copyable {
  private var counts = InlineArray<12, UInt8>(repeating: 0)
  private var runs = InlineArray<96, LongRun>(repeating: LongRun(page: 0, pageCount: 0))

  /// The pages of all: read by the statistics at any time.
  package let pageCount = Atomic<Int>(0)
  /// The pages that there may be.
  package private(set) var capacity = 0

  /// No runs, and room for none.
  package init() {}

  private static var levels: Int { 12 }
  /// Runs a level.
  private static var depth: Int { 8 }

  private struct LongRun {
    var page: UInt32
    var pageCount: UInt32
  }

  /// Takes a run of just so many pages: more than 127, or more than there are.
  ///
  /// - Parameter fits: whether a run may be taken, by its first page.
  @inline(__always)
  package mutating func take(_ pages: Int, where fits: (PageNumber) -> Bool) -> PageNumber? {
    if pages >= Geometry.pageCount { return nil }
    let level = Self.level(of: pages)
    // In range: a level is 0 ... 11, and a count 0 ... 8; so below. A checked access would copy the
    // whole array to read from it.
    let count = Int(unsafe counts[unchecked: level])
    let first = level &* Self.depth
    var index = first &+ count
    while index > first {
      index &-= 1
      let run = unsafe runs[unchecked: index]
      if Int(run.pageCount) == pages, fits(Int(run.page)) {
        unsafe runs[unchecked: index] = runs[unchecked: first &+ count &- 1]
        unsafe counts[unchecked: level] = UInt8(truncatingIfNeeded: count &- 1)
        add(0 &- pages)
        return Int(run.page)
      }
    }
    return nil
  }

  /// Puts a run of more than 127 pages by.
  ///
  /// - Returns: `false`, with nothing changed, where there is no room.
  package mutating func put(_ page: PageNumber, _ pages: Int) -> Bool {
    let level = Self.level(of: pages)
    let count = Int(unsafe counts[unchecked: level])
    if count == Self.depth || pageCount.load(ordering: .relaxed) &+ pages > capacity {
      return false
    }
    unsafe runs[unchecked: level &* Self.depth &+ count] = LongRun(
      page: UInt32(truncatingIfNeeded: page), pageCount: UInt32(truncatingIfNeeded: pages))
    unsafe counts[unchecked: level] = UInt8(truncatingIfNeeded: count &+ 1)
    add(pages)
    return true
  }

  /// Takes all out.
  package mutating func drain(_ body: (_ page: PageNumber, _ pages: Int) -> Void) {
    var level = Self.levels
    while level > 0 {
      level &-= 1
      while unsafe counts[unchecked: level] > 0 {
        unsafe counts[unchecked: level] &-= 1
        let index = unsafe level &* Self.depth &+ Int(counts[unchecked: level])
        let run = unsafe runs[unchecked: index]
        add(0 &- Int(run.pageCount))
        body(Int(run.page), Int(run.pageCount))
      }
    }
  }

  /// Forgets all.
  package mutating func forget() {
    counts = InlineArray(repeating: 0)
    pageCount.store(0, ordering: .relaxed)
  }

  /// Makes room for so many pages more, if that is within a limit.
  package mutating func raiseCapacity(for pages: Int, limit: Int) {
    let wanted = pageCount.load(ordering: .relaxed) &+ pages
    capacity = CacheBudget.raised(capacity, .long, toHold: wanted, most: limit)
  }

  /// Allows none, when all was taken out.
  package mutating func resetCapacity() { capacity = 0 }

  @inline(__always)
  private static func level(of pages: Int) -> Int {
    Int.bitWidth &- 8 &- pages.leadingZeroBitCount
  }

  @inline(__always)
  private borrowing func add(_ pages: Int) {
    pageCount.store(pageCount.load(ordering: .relaxed) &+ pages, ordering: .relaxed)
  }
}
