import PageAlloc

// Vectors of the packed summaries: `sum.vec`, `merge.vec`.

extension VectorFile {
  /// Runs one line. Returns false if `word` belongs to another part.
  mutating func runSummary(
    _ word: ArraySlice<UInt8>, _ line: inout Line
  ) throws(TraceFormatError) -> Bool {
    if word.equals("pack") {
      try pack(&line)
    } else if word.equals("merge") {
      try merge(&line)
    } else {
      return false
    }
    return true
  }

  /// `pack START MAX END -> W START MAX END`
  private mutating func pack(_ line: inout Line) throws(TraceFormatError) {
    let whole = 1 << 18
    let start = try line.integer("start", in: 0...whole)
    let longest = try line.integer("max", in: 0...whole)
    let end = try line.integer("end", in: 0...whole)
    guard isSummary(start, longest, end, of: whole) else {
      throw line.error("no region has these three")
    }
    try line.expect("->")
    let packed = PallocSum(start: start, max: longest, end: end).packed
    comparison.actual.append(word: packed)
    comparison.actual.append(" ")
    comparison.actual.append(PallocSum(packed: packed))
    try comparison.compare(line, form: ResultForm("w n n n"))
  }

  /// `merge LOG s,m,e s,m,e ... -> START MAX END W`
  private mutating func merge(_ line: inout Line) throws(TraceFormatError) {
    let log = try line.integer("the logarithm", in: 9...15)
    var children: [PallocSum] = []
    while true {
      let field = try line.field("a summary or \"->\"")
      if field.equals("->") { break }
      children.append(try summary(field, of: 1 << log, line))
    }
    guard 1...8 ~= children.count else {
      throw line.error("1 to 8 summaries are merged, not \(children.count)")
    }
    let merged = PallocSum.merge(count: children.count, logPagesPerChild: log) { children[$0] }
    comparison.actual.append(merged)
    comparison.actual.append(" ")
    comparison.actual.append(word: merged.packed)
    try comparison.compare(line, form: ResultForm("n n n w"))
  }

  /// `s,m,e` of a region of so many pages.
  private func summary(
    _ field: ArraySlice<UInt8>, of pageCount: Int, _ line: Line
  ) throws(TraceFormatError) -> PallocSum {
    let parts = split(field, at: Ascii.comma)
    guard parts.count == 3, let start = parts[0].decimal, let longest = parts[1].decimal,
      let end = parts[2].decimal, max(start, longest, end) <= UInt64(pageCount),
      isSummary(Int(start), Int(longest), Int(end), of: pageCount)
    else { throw line.error("not a summary of \(pageCount) pages: \(field.quoted)") }
    return PallocSum(start: Int(start), max: Int(longest), end: Int(end))
  }

  /// Whether a region of `pageCount` pages can have this summary.
  private func isSummary(_ start: Int, _ longest: Int, _ end: Int, of pageCount: Int) -> Bool {
    guard start <= longest, end <= longest else { return false }
    let isWhole = longest == pageCount
    return isWhole == (start == pageCount) && isWhole == (end == pageCount)
  }
}
