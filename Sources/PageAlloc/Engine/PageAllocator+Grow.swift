extension PageAllocator {
  /// Adds chunks that were never added before, as if they had just been freed and scavenged.
  ///
  /// - Precondition: they lie in `Geometry.growableChunks`, and the chunk map is mapped for them.
  /// - Complexity: O(chunks).
  package mutating func grow(_ added: Range<ChunkIndex>) {
    requireUnknown(added)
    sysGrow(added)
    if startChunk == 0 || added.lowerBound < startChunk { startChunk = added.lowerBound }
    endChunk = max(endChunk, added.upperBound)

    let page = Geometry.firstPage(of: added.lowerBound)
    let pageCount = Geometry.pageCount(ofChunks: added.count)
    // Page numbers have 19 bits.
    ranges.add(
      UInt32(truncatingIfNeeded: page)..<UInt32(truncatingIfNeeded: page + pageCount))
    lowerSearchPage(to: page)
    for chunk in added { chunks.data(chunk).scavenged.insert(0..<Geometry.pagesPerChunk) }
    update(page, pageCount, areInnerFree: true)
  }

  /// Makes the tables long enough for chunks to come.
  package mutating func sysGrow(_ added: Range<ChunkIndex>) {
    summaries.sysGrow(added)
    scavengeIndex.sysGrow(lowestChunk: added.lowerBound)
  }

  /// Marks a range of fresh pages as in use and, at once, as scavenged: room that is never handed
  /// out.
  package mutating func pad(_ page: PageNumber, _ pageCount: Int) {
    _ = allocateRange(page, pageCount)
    forEachChunk(of: page, pageCount) { chunk, places in
      chunks.data(chunk).scavenged.insert(places)
    }
  }
}
