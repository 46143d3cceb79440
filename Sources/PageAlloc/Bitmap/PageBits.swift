/// A view of a chunk's 512 bits, one a page, in memory that somebody else owns.
///
/// ```
///   word 0              word 1                     word 7
///   page 0 ... 63       64 ... 127      ...        448 ... 511      bit 0 is the lowest page
/// ```
/// It is a handle, not a container: copying it copies no bits. The indexes that come in are proven
/// by the callers (a place in a chunk is masked to 9 bits) and checked in debug builds.
@safe
package struct PageBits {
  // Invariant: points at 8 words that outlive the view; the owner of the view serialises access.
  private let words: UnsafeMutablePointer<UInt64>

  /// A view of the 8 words from `words` on.
  @inline(__always)
  package init(words: UnsafeMutablePointer<UInt64>) {
    unsafe self.words = words
  }

  /// Word `index`, pages 64 · `index` and up.
  @inline(__always)
  package func word(_ index: Int) -> UInt64 {
    assert(index >= 0 && index < Geometry.wordsPerChunk)
    // In range, by the assertion above.
    return unsafe words[index]
  }

  /// All words.
  @inline(__always)
  var lanes: WordLanes {
    // The 8 words that are there; nothing aligns them to more than a word.
    unsafe UnsafeRawPointer(words).loadUnaligned(as: WordLanes.self)
  }

  /// Replaces word `index`.
  @inline(__always)
  package func setWord(_ index: Int, _ value: UInt64) {
    assert(index >= 0 && index < Geometry.wordsPerChunk)
    // In range, by the assertion above.
    unsafe words[index] = value
  }

  /// Whether the bit of page `place` is one.
  @inline(__always)
  package func contains(_ place: Int) -> Bool {
    word(place >> 6) &>> UInt64(truncatingIfNeeded: place & 63) & 1 != 0
  }

  /// Sets the bits of a range.
  @inline(__always)
  package func insert(_ range: Range<Int>) {
    update(range) { $0 | $1 }
  }

  /// Clears the bits of a range.
  @inline(__always)
  package func remove(_ range: Range<Int>) {
    update(range) { $0 & ~$1 }
  }

  /// Makes all words the same.
  @inline(__always)
  package func setAllWords(_ value: UInt64) {
    for index in 0..<Geometry.wordsPerChunk { setWord(index, value) }
  }

  /// How many of all bits are one; quick where all are alike.
  @inline(__always)
  package var count: Int {
    var ones: UInt64 = 0
    var zeros: UInt64 = 0
    for index in 0..<Geometry.wordsPerChunk {
      ones |= word(index)
      zeros |= ~word(index)
    }
    if ones == 0 { return 0 }
    return zeros == 0 ? Geometry.pagesPerChunk : count(in: 0..<Geometry.pagesPerChunk)
  }

  /// How many bits of a range are one.
  @inline(__always)
  package func count(in range: Range<Int>) -> Int {
    var total = 0
    forEachWord(of: range) { total &+= (word($0) & $1).nonzeroBitCount }
    return total
  }

  /// The lowest bit of a range that is one; `nil` where none is.
  package func firstOne(in range: Range<Int>) -> Int? {
    var index = range.lowerBound >> 6
    var bits = word(index) & (~0 &<< UInt64(range.lowerBound & 63))
    while bits == 0 {
      index += 1
      if index << 6 >= range.upperBound { return nil }
      bits = word(index)
    }
    let place = index << 6 + bits.trailingZeroBitCount
    return place < range.upperBound ? place : nil
  }

  /// Whether all bits of a range are one.
  @inline(__always)
  package func isAllOnes(in range: Range<Int>) -> Bool {
    var zeros: UInt64 = 0
    forEachWord(of: range) { zeros |= ~word($0) & $1 }
    return zeros == 0
  }

  /// Whether all bits of a range are zero.
  @inline(__always)
  package func isAllZeros(in range: Range<Int>) -> Bool {
    var ones: UInt64 = 0
    forEachWord(of: range) { ones |= word($0) & $1 }
    return ones == 0
  }

  @inline(__always)
  private func update(_ range: Range<Int>, _ change: (UInt64, UInt64) -> UInt64) {
    forEachWord(of: range) { setWord($0, change(word($0), $1)) }
  }

  /// Calls `body` with each word that a range touches and the bits of it that lie in the range.
  @inline(__always)
  private func forEachWord(of range: Range<Int>, _ body: (Int, UInt64) -> Void) {
    assert(range.lowerBound >= 0 && range.upperBound <= Geometry.pagesPerChunk)
    if range.isEmpty { return }
    let first = range.lowerBound >> 6
    let last = (range.upperBound &- 1) >> 6
    let low = ~0 &<< UInt64(truncatingIfNeeded: range.lowerBound & 63)
    let high = ~0 &>> UInt64(truncatingIfNeeded: 63 &- ((range.upperBound &- 1) & 63))
    if first == last {
      body(first, low & high)
      return
    }
    body(first, low)
    var index = first &+ 1
    while index < last {
      body(index, ~0)
      index &+= 1
    }
    body(last, high)
  }
}
