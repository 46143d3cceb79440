import PageAlloc

/// Runs a `vectors` file: single functions, each line a call with the result it must have.
///
/// Some lines set what later lines work on: a map, a chunk's two maps, a page cache, a list of
/// ranges. All kinds of lines may stand in one file.
struct VectorFile {
  /// What was compared so far.
  var comparison = Comparison()

  /// What `bits` has set, and room for a map derived from it.
  var map: [UInt64]?
  let mapWords = WordBuffer(count: Geometry.wordsPerChunk)

  /// Whether `pages` has set the maps of a chunk, and these.
  var hasPages = false
  let pageWords = WordBuffer(count: PallocData.wordCount)

  /// What `cache` has set, and the takes have left of it.
  var cache: PageBlock?

  /// What `new` has begun.
  var ranges: RangeList?

  /// Runs the body of the file, to its end.
  mutating func run(
    _ reader: inout LineReader, _ progress: inout Progress
  ) throws(TraceFormatError) {
    while case (let word, var line)? =
      try FileFrame.nextOperation(&reader, count: comparison.operations)
    {
      comparison.operations += 1
      guard try runAny(word, &line) else {
        throw line.error("unknown operation \(word.quoted)")
      }
      progress.note(reader.position)
    }
  }

  /// Runs one line, whichever part it belongs to. Returns false if no part knows `word`.
  private mutating func runAny(
    _ word: ArraySlice<UInt8>, _ line: inout Line
  ) throws(TraceFormatError) -> Bool {
    if try runBits(word, &line) { return true }
    if try runSummary(word, &line) { return true }
    if try runScavenge(word, &line) { return true }
    if try runCache(word, &line) { return true }
    return try runRanges(word, &line)
  }
}
