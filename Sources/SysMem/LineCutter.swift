/// Cuts a file of the kernel's into lines, as its bytes come. Of a long line it keeps the start,
/// which says what the line is about.
package struct LineCutter: ~Copyable {
  /// The start of a line.
  package typealias Line = FixedText<48>

  private var line = Line()

  /// Has seen nothing yet.
  package init() {}

  /// Takes the next byte.
  ///
  /// - Parameter body: is given the line that the byte closes, where it closes one.
  package mutating func take(_ byte: UInt8, _ body: (borrowing Line) -> Void) {
    if byte != UInt8(ascii: "\n") { return line.append(byte: byte) }
    body(line)
    line.clear()
  }
}

/// Reads a file of any size line by line. What follows the last newline is no line.
///
/// - Returns: `false` where it cannot be read to its end.
package func forEachLine(
  of path: borrowing FixedText<32>, _ body: (borrowing LineCutter.Line) -> Void
) -> Bool {
  var text = SmallText()
  var lines = LineCutter()
  guard text.room > 0, let file = OpenFile(path) else { return false }
  while let count = file.read(into: &text) {
    if count == 0 { return true }
    for index in 0..<count { lines.take(text[index], body) }
    text.clear()
  }
  return false
}
