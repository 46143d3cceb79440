// Whole huge pages
// ================
//
// The kernel backs an aligned unit of 2 MiB, as a rule, by one huge page where it may. Taking a
// part of such a unit back splits the page: what stays of it is slower to use from then on. So,
// where memory goes back bit by bit, units that are free as a whole go first, and units of which
// nearly all is in use are left alone. The engine knows nothing of either; it keeps its rules,
// which are those of the Go runtime.
//
//   unit      |################|########.#######|................|####............|
//             in use           dense: kept      free: goes first  next, by the engine

extension PageAllocator {
  /// Pages of the units that are dealt with as a whole; 0 for none.
  ///
  /// A unit is a part of a chunk, made of whole words of its maps.
  var pagesPerUnit: Int {
    let pages = kernelPages.pagesPerHugePage
    return pages >= 64 && pages <= Geometry.pagesPerChunk ? pages : 0
  }

  /// One past the highest page that is worth a look in a mode.
  func searchEnd(_ mode: ScavengeMode) -> PageNumber {
    let cursor =
      mode == .background ? scavengeIndex.backgroundCursor : scavengeIndex.forceCursor
    return cursor.page == 0 ? 0 : cursor.page &+ 1
  }

  /// Takes whole units that are free and hold something out of reach, to be given back.
  ///
  /// - Parameters:
  ///   - end: only units below this page are looked at; afterwards, where to go on. 0: there are
  ///     none.
  ///   - pages: how many are wanted; rounded up to units.
  ///   - mode: in the background, what the scavenge index says is to be left alone is.
  /// - Returns: units next to each other in one chunk, which ``reattach(_:scavenged:)`` must
  ///   follow; `nil` where none was found among the next 64 chunks.
  /// - Complexity: O(chunks looked at), 64 at the most.
  mutating func detachUnits(
    below end: inout PageNumber, _ pages: Int, _ mode: ScavengeMode
  ) -> Range<PageNumber>? {
    let unit = pagesPerUnit
    if unit == 0 { end = 0 }
    for _ in 0..<64 where end > 0 {
      let chunk = Geometry.chunk(of: end &- 1)
      if chunk < max(startChunk, 1) {
        end = 0
        break
      }
      let base = Geometry.firstPage(of: chunk)
      if summaries.leaf(chunk).max >= unit,
        scavengeIndex.record(chunk).isReady(generation: scavengeIndex.generation, mode: mode),
        let places = chunks.data(chunk).wholeUnits(below: end &- base, unit, atMost: pages)
      {
        let run = (base &+ places.lowerBound)..<(base &+ places.upperBound)
        end = run.lowerBound
        detach(run)
        return run
      }
      end = base
    }
    return nil
  }

  /// Free pages that hold something, with those on either side of them in the same units that
  /// nothing was written to: where the kernel backs a unit as a whole, it backs these too.
  ///
  /// - Complexity: O(1); 8 words.
  func widened(_ run: Range<PageNumber>) -> Range<PageNumber> {
    let unit = pagesPerUnit
    if unit == 0 { return run }
    let chunk = Geometry.chunk(of: run.lowerBound)
    let base = Geometry.firstPage(of: chunk)
    let places = chunks.data(chunk).widened(
      (run.lowerBound &- base)..<(run.upperBound &- base), unit)
    return (base &+ places.lowerBound)..<(base &+ places.upperBound)
  }

  /// The words of a chunk's maps that lie in units of which nearly all is in use.
  ///
  /// - Parameter freePer1024: so many free pages a unit may have, per 1,024 in use, to be dense.
  fileprivate func denseWords(of chunk: ChunkIndex, freePer1024: Int) -> UInt8 {
    let unit = pagesPerUnit
    if unit == 0 { return 0 }
    let allocated = chunks.data(chunk).allocated.bits
    var words: UInt8 = 0
    for first in stride(from: 0, to: Geometry.pagesPerChunk, by: unit) {
      let inUse = allocated.count(in: first..<(first &+ unit))
      if (unit &- inUse) &* 1024 <= inUse &* freePer1024 {
        words |= UInt8(truncatingIfNeeded: ((1 << (unit >> 6)) &- 1) << (first >> 6))
      }
    }
    return words
  }
}

/// The units that a pass leaves alone, since nearly all of each is in use.
///
/// A unit is dense when its free pages are within the headroom of those in use. All dense units
/// together thus keep no more than the headroom, which stays resident anyway.
struct DenseUnits {
  /// Free pages per 1,024 in use; `nil`: no unit is left alone.
  private let freePer1024: Int?
  // The chunk that was looked at last, as it was then: while a pass has pages of it in hand, they
  // do not count as free.
  private var chunk: ChunkIndex = 0
  private var words: UInt8 = 0

  /// No units.
  static let none = DenseUnits(freePer1024: nil)

  /// Units with so many free pages per 1,024 in use, or fewer.
  init(freePer1024: Int?) { self.freePer1024 = freePer1024 }

  /// Bit i: word i of the chunk's maps lies in such a unit.
  mutating func words(of chunk: ChunkIndex, _ allocator: borrowing PageAllocator) -> UInt8 {
    guard let freePer1024 else { return 0 }
    if chunk != self.chunk {
      self.chunk = chunk
      words = allocator.denseWords(of: chunk, freePer1024: freePer1024)
    }
    return words
  }
}

extension PallocData {
  /// The highest units that are all free and not scavenged, next to each other.
  ///
  /// - Parameters:
  ///   - end: they lie below this place.
  ///   - unit: pages of a unit, a power of two.
  ///   - pages: no more units than this needs.
  fileprivate func wholeUnits(below end: Int, _ unit: Int, atMost pages: Int) -> Range<Int>? {
    func isWhole(_ first: Int) -> Bool {
      let places = first..<(first &+ unit)
      return allocated.bits.isAllZeros(in: places) && scavenged.isAllZeros(in: places)
    }
    var upper = end & ~(unit &- 1)
    while upper > 0, !isWhole(upper &- unit) { upper &-= unit }
    if upper == 0 { return nil }
    var lower = upper &- unit
    while lower > 0, upper &- lower < pages, isWhole(lower &- unit) { lower &-= unit }
    return lower..<upper
  }

  /// Places, and those next to them on either side, in the same units, that are free and scavenged.
  ///
  /// - Parameter unit: pages of a unit: 64 or more, a power of two.
  package func widened(_ places: Range<Int>, _ unit: Int) -> Range<Int> {
    var lower = places.lowerBound
    let floor = lower & ~(unit &- 1)
    while lower > floor {
      // Ones at the pages below, from the top down.
      let gap = 64 &- (lower &- 1) & 63 &- 1
      let run = (~(empty((lower &- 1) >> 6) &<< UInt64(truncatingIfNeeded: gap)))
        .leadingZeroBitCount
      lower &-= run
      if run == 0 || lower & 63 != 0 { break }
    }
    var upper = places.upperBound
    let ceiling = (upper &+ unit &- 1) & ~(unit &- 1)
    while upper < ceiling {
      let run = (~(empty(upper >> 6) &>> UInt64(truncatingIfNeeded: upper & 63)))
        .trailingZeroBitCount
      upper &+= run
      if run == 0 || upper & 63 != 0 { break }
    }
    return lower..<upper
  }

  /// Ones at pages that are free and scavenged.
  @inline(__always)
  private func empty(_ word: Int) -> UInt64 {
    ~allocated.bits.word(word) & scavenged.word(word)
  }
}
