/// Takes a text file apart, line by line.
///
/// A file is plain ASCII: bytes 0x20 to 0x7e, and a newline that closes every line, the last one
/// too. So a file that was cut within a line is noticed here.
package struct LineReader {
  /// The whole file.
  package let bytes: [UInt8]

  /// Where the next line begins.
  package private(set) var position = 0

  /// The number of the line that was read last; 0 before the first.
  package private(set) var lineNumber = 0

  package init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// The next line.
  ///
  /// - Returns: `nil` at the end of the file.
  /// - Throws: `TraceFormatError` for a byte that is not plain ASCII and for a last line without
  ///   its newline.
  package mutating func next() throws(TraceFormatError) -> Line? {
    guard position < bytes.count else { return nil }
    lineNumber += 1
    let start = position
    var end = start
    while end < bytes.count, bytes[end] != Ascii.newline {
      guard bytes[end] >= 0x20, bytes[end] <= 0x7e else {
        throw TraceFormatError(line: lineNumber, reason: "byte \(bytes[end]) is not plain text")
      }
      end += 1
    }
    guard end < bytes.count else {
      throw TraceFormatError(line: lineNumber, reason: "the file ends within a line")
    }
    position = end + 1
    return Line(number: lineNumber, bytes: bytes[start..<end])
  }
}

/// The characters that mean something in these files.
package enum Ascii {
  package static let newline = UInt8(ascii: "\n")
  package static let space = UInt8(ascii: " ")
  package static let comma = UInt8(ascii: ",")
}
