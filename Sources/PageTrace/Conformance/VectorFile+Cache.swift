import PageAlloc

// Vectors of the page cache: `pagecache.vec`.

extension VectorFile {
  /// Runs one line. Returns false if `word` belongs to another part.
  mutating func runCache(
    _ word: ArraySlice<UInt8>, _ line: inout Line
  ) throws(TraceFormatError) -> Bool {
    if word.equals("cache") {
      let free = try line.word("the free pages")
      let scavenged = try line.word("the scavenged pages")
      try line.finish()
      cache = PageBlock(base: 0, free: free, scavenged: scavenged)
    } else if word.equals("take") {
      try take(&line)
    } else {
      return false
    }
    return true
  }

  /// `take N -> I S CACHE SCAV`, `take N -> none`
  private mutating func take(_ line: inout Line) throws(TraceFormatError) {
    let pageCount = try line.pageCount(in: 1...Geometry.pagesPerCache)
    try line.expect("->")
    guard var cache else { throw line.error("no \"cache\" line before this one") }
    if let run = cache.allocate(pageCount) {
      comparison.actual.append(run.page)
      comparison.actual.append(" ")
      comparison.actual.append(bytesOf: run.scavengedPages)
      comparison.actual.append(" ")
      comparison.actual.append(word: cache.free)
      comparison.actual.append(" ")
      comparison.actual.append(word: cache.scavenged)
    } else {
      comparison.actual.append("none")
    }
    self.cache = cache
    try comparison.compare(line, form: ResultForm("n n w w|none"))
  }
}
