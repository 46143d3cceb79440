import PageAlloc

// Vectors of the bitmaps: `bits.vec`, `bitrange64.vec`, `fillaligned.vec`.

extension VectorFile {
  /// Runs one line. Returns false if `word` belongs to another part.
  mutating func runBits(
    _ word: ArraySlice<UInt8>, _ line: inout Line
  ) throws(TraceFormatError) -> Bool {
    if word.equals("bits") {
      map = try line.map("the map")
      try line.finish()
    } else if word.equals("summarize") {
      try summarize(&line)
    } else if word.equals("find") {
      try find(&line, isPrefixInUse: true)
    } else if word.equals("findfrom") {
      try find(&line, isPrefixInUse: false)
    } else if word.equals("popcnt") {
      try count(&line)
    } else if word.equals("set") {
      try change(&line) { bits, places in bits.insert(places) }
    } else if word.equals("clear") {
      try change(&line) { bits, places in bits.remove(places) }
    } else if word.equals("bitrange") {
      try findRun(&line)
    } else if word.equals("fill") {
      try fill(&line)
    } else {
      return false
    }
    return true
  }

  /// The current map, as fresh as `bits` has set it.
  private func currentMap(_ line: Line) throws(TraceFormatError) -> PageBits {
    guard let map else { throw line.error("no \"bits\" line before this one") }
    mapWords.store(map)
    // The words live as long as this value; the view is gone when the line is done.
    return unsafe PageBits(words: mapWords.base)
  }

  /// `summarize -> START MAX END`
  private mutating func summarize(_ line: inout Line) throws(TraceFormatError) {
    try line.expect("->")
    comparison.actual.append(PallocBits(try currentMap(line)).summarize())
    try comparison.compare(line, form: ResultForm("n n n"))
  }

  /// `find N I -> P Q`, `find N I -> none`, and `findfrom`
  private mutating func find(
    _ line: inout Line, isPrefixInUse: Bool
  ) throws(TraceFormatError) {
    let pageCount = try line.pageCount(in: 1...Geometry.pagesPerChunk)
    let start = try line.integer("the place", in: 0...Geometry.pagesPerChunk - 1)
    try line.expect("->")
    let bits = try currentMap(line)
    if isPrefixInUse, start > 0, bits.count(in: 0..<start) < start {
      throw line.error("not all bits below \(start) are ones")
    }
    if let place = PallocBits(bits).find(pageCount, from: start) {
      comparison.actual.append(place.first)
      comparison.actual.append(" ")
      comparison.actual.append(place.firstFree)
    } else {
      comparison.actual.append("none")
    }
    try comparison.compare(line, form: ResultForm("n n|none"))
  }

  /// `popcnt I N -> COUNT`
  private mutating func count(_ line: inout Line) throws(TraceFormatError) {
    let places = try line.places()
    try line.expect("->")
    comparison.actual.append(try currentMap(line).count(in: places))
    try comparison.compare(line, form: ResultForm("n"))
  }

  /// `set I N -> w0,...,w7`, `clear I N -> w0,...,w7`
  private mutating func change(
    _ line: inout Line, _ change: (PageBits, Range<Int>) -> Void
  ) throws(TraceFormatError) {
    let places = try line.places()
    try line.expect("->")
    let bits = try currentMap(line)
    change(bits, places)
    comparison.actual.append(map: bits)
    try comparison.compare(line, form: ResultForm("W"))
  }

  /// `bitrange W N -> I`, `bitrange W N -> none`
  private mutating func findRun(_ line: inout Line) throws(TraceFormatError) {
    let word = try line.word("the word")
    let count = try line.integer("the number of bits", in: 1...64)
    try line.expect("->")
    if let place = firstRun(of: count, in: word) {
      comparison.actual.append(place)
    } else {
      comparison.actual.append("none")
    }
    try comparison.compare(line, form: ResultForm("n|none"))
  }

  /// `fill W M -> W2`
  private mutating func fill(_ line: inout Line) throws(TraceFormatError) {
    let word = try line.word("the word")
    let groupSize = try line.groupSize()
    try line.expect("->")
    comparison.actual.append(word: fillAligned(word, groupSize))
    try comparison.compare(line, form: ResultForm("w"))
  }
}

extension Line {
  /// The next field as the size of an aligned group of pages: a power of two, 64 at most.
  mutating func groupSize() throws(TraceFormatError) -> Int {
    let size = try integer("the size of a group", in: 1...64)
    guard size.nonzeroBitCount == 1 else { throw error("\(size) is not a power of two") }
    return size
  }
}
