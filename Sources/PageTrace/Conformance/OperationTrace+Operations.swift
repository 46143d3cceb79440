import PageAlloc

// One function an operation: read the arguments, check that it can be done, do it, compare.

extension OperationTrace {
  /// `grow C N`
  mutating func grow(_ line: inout Line) throws(TraceFormatError) {
    let first = try line.chunk()
    let last = Geometry.chunkCount - 2
    let count = try line.integer("the number of chunks", in: 1...last - first + 1)
    try line.finish()
    for chunk in first..<first + count where engine.allocator.isGrown(chunk) {
      throw line.error("chunk \(chunk) was added before")
    }
    engine.allocator.grow(first..<first + count)
  }

  /// `alloc N -> P S`, `alloc N -> oom`
  mutating func allocate(_ line: inout Line) throws(TraceFormatError) {
    let pageCount = try line.pageCount()
    try line.expect("->")
    if let run = engine.allocator.allocate(pageCount) {
      comparison.actual.append(run.page)
      comparison.actual.append(" ")
      comparison.actual.append(bytesOf: run.scavengedPages)
    } else {
      comparison.actual.append("oom")
    }
    try comparison.compare(line, form: ResultForm("n n|oom"))
  }

  /// `allocrange P N -> S`
  mutating func allocateRange(_ line: inout Line) throws(TraceFormatError) {
    let pages = try line.pages()
    try line.expect("->")
    guard areAllFree(pages) else {
      return try comparison.refuse(line, "not all of these pages are free")
    }
    let scavengedPages = engine.allocator.allocateRange(pages.lowerBound, pages.count)
    comparison.actual.append(bytesOf: scavengedPages)
    try comparison.compare(line, form: ResultForm("n"))
  }

  /// `pad P N`
  mutating func pad(_ line: inout Line) throws(TraceFormatError) {
    let pages = try line.pages()
    try line.finish()
    guard areAllFree(pages) else {
      return try comparison.refuse(line, "not all of these pages are free")
    }
    engine.allocator.pad(pages.lowerBound, pages.count)
  }

  /// `free P N`
  mutating func free(_ line: inout Line) throws(TraceFormatError) {
    let pages = try line.pages()
    try line.finish()
    guard areAllInUse(pages) else {
      return try comparison.refuse(line, "not all of these pages are in use")
    }
    for slot in slots.indices where isHeld(pages, in: slots[slot]) {
      return try comparison.refuse(line, "some of these pages are in the cache of slot \(slot)")
    }
    engine.allocator.free(pages.lowerBound, pages.count)
  }

  /// `find N -> P Q`, `find N -> none`
  mutating func find(_ line: inout Line) throws(TraceFormatError) {
    let pageCount = try line.pageCount()
    try line.expect("->")
    if let place = engine.allocator.find(pageCount) {
      comparison.actual.append(place.page)
      comparison.actual.append(" ")
      comparison.actual.append(page: place.candidate)
    } else {
      comparison.actual.append("none")
    }
    try comparison.compare(line, form: ResultForm("n p|none"))
  }

  /// `cachealloc K -> P CACHE SCAV`, `cachealloc K -> empty`
  ///
  /// The recorded `cache-fixed.trace` takes four caches into one slot without a flush between.
  /// What the slot still held is then no cache's any more: those pages just stay in use.
  mutating func allocateBlock(_ line: inout Line) throws(TraceFormatError) {
    let slot = try line.integer("the slot", in: 0...slots.count - 1)
    try line.expect("->")
    let cache = engine.allocator.allocateBlock()
    slots[slot] = cache
    if cache.isEmpty {
      comparison.actual.append("empty")
    } else {
      comparison.actual.append(cache.base)
      comparison.actual.append(" ")
      comparison.actual.append(word: cache.free)
      comparison.actual.append(" ")
      comparison.actual.append(word: cache.scavenged)
    }
    try comparison.compare(line, form: ResultForm("n w w|empty"))
  }

  /// `cachetake K N -> P S`, `cachetake K N -> none`
  mutating func takeFromCache(_ line: inout Line) throws(TraceFormatError) {
    let slot = try line.integer("the slot", in: 0...slots.count - 1)
    let pageCount = try line.pageCount(in: 1...Geometry.pagesPerCache)
    try line.expect("->")
    if let run = slots[slot].allocate(pageCount) {
      comparison.actual.append(run.page)
      comparison.actual.append(" ")
      comparison.actual.append(bytesOf: run.scavengedPages)
    } else {
      comparison.actual.append("none")
    }
    try comparison.compare(line, form: ResultForm("n n|none"))
  }

  /// `cacheflush K`
  mutating func flushCache(_ line: inout Line) throws(TraceFormatError) {
    let slot = try line.integer("the slot", in: 0...slots.count - 1)
    try line.finish()
    engine.allocator.flush(&slots[slot])
    slots[slot] = PageBlock()
  }

  /// `scavenge B MODE -> R`
  mutating func scavenge(_ line: inout Line) throws(TraceFormatError) {
    let byteCount = try line.number("the number of bytes", in: 0...UInt64(UInt32.max))
    let mode = try line.mode()
    try line.expect("->")
    let released = engine.allocator.scavenge(byteCount, mode)
    comparison.actual.append(released)
    try comparison.compare(line, form: ResultForm("n"))
  }

  /// `nextgen`
  mutating func nextGeneration(_ line: inout Line) throws(TraceFormatError) {
    try line.finish()
    engine.allocator.nextGeneration()
  }

  /// `search -> P`
  mutating func checkSearch(_ line: inout Line) throws(TraceFormatError) {
    try line.expect("->")
    comparison.actual.append(page: engine.allocator.searchPage)
    try comparison.compare(line, form: ResultForm("p"))
  }

  /// `check -> ...`
  mutating func checkState(_ line: inout Line) throws(TraceFormatError) {
    try line.expect("->")
    let state = StateCheck(of: engine.allocator)
    state.write(to: &comparison.actual, engine.allocator)
    try comparison.compare(line, form: StateCheck.form)
  }

  /// `cursors -> bg=A force=A hwm=P gen=G minheap=C`
  mutating func checkCursors(_ line: inout Line) throws(TraceFormatError) {
    try line.expect("->")
    comparison.actual.append(cursorsOf: engine.allocator.scavengeIndex)
    comparison.actual.append(" minheap=")
    comparison.actual.append(engine.allocator.scavengeIndex.lowestChunk)
    try comparison.compare(line, form: ResultForm("bg=c force=c hwm=n gen=n minheap=n"))
  }
}

extension OperationTrace {
  /// Whether every page was added to the allocator and is free.
  private func areAllFree(_ pages: Range<PageNumber>) -> Bool {
    forAllChunks(of: pages) { maps, places in maps.allocated.bits.count(in: places) == 0 }
  }

  /// Whether every page was added to the allocator and is in use.
  private func areAllInUse(_ pages: Range<PageNumber>) -> Bool {
    forAllChunks(of: pages) { maps, places in
      maps.allocated.bits.count(in: places) == places.count
    }
  }

  /// Whether every chunk of `pages` was added, and its part of them is as `condition` asks.
  private func forAllChunks(
    of pages: Range<PageNumber>, _ condition: (PallocData, Range<Int>) -> Bool
  ) -> Bool {
    var page = pages.lowerBound
    while page < pages.upperBound {
      let chunk = page / Geometry.pagesPerChunk
      let start = chunk * Geometry.pagesPerChunk
      let end = min(pages.upperBound, start + Geometry.pagesPerChunk)
      guard engine.allocator.isGrown(chunk),
        condition(engine.allocator.chunk(chunk), page - start..<end - start)
      else { return false }
      page = end
    }
    return true
  }

  /// Whether some of `pages`, which the maps show in use, are the cache's to give.
  private func isHeld(_ pages: Range<PageNumber>, in cache: PageBlock) -> Bool {
    guard !cache.isEmpty else { return false }
    let first = max(pages.lowerBound - cache.base, 0)
    let end = min(pages.upperBound - cache.base, Geometry.pagesPerCache)
    guard first < end else { return false }
    // 1 to 64 ones, shifted to where the run lies; neither shift reaches 64.
    let ones = UInt64.max >> UInt64(64 - (end - first))
    let run = ones << UInt64(first)
    return cache.free & run != 0
  }
}
