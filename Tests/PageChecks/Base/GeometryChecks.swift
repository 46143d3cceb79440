import PageAlloc

/// The constants of the 32-bit space, and the arithmetic on them.
package let geometryChecks: [Check] = [
  Check("geometry: each table has its published values") { recorder in
    let bits = [1, 3, 3, 3]
    let shifts = [31, 28, 25, 22]
    let logPages = [18, 15, 12, 9]
    let counts = [2, 16, 128, 1024]
    let firsts = [0, 2, 18, 146]
    recorder.expectEqual(Geometry.summaryLevels, 4, "levels")
    for level in 0..<4 {
      recorder.expectEqual(Geometry.levelBits(level), bits[level], "levelBits(\(level))")
      recorder.expectEqual(Geometry.levelShift(level), shifts[level], "levelShift(\(level))")
      recorder.expectEqual(
        Geometry.levelLogPages(level), logPages[level], "levelLogPages(\(level))")
      recorder.expectEqual(Geometry.entryCount(level), counts[level], "entryCount(\(level))")
      recorder.expectEqual(Geometry.firstEntry(level), firsts[level], "firstEntry(\(level))")
    }
  },
  Check("geometry: an entry's position tells its parent's and its first child's") { recorder in
    for level in 0..<3 {
      for index in 0..<Geometry.entryCount(level) {
        let position = Geometry.firstEntry(level) + index
        let first = Geometry.firstEntry(level + 1) + 8 * index
        recorder.expectEqual(Geometry.firstChild(of: position), first, "first child")
        for child in first..<(first + 8) {
          recorder.expectEqual(Geometry.parent(of: child), position, "parent of \(child)")
        }
      }
    }
  },
  Check("geometry: each constant has its published value") { recorder in
    recorder.expectEqual(Geometry.pageSize, 8192, "pageSize")
    recorder.expectEqual(Geometry.chunkByteCount, 4 << 20, "chunkByteCount")
    recorder.expectEqual(Geometry.chunkShift, 22, "chunkShift")
    recorder.expectEqual(Geometry.pagesPerChunk, 512, "pagesPerChunk")
    recorder.expectEqual(Geometry.wordsPerChunk, 8, "wordsPerChunk")
    recorder.expectEqual(Geometry.chunkCount, 1024, "chunkCount")
    recorder.expectEqual(Geometry.pageCount, 524_288, "pageCount")
    recorder.expectEqual(Geometry.pagesPerCache, 64, "pagesPerCache")
    recorder.expectEqual(Geometry.densePages, 496, "densePages")
    recorder.expectEqual(Geometry.summaryEntryCount, 1170, "summaryEntryCount")
    recorder.expectEqual(Geometry.growableChunks.lowerBound, 1, "lowest growable chunk")
    recorder.expectEqual(Geometry.growableChunks.upperBound, 1023, "end of growable chunks")
  },
  Check("geometry: the equations between the constants hold") { recorder in
    recorder.expect(Geometry.equationsHold(), "equationsHold()")
    // The bits of an offset, all spent: four levels, a page in a chunk, a byte in a page.
    var bits = Geometry.chunkPagesLog + Geometry.pageShift
    for level in 0..<Geometry.summaryLevels { bits += Geometry.levelBits(level) }
    recorder.expectEqual(bits, 32, "bits of an offset")
    let space = UInt64(Geometry.pageCount) * UInt64(Geometry.pageSize)
    recorder.expectEqual(space, 1 << 32, "bytes in the space")
  },
  Check("geometry: page and chunk numbers turn into each other, up to both ends") { recorder in
    let ends = [0, 1, 510, 511, 512, 513, 262_143, 262_144, 523_775, 523_776, 524_286, 524_287]
    for page in ends {
      let chunk = Geometry.chunk(of: page)
      let place = Geometry.place(of: page)
      recorder.expectEqual(chunk, page / 512, "chunk of page \(page)")
      recorder.expectEqual(place, page % 512, "place of page \(page)")
      recorder.expectEqual(Geometry.firstPage(of: chunk) + place, page, "page \(page) again")
    }
    recorder.expectEqual(Geometry.firstPage(of: 1023), 523_776, "first page of the last chunk")
    recorder.expectEqual(Geometry.firstPage(of: 1024), Geometry.pageCount, "end of the last chunk")
  },
]
