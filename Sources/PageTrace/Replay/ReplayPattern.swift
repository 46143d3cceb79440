/// What a replay writes into its pages: 1,024 words that no other page of any run has, so that a
/// page given out twice, moved, lost or zeroed is noticed wherever that happens in it.
///
/// Word `i` of page `p` of run `r` is `seed(r, p) + i * step`, modulo 2^64. The seed mixes all
/// bits of both numbers and is never the same for two pages; `step` is odd, so all the words of a
/// page differ. One addition makes the next word, which the optimiser turns into vector stores
/// and loads.
enum ReplayPattern {
  static let wordsPerPage = 1024
  private static let step: UInt64 = 0x9e37_79b9_7f4a_7c15

  /// The first word of a page: the finaliser of SplitMix64, which maps different inputs to
  /// different outputs.
  @inline(__always)
  static func seed(run: UInt32, page: UInt32) -> UInt64 {
    // Wrapping arithmetic is meant: a bijection on 64-bit words.
    var z = (UInt64(run) << 32 | UInt64(page)) &+ step
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// Word `index` of the page with this seed.
  static func word(_ index: Int, seed: UInt64) -> UInt64 { seed &+ UInt64(index) &* step }

  /// Writes all words of a page.
  ///
  /// - Precondition: `page` is the start of 8 KiB of memory that the caller owns.
  @unsafe
  static func fill(_ page: UnsafeMutablePointer<UInt64>, seed: UInt64) {
    var value = seed
    for index in 0..<wordsPerPage {
      // Invariant: the caller owns all `wordsPerPage` words from `page`.
      unsafe page[index] = value
      value = value &+ step
    }
  }

  /// Reads all words of a page.
  ///
  /// - Returns: The first word that is not as `fill` left it, or nil.
  /// - Precondition: as for `fill`.
  @unsafe
  static func firstDifference(_ page: UnsafeMutablePointer<UInt64>, seed: UInt64) -> Int? {
    // Collecting the differences without a branch keeps the loop a vector loop.
    var value = seed
    var difference: UInt64 = 0
    for index in 0..<wordsPerPage {
      // Invariant: the caller owns all `wordsPerPage` words from `page`.
      unsafe difference |= page[index] ^ value
      value = value &+ step
    }
    if difference == 0 { return nil }
    // Invariant: as above.
    return (0..<wordsPerPage).first { unsafe page[$0] != word($0, seed: seed) }
  }
}
