extension PageAllocator {
  /// The tables contradict each other: writes what they say about a page to standard error, and
  /// traps.
  ///
  /// ```
  /// PageAlloc: corrupted: a page that was handed out is free (page 1536, chunk 3)
  ///   in use    ffffffffffffffff ffffffffffffffff ... 8 words, page by page from the lowest bit
  ///   scavenged 0000000000000000 0000000000000000 ...
  ///   record    512 pages in use, 512 before generation 0
  ///   level 3 entry 3: 512 free at the start, 512 longest, 512 at the end; should be 0, 0, 0
  ///   level 2 entry 0: ...
  ///   runs from page 1520: 00 00 00 00 02 00 ... one byte a page, as in the run table
  ///   grown 1024 pages in 1 piece, chunks 1 to 2; 1000 in use, 24 scavenged; search page 1536
  /// ```
  /// Line by line, so that a table which cannot even be read does not hide the others. Nothing is
  /// allocated and no lock is taken.
  @inline(never)
  func corrupted(_ what: StaticString, _ page: PageNumber) -> Never {
    // Were the page damaged too, the dump would go astray.
    let page = min(max(page, 0), Geometry.pageCount - 1)
    let chunk = Geometry.chunk(of: page)
    var line = DumpLine()
    line.append("PageAlloc: corrupted: ")
    line.append(what)
    line.append(" (page ", page)
    line.append(", chunk ", chunk)
    line.append(")")
    line.write()
    if isGrown(chunk) { dumpBits(chunk, &line) }
    dumpRecord(chunk, &line)
    dumpSummaries(chunk, &line)
    dumpRuns(page, &line)
    dumpFigures(&line)
    fatalError("PageAlloc: corrupted")
  }

  private func dumpBits(_ chunk: ChunkIndex, _ line: inout DumpLine) {
    let data = chunks.data(chunk)
    line.append("  in use   ")
    for index in 0..<Geometry.wordsPerChunk {
      line.append(" ")
      line.append(hex: data.allocated.bits.word(index))
    }
    line.write()
    line.append("  scavenged")
    for index in 0..<Geometry.wordsPerChunk {
      line.append(" ")
      line.append(hex: data.scavenged.word(index))
    }
    line.write()
    dumpDecommitted(chunk, &line)
  }

  private func dumpDecommitted(_ chunk: ChunkIndex, _ line: inout DumpLine) {
    let first = Geometry.firstPage(of: chunk)
    var rest = first..<(first + Geometry.pagesPerChunk)
    while let part = runs.decommitted.first(in: rest) {
      line.append("  decommitted from page ", part.lowerBound)
      line.append(": ", part.count)
      line.write()
      rest = part.upperBound..<rest.upperBound
    }
  }

  private func dumpRecord(_ chunk: ChunkIndex, _ line: inout DumpLine) {
    let record = scavengeIndex.record(chunk)
    line.append("  record    ", record.inUse)
    line.append(" pages in use, ", record.lastInUse)
    line.append(" before generation ")
    line.append(UInt(record.generation))
    line.append(record.hasFree ? ", has free pages" : "")
    line.write()
  }

  private func dumpSummaries(_ chunk: ChunkIndex, _ line: inout DumpLine) {
    for level in stride(from: Geometry.leafLevel, through: 0, by: -1) {
      let index = chunk >> (Geometry.childrenLog * (Geometry.leafLevel - level))
      let sum = summaries.entry(level: level, index: index)
      line.append("  level ", level)
      line.append(" entry ", index)
      line.append(": ", sum.start)
      line.append(" free at the start, ", sum.max)
      line.append(" longest, ", sum.end)
      line.append(" at the end")
      let expected =
        level < Geometry.leafLevel
        ? summaries.mergeOfChildren(level: level, index: index)
        : isGrown(chunk) ? chunks.data(chunk).allocated.summarize() : .none
      if sum != expected {
        line.append("; should be ", expected.start)
        line.append(", ", expected.max)
        line.append(", ", expected.end)
      }
      line.write()
    }
  }

  private func dumpRuns(_ page: PageNumber, _ line: inout DumpLine) {
    let row = page & ~15
    for first in stride(from: max(row - 16, 0), through: row + 16, by: 16)
    where first < Geometry.pageCount {
      line.append("  runs from page ", first)
      line.append(":")
      for page in first..<first + 16 {
        line.append(" ")
        line.append(hex: runs.byte(page))
      }
      line.write()
    }
  }

  /// Counted anew, bit by bit, up to the first range that cannot be.
  private func dumpFigures(_ line: inout DumpLine) {
    var inUse = 0
    var scavenged = 0
    let growable = Geometry.growableChunks
    for index in 0..<min(ranges.count, growable.count) {
      let range = ranges[index]
      let low = Geometry.chunk(of: Int(range.lowerBound))
      let high = Geometry.chunk(of: Int(range.upperBound))
      if low < growable.lowerBound || high > growable.upperBound || high < low { break }
      for chunk in low..<high {
        let data = chunks.data(chunk)
        inUse += data.allocated.bits.count(in: 0..<Geometry.pagesPerChunk)
        scavenged += data.scavenged.count(in: 0..<Geometry.pagesPerChunk)
      }
    }
    line.append("  grown ", Int(ranges.total))
    line.append(" pages in ", ranges.count)
    line.append(ranges.count == 1 ? " piece, chunks " : " pieces, chunks ", startChunk)
    line.append(" to ", endChunk - 1)
    line.append("; ", inUse)
    line.append(" in use, ", scavenged)
    line.append(" scavenged; search page ", searchPage)
    line.write()
  }
}
