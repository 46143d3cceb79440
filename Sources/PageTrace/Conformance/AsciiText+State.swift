import PageAlloc

// How the allocator's values are written in these files.

extension AsciiText {
  /// Writes a page number; the sentinel "no page" is `max`.
  mutating func append(page: PageNumber) {
    if page >= Geometry.pageCount {
      append("max")
    } else {
      append(page)
    }
  }

  /// Writes an amount of pages in bytes.
  mutating func append(bytesOf pageCount: Int) {
    append(PageSpace.byteCount(of: pageCount) as UInt64)
  }

  /// Writes `START MAX END`.
  mutating func append(_ summary: PallocSum) {
    append(summary.start)
    append(" ")
    append(summary.max)
    append(" ")
    append(summary.end)
  }

  /// Writes the eight words of a map, with commas between.
  mutating func append(map: PageBits) {
    for index in 0..<8 {
      if index > 0 { append(",") }
      append(word: map.word(index))
    }
  }

  /// Writes a cursor of the scavenge index: a page number, and `m` if it is marked.
  mutating func append(_ cursor: ScavengeCursor) {
    append(cursor.page)
    if cursor.isMarked { append("m") }
  }

  /// Writes the part that `cursors` and `state` lines have in common.
  mutating func append(cursorsOf index: borrowing ScavengeIndex) {
    append("bg=")
    append(index.backgroundCursor)
    append(" force=")
    append(index.forceCursor)
    append(" hwm=")
    append(index.highWater)
    append(" gen=")
    append(UInt64(index.generation))
  }
}
