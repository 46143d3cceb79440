import PageAlloc

// Vectors of the scavenger: `candidate.vec`, `chunkdata.vec`.

extension VectorFile {
  /// Runs one line. Returns false if `word` belongs to another part.
  mutating func runScavenge(
    _ word: ArraySlice<UInt8>, _ line: inout Line
  ) throws(TraceFormatError) -> Bool {
    if word.equals("pages") {
      pageWords.store(try line.map("the allocation map"))
      pageWords.store(try line.map("the scavenged map"), at: Geometry.wordsPerChunk)
      hasPages = true
      try line.finish()
    } else if word.equals("candidate") {
      try findCandidate(&line)
    } else if word.equals("chunkdata") {
      try pack(&line)
    } else if word.equals("ready") {
      try checkReady(&line)
    } else {
      return false
    }
    return true
  }

  /// `candidate PLACE M LIMIT PHYSPAGE HUGEPAGE -> FIRST COUNT`, or `none`
  private mutating func findCandidate(_ line: inout Line) throws(TraceFormatError) {
    let place = try line.integer("the place", in: 0...Geometry.pagesPerChunk - 1)
    let groupSize = try line.groupSize()
    let limit = try line.integer("the limit", in: 0...Geometry.pageCount)
    let kernelPages = KernelPages(
      physicalPageSize: try line.physicalPageSize(), hugePageSize: try line.hugePageSize())
    try line.expect("->")
    guard hasPages else { throw line.error("no \"pages\" line before this one") }
    // The words live as long as this value; the view is gone when the line is done.
    let maps = unsafe PallocData(words: pageWords.base)
    let candidate = maps.findScavengeCandidate(
      from: place, minimum: groupSize, limit: limit, kernelPages: kernelPages)
    if let candidate {
      comparison.actual.append(candidate.lowerBound)
      comparison.actual.append(" ")
      comparison.actual.append(candidate.count)
    } else {
      comparison.actual.append("none")
    }
    try comparison.compare(line, form: ResultForm("n n|none"))
  }

  /// `chunkdata inuse=N last=N gen=N flags=N -> W`
  private mutating func pack(_ line: inout Line) throws(TraceFormatError) {
    let inUse = try line.integer(of: "inuse", in: 0...Geometry.pagesPerChunk)
    let lastInUse = try line.integer(of: "last", in: 0...Geometry.pagesPerChunk)
    guard let generation = try line.value(of: "gen").decimal, generation <= UInt32.max else {
      throw line.error("the generation is not a number of 32 bits")
    }
    let flags = try line.integer(of: "flags", in: 0...1)
    try line.expect("->")
    let record = ScavengeRecord(
      inUse: inUse, lastInUse: lastInUse, generation: UInt32(generation), hasFree: flags == 1)
    comparison.actual.append(word: record.packed)
    try comparison.compare(line, form: ResultForm("w"))
  }

  /// `ready W GEN MODE -> 0|1`
  private mutating func checkReady(_ line: inout Line) throws(TraceFormatError) {
    let record = ScavengeRecord(packed: try line.word("the record"))
    let generation = try line.number("the generation", in: 0...UInt64(UInt32.max))
    let mode = try line.mode()
    try line.expect("->")
    let isReady = record.isReady(generation: UInt32(generation), mode: mode)
    comparison.actual.append(isReady ? 1 : 0)
    try comparison.compare(line, form: ResultForm("b"))
  }
}
