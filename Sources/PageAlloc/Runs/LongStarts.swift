// Where long runs start
// =====================
//
// A run of more than 127 pages is as long as a block of 128, so that at most one starts in each. A
// bit a block says whether one does, a bit a word of those whether any does, and a byte a block
// where: the nearest start below any page is three looks away.
//
//   page     ... | block 4: run A ..... | block 5 | block 6: .. run B | ...
//   blocks            1                     0           1
//   places           17                                90
//
// Runs that were handed out have a bit, and those of caches and of the depot, which are nobody's
// but may be handed out again without the lock. The heap lock guards it.

/// The first pages of all runs of more than 127 pages.
struct LongStarts {
  /// The bits of 64 blocks each; at ``wordCount``, those of the words.
  private let words: MappedTable<UInt64>
  /// Where the run of a block starts in it.
  private let places: MappedTable<UInt8>

  private static var blockLog: Int { 7 }
  private static var blockCount: Int { Geometry.pageCount >> blockLog }
  private static var wordCount: Int { blockCount >> 6 }
  /// Bytes of all bits, in front of the places; and of the places of a chunk.
  static let bitsByteCount = 8 * (wordCount + 1)
  static let placesPerChunk = Geometry.pagesPerChunk >> blockLog
  /// Bytes that it takes: the bits of blocks, one word of bits of words, the places.
  static let byteCount = bitsByteCount + blockCount

  /// A view of the memory at an address.
  ///
  /// - Precondition: ``byteCount`` bytes, zero at first, of which nobody else has a view.
  @unsafe @inline(__always)
  init(at address: UInt) {
    unsafe words = MappedTable(at: address, count: Self.wordCount + 1)
    unsafe places = MappedTable(at: address + UInt(8 * words.count), count: Self.blockCount)
  }

  /// Adds the start of a run.
  func insert(_ page: PageNumber) {
    let block = page >> Self.blockLog
    places[block] = UInt8(page & (1 << Self.blockLog - 1))
    words[block >> 6] |= 1 &<< UInt64(block & 63)
    words[Self.wordCount] |= 1 &<< UInt64(block >> 6)
  }

  /// Takes the start of a run out, if it is there.
  func remove(_ page: PageNumber) {
    let block = page >> Self.blockLog
    words[block >> 6] &= ~(1 &<< UInt64(block & 63))
    if words[block >> 6] == 0 {
      words[Self.wordCount] &= ~(1 &<< UInt64(block >> 6))
    }
  }

  /// The highest start that is not above a page; `nil` where there is none.
  ///
  /// - Parameter page: a page of the space, or -1.
  /// - Complexity: O(1).
  func last(upTo page: PageNumber) -> PageNumber? {
    if page < 0 { return nil }
    let block = page >> Self.blockLog
    if words[block >> 6] &>> UInt64(block & 63) & 1 != 0 {
      let start = start(in: block)
      if start <= page { return start }
    }
    // All bits below a place, which may be 0.
    let below = words[block >> 6] & ((1 &<< UInt64(block & 63)) &- 1)
    if below != 0 { return start(in: block & ~63 | (63 - below.leadingZeroBitCount)) }
    let others = words[Self.wordCount] & ((1 &<< UInt64(block >> 6)) &- 1)
    if others == 0 { return nil }
    let index = 63 - others.leadingZeroBitCount
    // The word is not zero, as its bit says.
    let bits = words[index]
    return start(in: index << 6 | (63 - bits.leadingZeroBitCount))
  }

  private func start(in block: Int) -> PageNumber {
    let place = places[block]
    return block << Self.blockLog | Int(place)
  }
}
