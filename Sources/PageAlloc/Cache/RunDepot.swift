// The middle tier
// ===============
//
// Between the caches, of one owner each, and the allocator, which is everybody's, lies the depot of
// the arena. It keeps free runs as they are, so that neither bitmaps nor summaries change:
//
//   magazines   Where one thread allocates what another one frees, the one's cache is always empty
//               and the other's always full. Half of a full stack comes here, and goes on to the
//               next cache that has none of that size:
//
//               consumer's stack | 32 runs | - 16 -> depot - 16 -> | 0 runs | producer's stack
//
//   long runs   What is too long for a thread's cache is kept whole for whoever asks for just as
//               much next: to give 1 GiB back page by page and take it again costs thousands of
//               words of bitmaps and summaries.
//
// The depot is a store and has no policy: whoever puts something in first evicts what has to give
// way, the oldest first, and gives it back to the allocator. To the allocator all pages in here are
// in use; they are nobody's, and count as free.

/// The free runs that the caches of an arena share: magazines, and long runs.
///
/// It is guarded by whatever guards the arena's bookkeeping.
package struct RunDepot: ~Copyable {
  /// A ring, of which the oldest magazine is `first`.
  private var magazines: InlineArray<32, Magazine>
  private var first = 0
  /// How many magazines there are.
  package private(set) var magazineCount = 0
  /// The pages of all magazines.
  package private(set) var magazinePages = 0

  /// The one that came last comes last.
  private var longRuns = InlineArray<16, LongRun>(repeating: LongRun(page: 0, pageCount: 0))
  /// How many long runs there are.
  package private(set) var longRunCount = 0
  /// The pages of all long runs.
  package private(set) var longRunPages = 0

  private struct LongRun {
    var page: PageNumber
    var pageCount: Int
  }

  /// The most magazines that there may be.
  package static var magazineCapacity: Int { 32 }
  /// The most long runs that there may be.
  package static var longRunCapacity: Int { 16 }

  /// An empty depot.
  package init() {
    magazines = InlineArray(
      repeating: Magazine(of: 0) { _ in CachedRun(page: 0, isZero: false) })
  }

  /// The pages of all that is in it.
  @inline(__always)
  package var pageCount: Int { magazinePages &+ longRunPages }
}

// MARK: - Magazines

extension RunDepot {
  /// Puts a magazine in.
  ///
  /// - Precondition: there are fewer than 32.
  package mutating func put(_ magazine: Magazine) {
    precondition(magazineCount < Self.magazineCapacity, "too many magazines")
    // A slot is 0 ..< 32; so below. A checked access would copy the whole array to read from it.
    unsafe magazines[unchecked: slot(magazineCount)] = magazine
    magazineCount &+= 1
    magazinePages &+= magazine.pageCount
  }

  /// Takes the magazine of a size that came last.
  package mutating func takeMagazine(of size: Int) -> Magazine? {
    var index = magazineCount
    while index > 0 {
      index &-= 1
      let magazine = unsafe magazines[unchecked: slot(index)]
      if magazine.pagesPerRun == size {
        removeMagazine(at: index, magazine.pageCount)
        return magazine
      }
    }
    return nil
  }

  /// Takes out the oldest magazine, where one has to give way.
  ///
  /// - Parameters:
  ///   - pages: those of a magazine that is to come.
  ///   - capacity: pages that all may have, with that one.
  /// - Returns: `nil` where there is room for it, or nothing is left.
  package mutating func evictMagazine(toFit pages: Int, within capacity: Int) -> Magazine? {
    guard magazineCount > 0,
      magazineCount == Self.magazineCapacity || magazinePages &+ pages > capacity
    else { return nil }
    let oldest = unsafe magazines[unchecked: first]
    first = slot(1)
    magazineCount &-= 1
    magazinePages &-= oldest.pageCount
    return oldest
  }

  /// Takes one out; later ones move up.
  private mutating func removeMagazine(at index: Int, _ pages: Int) {
    magazinePages &-= pages
    magazineCount &-= 1
    var hole = index
    while hole < magazineCount {
      unsafe magazines[unchecked: slot(hole)] = magazines[unchecked: slot(hole &+ 1)]
      hole &+= 1
    }
  }

  /// Where a magazine lies; 0 is the oldest.
  private func slot(_ index: Int) -> Int { (first &+ index) & (Self.magazineCapacity &- 1) }
}

// MARK: - Long runs

extension RunDepot {
  /// The pages of the longest run; 0 where there is none.
  package var longestRun: Int {
    var longest = 0
    for index in 0..<longRunCount {
      // 0 ..< count; so below.
      longest = unsafe max(longest, longRuns[unchecked: index].pageCount)
    }
    return longest
  }

  /// Puts a long run in.
  ///
  /// - Precondition: there are fewer than 16.
  package mutating func putLong(_ page: PageNumber, _ pages: Int) {
    precondition(longRunCount < Self.longRunCapacity, "too many long runs")
    unsafe longRuns[unchecked: longRunCount] = LongRun(page: page, pageCount: pages)
    longRunCount &+= 1
    longRunPages &+= pages
  }

  /// Takes the run of just so many pages, at a multiple of an alignment, that came last.
  package mutating func takeLong(
    _ pages: Int, _ alignment: PageAllocator.Alignment
  ) -> PageNumber? {
    var index = longRunCount
    while index > 0 {
      index &-= 1
      let run = unsafe longRuns[unchecked: index]
      if run.pageCount == pages, alignment.roundUp(run.page) == run.page {
        return removeLong(at: index).page
      }
    }
    return nil
  }

  /// Takes out the oldest long run, where one has to give way.
  ///
  /// - Parameters:
  ///   - pages: those of a run that is to come.
  ///   - capacity: pages that all may have, with that one.
  /// - Returns: `nil` where there is room for it, or nothing is left.
  package mutating func evictLong(toFit pages: Int, within capacity: Int) -> Range<PageNumber>? {
    guard longRunCount > 0,
      longRunCount == Self.longRunCapacity || longRunPages &+ pages > capacity
    else { return nil }
    let oldest = removeLong(at: 0)
    return oldest.page..<(oldest.page &+ oldest.pageCount)
  }

  /// Takes one out; later ones move up.
  private mutating func removeLong(at index: Int) -> LongRun {
    let run = unsafe longRuns[unchecked: index]
    longRunCount &-= 1
    longRunPages &-= run.pageCount
    var hole = index
    while hole < longRunCount {
      unsafe longRuns[unchecked: hole] = longRuns[unchecked: hole &+ 1]
      hole &+= 1
    }
    return run
  }
}
