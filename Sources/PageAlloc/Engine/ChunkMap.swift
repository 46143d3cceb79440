/// The chunks' own records, one after the other, in memory that somebody else owns.
///
/// ```
///   word 0 ... 7     pages in use
///   word 8 ... 15    pages scavenged
/// ```
/// The table is indexed by the chunk's number in the whole 32-bit space, so that it needs no
/// search. The part of it that belongs to chunks never grown need not be mapped.
@safe
package struct ChunkMap {
  // Invariant: the records of grown chunks are mapped and outlive the map.
  private let words: UnsafeMutablePointer<UInt64>

  private static let wordsPerRecord = PallocData.wordCount
  /// Bytes a chunk.
  package static let bytesPerChunk = wordsPerRecord * MemoryLayout<UInt64>.size
  /// Bytes of the whole table.
  package static let byteCount = Geometry.chunkCount * bytesPerChunk

  /// A table in `storage`, zero where it is mapped.
  package init(storage: UnsafeMutablePointer<UInt64>) {
    unsafe words = storage
  }

  /// The maps of a chunk.
  @inline(__always)
  package func data(_ chunk: ChunkIndex) -> PallocData {
    assert(chunk >= 0 && chunk < Geometry.chunkCount)
    // In range, by the assertion; callers have checked that the chunk is grown.
    return unsafe PallocData(words: words + chunk &* Self.wordsPerRecord)
  }
}
