extension PageAllocator {
  /// What an aligned run must satisfy: (`phase` + its first page) is a multiple of `pages`.
  package struct Alignment {
    /// A power of two; 1 for none.
    package let pages: Int
    /// The page number of offset 0 in the unit of addresses, modulo `pages`.
    package let phase: Int

    /// An alignment to `pages` pages, in a space that starts at `phase`.
    package init(pages: Int, phase: Int) {
      self.pages = pages
      self.phase = phase & (pages - 1)
    }

    /// The lowest aligned page that is not below `page`.
    @inline(__always)
    package func roundUp(_ page: PageNumber) -> PageNumber {
      ((page &+ phase &+ pages &- 1) & ~(pages &- 1)) &- phase
    }
  }

  /// Only looks: where `pageCount` free pages in a row start at an aligned page.
  ///
  /// Tries the place of an unaligned run, then a run with room to spare; only then it walks from
  /// run to run.
  /// - Parameter searchLimit: how many runs to walk over at the most.
  /// - Returns: `nil` where there is none, or none was found in so many steps.
  /// - Complexity: O(`searchLimit` × chunks) at the worst, O(1) as a rule.
  package mutating func findAligned(
    _ pageCount: Int, _ alignment: Alignment, searchLimit: Int
  ) -> PageNumber? {
    guard var page = look(for: pageCount)?.page else { return nil }
    if alignment.roundUp(page) == page { return page }
    if let roomy = look(for: pageCount + alignment.pages - 1) {
      return alignment.roundUp(roomy.page)
    }
    for _ in 0..<searchLimit {
      guard let next = lowestRun(pageCount, notBelow: alignment.roundUp(page)) else { return nil }
      if alignment.roundUp(next) == next { return next }
      page = next
    }
    return nil
  }

  /// Whether all pages of a range are grown and free.
  package func isFree(_ page: PageNumber, _ pageCount: Int) -> Bool {
    guard isGrown(page, pageCount) else { return false }
    var free = true
    forEachChunk(of: page, pageCount) { chunk, places in
      if !chunks.data(chunk).allocated.bits.isAllZeros(in: places) { free = false }
    }
    return free
  }

  /// The first page of a range that is not free, all of which is grown; `nil` where all are.
  package func firstInUse(_ page: PageNumber, _ pageCount: Int) -> PageNumber? {
    var found: PageNumber?
    forEachChunk(of: page, pageCount) { chunk, places in
      if found != nil { return }
      found = chunks.data(chunk).allocated.bits.firstOne(in: places)
        .map { Geometry.firstPage(of: chunk) + $0 }
    }
    return found
  }

  /// Free pages in a row that end right below the first page of `chunk`.
  ///
  /// - Complexity: O(free chunks below / 8).
  package func freePages(below chunk: ChunkIndex) -> Int {
    var run = 0
    var index = chunk - 1
    while index >= Geometry.growableChunks.lowerBound {
      // Eight chunks at one look, where they are free as a whole: those of an entry one level up.
      let eight = 1 << Geometry.childrenLog
      if index & (eight - 1) == eight - 1,
        summaries.entry(level: Geometry.leafLevel - 1, index: index >> Geometry.childrenLog).end
          == eight << Geometry.chunkPagesLog
      {
        run += eight << Geometry.chunkPagesLog
        index -= eight
        continue
      }
      let end = summaries.leaf(index).end
      run += end
      if end < Geometry.pagesPerChunk { break }
      index -= 1
    }
    return run
  }

  /// The lowest run of `pageCount` free pages that starts at `page` or above.
  ///
  /// - Complexity: O(chunks above).
  package func lowestRun(_ pageCount: Int, notBelow page: PageNumber) -> PageNumber? {
    var chunk = Geometry.chunk(of: page)
    if chunk >= endChunk { return nil }
    let place = Geometry.place(of: page)
    var run = 0
    if summaries.leaf(chunk).packed != 0 {
      let bits = chunks.data(chunk).allocated
      if let found = bits.find(pageCount, notBelow: place) {
        return Geometry.firstPage(of: chunk) + found
      }
      run = min(summaries.leaf(chunk).end, Geometry.pagesPerChunk - place)
    }
    chunk += 1
    while chunk < endChunk {
      let sum = summaries.leaf(chunk)
      let base = Geometry.firstPage(of: chunk)
      if run + sum.start >= pageCount { return base - run }
      if sum.max >= pageCount {
        guard let found = chunks.data(chunk).allocated.find(pageCount, from: 0) else {
          corrupted(
            "a summary promises a run that its chunk does not have", Geometry.firstPage(of: chunk))
        }
        return base + found.first
      }
      run = sum.start == Geometry.pagesPerChunk ? run + sum.start : sum.end
      chunk += 1
    }
    return nil
  }
}
