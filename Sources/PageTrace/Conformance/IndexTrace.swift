import PageAlloc

/// Runs an `itrace` file: operations on the scavenge index alone, in several rounds.
struct IndexTrace: ~Copyable {
  /// What was compared so far.
  var comparison = Comparison()

  private enum Stage { case noRound, newRound, running }

  /// The memory of the index's records.
  private let words = WordBuffer(count: Geometry.chunkCount)
  private var index: ScavengeIndex
  private var stage = Stage.noRound

  /// How many pages the file has in use in each chunk, counted here, not by the index.
  private var inUse = [Int](repeating: 0, count: Geometry.chunkCount)
  private var lowestChunk = 0

  init() {
    // The words live as long as this value, and so does the index.
    index = unsafe ScavengeIndex(storage: words.base)
  }

  /// Runs the body of the file, to its end.
  mutating func run(
    _ reader: inout LineReader, _ progress: inout Progress
  ) throws(TraceFormatError) {
    while case (let word, var line)? =
      try FileFrame.nextOperation(&reader, count: comparison.operations)
    {
      comparison.operations += 1
      if word.equals("new") {
        try startRound(&line)
      } else if word.equals("grow") {
        try grow(&line)
      } else {
        guard stage == .running else {
          throw line.error("\(word.quoted) before \"new\" and \"grow\"")
        }
        try perform(word, &line)
      }
      progress.note(reader.position)
    }
  }

  private mutating func perform(
    _ word: ArraySlice<UInt8>, _ line: inout Line
  ) throws(TraceFormatError) {
    if word.equals("alloc") {
      try allocate(&line)
    } else if word.equals("free") {
      try free(&line)
    } else if word.equals("find") {
      try find(&line)
    } else if word.equals("setempty") {
      let chunk = try line.chunk(from: lowestChunk)
      try line.finish()
      index.setEmpty(chunk)
    } else if word.equals("nextgen") {
      try line.finish()
      index.nextGeneration()
    } else if word.equals("state") {
      try line.expect("->")
      comparison.actual.append(cursorsOf: index)
      try comparison.compare(line, form: ResultForm("bg=c force=c hwm=n gen=n"))
    } else if word.equals("chunks") {
      try showRecords(&line)
    } else {
      throw line.error("unknown operation \(word.quoted)")
    }
  }

  /// `new G`
  private mutating func startRound(_ line: inout Line) throws(TraceFormatError) {
    let generation = try line.number("the generation", in: 0...UInt64(UInt32.max))
    try line.finish()
    words.clear()
    // As in `init`.
    index = unsafe ScavengeIndex(storage: words.base)
    index.generation = UInt32(generation)
    for chunk in inUse.indices { inUse[chunk] = 0 }
    stage = .newRound
  }

  /// `grow C`
  private mutating func grow(_ line: inout Line) throws(TraceFormatError) {
    guard stage == .newRound else { throw line.error("\"grow\" without \"new\" before it") }
    lowestChunk = try line.chunk()
    try line.finish()
    index.sysGrow(lowestChunk: lowestChunk)
    stage = .running
  }

  /// `alloc C N`
  private mutating func allocate(_ line: inout Line) throws(TraceFormatError) {
    let chunk = try line.chunk(from: lowestChunk)
    let pageCount = try line.pageCount(in: 1...Geometry.pagesPerChunk)
    try line.finish()
    guard inUse[chunk] + pageCount <= Geometry.pagesPerChunk else {
      throw line.error("chunk \(chunk) has \(inUse[chunk]) pages in use already")
    }
    inUse[chunk] += pageCount
    index.noteAllocated(chunk: chunk, pageCount: pageCount)
  }

  /// `free C I N`
  private mutating func free(_ line: inout Line) throws(TraceFormatError) {
    let chunk = try line.chunk(from: lowestChunk)
    let places = try line.places()
    try line.finish()
    guard inUse[chunk] >= places.count else {
      throw line.error("chunk \(chunk) has only \(inUse[chunk]) pages in use")
    }
    inUse[chunk] -= places.count
    index.noteFreed(chunk: chunk, first: places.lowerBound, pageCount: places.count)
  }

  /// `find MODE -> C I`
  private mutating func find(_ line: inout Line) throws(TraceFormatError) {
    let mode = try line.mode()
    try line.expect("->")
    let found = index.find(mode)
    comparison.actual.append(found?.chunk ?? 0)
    comparison.actual.append(" ")
    comparison.actual.append(found?.place ?? 0)
    try comparison.compare(line, form: ResultForm("n n"))
  }

  /// `chunks C -> W ...`
  private mutating func showRecords(_ line: inout Line) throws(TraceFormatError) {
    let count = 12
    let first = try line.integer("the chunk", in: 0...Geometry.chunkCount - count)
    try line.expect("->")
    for chunk in first..<first + count {
      if chunk > first { comparison.actual.append(" ") }
      comparison.actual.append(word: index.record(chunk).packed)
    }
    try comparison.compare(line, form: ResultForm("w*"))
  }
}
