import PageAlloc

/// Writes the whole state of an allocator in full, as the blocks of a trace file hold it.
enum StateDump {
  /// What the lines of a `dump` block look like.
  static let forms = [
    ResultForm(" state start=n end=n search=p"),
    ResultForm(" range n n"),
    ResultForm(" chunk n alloc=W scav=W index=w"),
    ResultForm(" lens n n n n"),
    ResultForm(" sum n n w n n n"),
  ]

  /// Writes a `dump` block, with the line that closes it.
  static func writeAll(of allocator: borrowing PageAllocator, to text: inout AsciiText) {
    text.append(" state start=")
    text.append(allocator.startChunk)
    text.append(" end=")
    text.append(allocator.endChunk)
    text.append(" search=")
    text.append(page: allocator.searchPage)
    text.append("\n")
    for index in 0..<allocator.ranges.count {
      let range = allocator.ranges[index]
      text.append(" range ")
      text.append(UInt64(range.lowerBound) / UInt64(Geometry.pagesPerChunk))
      text.append(" ")
      text.append(UInt64(range.upperBound) / UInt64(Geometry.pagesPerChunk))
      text.append("\n")
    }
    for chunk in allocator.startChunk..<max(allocator.startChunk, allocator.endChunk)
    where allocator.isGrown(chunk) {
      write(chunk, of: allocator, to: &text)
    }
    text.append(" lens")
    for level in 0..<Geometry.summaryLevels {
      text.append(" ")
      text.append(allocator.summaries.length(level: level))
    }
    text.append("\n")
    for level in 0..<Geometry.summaryLevels {
      for entry in 0..<Geometry.entryCount(level) {
        let summary = allocator.summaries.entry(level: level, index: entry)
        if summary.packed != 0 { write(summary, level: level, entry: entry, to: &text) }
      }
    }
    text.append("enddump\n")
  }

  /// Writes a `tree` block, all entries of the inner levels, with the line that closes it.
  static func writeTree(of allocator: borrowing PageAllocator, to text: inout AsciiText) {
    for level in 0..<Geometry.summaryLevels - 1 {
      for entry in 0..<Geometry.entryCount(level) {
        let summary = allocator.summaries.entry(level: level, index: entry)
        write(summary, level: level, entry: entry, to: &text)
      }
    }
    text.append("endtree\n")
  }

  private static func write(
    _ chunk: ChunkIndex, of allocator: borrowing PageAllocator, to text: inout AsciiText
  ) {
    let maps = allocator.chunk(chunk)
    text.append(" chunk ")
    text.append(chunk)
    text.append(" alloc=")
    text.append(map: maps.allocated.bits)
    text.append(" scav=")
    text.append(map: maps.scavenged)
    text.append(" index=")
    text.append(word: allocator.scavengeIndex.record(chunk).packed)
    text.append("\n")
  }

  private static func write(
    _ summary: PallocSum, level: Int, entry: Int, to text: inout AsciiText
  ) {
    text.append(" sum ")
    text.append(level)
    text.append(" ")
    text.append(entry)
    text.append(" ")
    text.append(word: summary.packed)
    text.append(" ")
    text.append(summary)
    text.append("\n")
  }
}
