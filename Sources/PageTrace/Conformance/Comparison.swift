/// Compares what a file expects with what the allocator did, and keeps count.
///
/// The actual result is written into `actual` first, in the very form that the file has; then the
/// two are compared byte by byte. So no field can be forgotten, and both can be shown in full.
struct Comparison {
  /// Operations so far.
  var operations = 0

  /// Operations so far whose result was another one.
  private(set) var mismatches = 0

  /// The first of them.
  private(set) var firstMismatch: Mismatch?

  /// The result that is being written.
  var actual = AsciiText()

  /// Compares the rest of `line` with `actual`, and empties `actual`.
  ///
  /// - Parameters:
  ///   - line: a line that was taken up to its arrow.
  ///   - form: what a result of this operation looks like.
  /// - Throws: `TraceFormatError` if what the file expects does not have the form of a result.
  mutating func compare(_ line: Line, form: ResultForm) throws(TraceFormatError) {
    defer { actual.removeAll() }
    guard !equal(line.rest, actual.bytes[...]) else { return }
    guard form.matches(line.rest) else {
      throw line.error("not a result of this operation: \(line.rest.quoted)")
    }
    guard count() else { return }
    var whole = AsciiText()
    whole.append(line.taken)
    whole.append(actual.bytes[...])
    firstMismatch = Mismatch(line: line.number, expected: line.text, actual: whole.string)
  }

  /// Compares the block of lines that follows with `actual`, and empties `actual`.
  ///
  /// - Parameters:
  ///   - actual: the lines, each closed by a newline, and `terminator` as the last.
  ///   - line: the line that opens the block.
  ///   - forms: what the lines of such a block look like.
  ///   - terminator: the line that closes the block.
  /// - Throws: `TraceFormatError` if the block has no end or a line in it is none of `forms`.
  mutating func compareBlock(
    openedBy line: Line, forms: [ResultForm], terminator: StaticString,
    reader: inout LineReader
  ) throws(TraceFormatError) {
    defer { actual.removeAll() }
    var position = 0
    var difference: Mismatch?
    while true {
      guard let expected = try reader.next() else {
        throw line.error("the file ends before \"\(terminator.text)\"")
      }
      let isLast = expected.bytes.equals(terminator)
      let made = actualLine(at: position)
      if !equal(expected.bytes, made) {
        guard isLast || expected.isIndented && forms.contains(where: { $0.matches(expected.bytes) })
        else { throw expected.error("not a line of this block: \(expected.bytes.quoted)") }
        if difference == nil {
          difference = Mismatch(
            line: expected.number, expected: expected.text,
            actual: String(decoding: made, as: UTF8.self))
        }
      }
      if isLast { break }
      // The last actual line is repeated for whatever the file has beyond it.
      let next = made.endIndex + 1
      if next < actual.bytes.count { position = next }
    }
    guard let difference, count() else { return }
    firstMismatch = difference
  }

  /// An operation of the file cannot be done.
  ///
  /// In a run without a mismatch the file is at fault. After one, the allocator's state is no more
  /// the one that the file tells of: then this is one more mismatch.
  mutating func refuse(_ line: Line, _ reason: String) throws(TraceFormatError) {
    guard mismatches > 0 else { throw line.error(reason) }
    mismatches += 1
  }

  /// The report about the whole file.
  func report(name: String) -> CheckReport {
    CheckReport(
      name: name, operations: operations, mismatches: mismatches, firstMismatch: firstMismatch)
  }

  /// Counts a mismatch. Returns whether it is the first.
  private mutating func count() -> Bool {
    mismatches += 1
    return mismatches == 1
  }

  private func actualLine(at start: Int) -> ArraySlice<UInt8> {
    var end = start
    while end < actual.bytes.count, actual.bytes[end] != Ascii.newline { end += 1 }
    return actual.bytes[start..<end]
  }

  private func equal(_ a: ArraySlice<UInt8>, _ b: ArraySlice<UInt8>) -> Bool {
    guard a.count == b.count else { return false }
    var j = b.startIndex
    for byte in a {
      guard byte == b[j] else { return false }
      j += 1
    }
    return true
  }
}
