/// A page of 8 KiB by its number: offset in the 32-bit space ÷ 8,192.
@usableFromInline
package typealias PageNumber = Int

/// A chunk of 512 pages by its number: page number ÷ 512.
package typealias ChunkIndex = Int

/// Every constant of the 32-bit geometry, once.
///
/// An offset of 32 bits, cut along the radix tree:
/// ```
///   31 | 30 29 28 | 27 26 25 | 24 23 22 | 21 ......... 13 | 12 ........ 0
///   L0 |    L1    |    L2    |    L3    | page in a chunk | byte in a page
/// ```
/// Level 3 has one entry a chunk. Offsets are kept as page numbers, since 2^32 itself, the end of
/// the space, does not fit the word of a 32-bit host.
@usableFromInline
package enum Geometry {
  /// log2 of the page size.
  @inlinable package static var pageShift: Int { 13 }
  /// Bytes in a page.
  package static let pageSize = 1 << pageShift
  /// log2 of the bytes in a chunk.
  package static let chunkShift = 22
  /// log2 of the pages in a chunk.
  package static let chunkPagesLog = chunkShift - pageShift
  /// Pages in a chunk.
  package static let pagesPerChunk = 1 << chunkPagesLog
  /// Bytes in a chunk.
  package static let chunkByteCount = 1 << chunkShift
  /// Chunks in the space. The first and the last are never used.
  package static let chunkCount = 1 << (32 - chunkShift)
  /// Pages in the space; as a search address it stands for "nothing free is known".
  @inlinable package static var pageCount: Int { 1 << (32 &- pageShift) }
  /// Chunks that may be grown: all but the first and the last.
  package static let growableChunks = 1..<(chunkCount - 1)

  /// Pages in a page cache, and bits in a word of a bitmap.
  package static let pagesPerCache = 64
  /// 64-bit words in one bitmap of a chunk.
  package static let wordsPerChunk = pagesPerChunk / 64
  /// From so many pages in use on, a chunk counts as dense and is not scavenged in the background.
  package static let densePages = 496

  /// Levels of the summary tree; level 0 is the root, the last has an entry a chunk.
  package static let summaryLevels = 4
  /// The last level.
  package static let leafLevel = summaryLevels - 1
  /// log2 of the children of an entry.
  package static let childrenLog = 3

  /// Bits of the offset that choose an entry among those of its block: 1, 3, 3, 3.
  package static func levelBits(_ level: Int) -> Int { level == 0 ? 1 : childrenLog }

  /// Where those bits start in the offset: 31, 28, 25, 22.
  package static func levelShift(_ level: Int) -> Int {
    // In 22 ... 31 for the levels there are.
    31 &- childrenLog &* level
  }

  /// log2 of the pages an entry covers: 18, 15, 12, 9.
  package static func levelLogPages(_ level: Int) -> Int { levelShift(level) &- pageShift }

  /// Entries in a level: 2, 16, 128, 1024.
  package static func entryCount(_ level: Int) -> Int { 2 << (childrenLog &* level) }

  /// Entries in the levels above a level: 0, 2, 18, 146; where the level starts in one array.
  package static func firstEntry(_ level: Int) -> Int {
    // The sum of a geometric series: 2 · (8^level − 1) / 7.
    2 &* ((1 << (childrenLog &* level)) &- 1) / 7
  }

  /// Where the first child of an entry lies in that array, from where the entry lies.
  package static func firstChild(of position: Int) -> Int {
    // Eight children each, and the entries of the root are nobody's.
    position << childrenLog &+ entryCount(0)
  }

  /// Where the parent of an entry below the root lies.
  package static func parent(of position: Int) -> Int {
    (position &- entryCount(0)) >> childrenLog
  }

  /// Entries in all levels: 1,170.
  package static let summaryEntryCount = 2 * ((1 << (childrenLog * summaryLevels)) - 1) / 7

  /// The page at an address, in a space that starts at the address `base`.
  @inlinable package static func page(at address: UInt, from base: UInt) -> PageNumber {
    PageSpace(base: base).page(at: address)
  }

  /// The address of a page, in a space that starts at the address `base` and whose end does not
  /// wrap.
  @inlinable package static func address(of page: PageNumber, from base: UInt) -> UInt {
    PageSpace(base: base).address(of: page)
  }

  /// The pages of so many chunks.
  package static func pageCount(ofChunks count: Int) -> Int { count << chunkPagesLog }

  /// The chunk a page lies in.
  package static func chunk(of page: PageNumber) -> ChunkIndex { page >> chunkPagesLog }

  /// The chunks that pages lie in.
  package static func chunks(of pages: Range<PageNumber>) -> Range<ChunkIndex> {
    let first = chunk(of: pages.lowerBound)
    return pages.isEmpty ? first..<first : first..<(chunk(of: pages.upperBound &- 1) &+ 1)
  }

  /// Where in its chunk a page lies.
  package static func place(of page: PageNumber) -> Int { page & (pagesPerChunk &- 1) }

  /// The first page of a chunk.
  package static func firstPage(of chunk: ChunkIndex) -> PageNumber { chunk << chunkPagesLog }

  /// Whether an address of the space can be asked to be a multiple of so many bytes: of a power of
  /// two, less than the whole space.
  package static func isAlignment(_ byteCount: Int) -> Bool {
    byteCount > 0 && byteCount & (byteCount &- 1) == 0
      && PageSpace.pageCount(in: byteCount) < pageCount
  }

  /// The equations between the constants; all must hold on every host.
  package static func equationsHold() -> Bool {
    var bits = 0
    for level in 0..<summaryLevels {
      bits += levelBits(level)
      guard levelShift(level) == 32 - bits else { return false }
      guard levelLogPages(level) == levelShift(level) - pageShift else { return false }
      guard entryCount(level) == 1 << bits else { return false }
      guard firstEntry(level + 1) == firstEntry(level) + entryCount(level) else { return false }
    }
    return levelShift(leafLevel) == chunkShift
      && entryCount(leafLevel) == chunkCount
      && firstEntry(summaryLevels) == summaryEntryCount
      && pagesPerChunk == wordsPerChunk * 64
      && pageCount == 524_288
  }
}
