/// A set of chunks.
package struct ChunkSet {
  // Bit i of word j: chunk 64 j + i.
  private var words = InlineArray<16, UInt64>(repeating: 0)

  /// No chunks.
  package init() {}

  /// Whether a chunk is in the set.
  package func contains(_ chunk: ChunkIndex) -> Bool {
    assert(chunk >= 0 && chunk < Geometry.chunkCount)
    // In range, by the assertion. A checked access would copy the whole array to read from it.
    return unsafe words[unchecked: chunk >> 6] &>> UInt64(truncatingIfNeeded: chunk & 63) & 1 != 0
  }

  /// Puts chunks in.
  package mutating func insert(_ chunks: Range<ChunkIndex>) {
    for chunk in chunks { words[chunk >> 6] |= 1 &<< UInt64(truncatingIfNeeded: chunk & 63) }
  }

  /// The lowest chunks, from one on, that are next to each other in the set; `nil` for none.
  package func firstRange(from chunk: ChunkIndex) -> Range<ChunkIndex>? {
    firstRange(in: chunk..<Geometry.chunkCount)
  }

  /// The lowest chunks of a range that are next to each other in the set; `nil` for none.
  package func firstRange(in chunks: Range<ChunkIndex>) -> Range<ChunkIndex>? {
    var first = chunks.lowerBound
    while first < chunks.upperBound, !contains(first) { first += 1 }
    if first == chunks.upperBound { return nil }
    var end = first
    while end < chunks.upperBound, contains(end) { end += 1 }
    return first..<end
  }
}
