/// One line of a file, and how far it has been read.
///
/// Fields are divided by exactly one blank. Each reader below takes the next field, and says in
/// its error which field it was.
package struct Line {
  /// Counted from 1.
  package let number: Int

  /// The line without its newline.
  package let bytes: ArraySlice<UInt8>

  /// Where the next field begins; past the end when the last field has been taken.
  private var position: Int

  package init(number: Int, bytes: ArraySlice<UInt8>) {
    self.number = number
    self.bytes = bytes
    self.position = bytes.startIndex
  }

  /// Whether every field has been taken.
  package var isAtEnd: Bool { position > bytes.endIndex }

  /// Whether the line begins with a blank, and so belongs to a block.
  package var isIndented: Bool { bytes.first == Ascii.space }

  /// All that was not taken yet.
  package var rest: ArraySlice<UInt8> { bytes[min(position, bytes.endIndex)...] }

  /// All that was taken, with the blank after it.
  package var taken: ArraySlice<UInt8> { bytes[..<min(position, bytes.endIndex)] }

  /// The line as text.
  package var text: String { String(decoding: bytes, as: UTF8.self) }

  /// An error about this line.
  package func error(_ reason: String) -> TraceFormatError {
    TraceFormatError(line: number, reason: reason)
  }

  /// The next field.
  ///
  /// - Parameter what: what the field stands for, for the error.
  /// - Throws: `TraceFormatError` if there is none, or an empty one.
  package mutating func field(_ what: String) throws(TraceFormatError) -> ArraySlice<UInt8> {
    guard !isAtEnd else { throw error("\(what) is missing") }
    var end = position
    while end < bytes.endIndex, bytes[end] != Ascii.space { end += 1 }
    let field = bytes[position..<end]
    guard !field.isEmpty else { throw error("\(what) is missing: a blank too many") }
    position = end + 1
    return field
  }

  /// Takes all the rest, whatever it holds.
  package mutating func skipRest() { position = bytes.endIndex + 1 }

  /// Takes the next field, which can only be `word`.
  package mutating func expect(_ word: StaticString) throws(TraceFormatError) {
    let found = try field("\"\(word.text)\"")
    guard found.equals(word) else {
      throw error("\"\(word.text)\" expected, not \(found.quoted)")
    }
  }

  /// Checks that nothing is left.
  package func finish() throws(TraceFormatError) {
    guard isAtEnd else { throw error("\(rest.quoted) is too much") }
  }

  /// The next field as a decimal number.
  package mutating func number(
    _ what: String, in range: ClosedRange<UInt64>
  ) throws(TraceFormatError) -> UInt64 {
    let field = try field(what)
    guard let value = field.decimal else {
      throw error("\(what) is no decimal number: \(field.quoted)")
    }
    guard range.contains(value) else {
      throw error("\(what) is not in \(range.lowerBound)...\(range.upperBound): \(value)")
    }
    return value
  }

  /// The next field as a decimal number that fits an `Int`.
  package mutating func integer(
    _ what: String, in range: ClosedRange<Int>
  ) throws(TraceFormatError) -> Int {
    let bounds = UInt64(range.lowerBound)...UInt64(range.upperBound)
    return Int(try number(what, in: bounds))
  }

  /// The next field, which has the form `key=VALUE`: the value.
  package mutating func value(
    of key: StaticString
  ) throws(TraceFormatError) -> ArraySlice<UInt8> {
    let field = try field("\(key.text)=")
    let value = field.dropFirst(key.utf8CodeUnitCount + 1)
    guard field.prefix(key.utf8CodeUnitCount).equals(key), !value.isEmpty,
      field[value.startIndex - 1] == UInt8(ascii: "=")
    else { throw error("\"\(key.text)=\" expected, not \(field.quoted)") }
    return value
  }

  /// The next field, which has the form `key=VALUE` with a decimal number for a value.
  package mutating func integer(
    of key: StaticString, in range: ClosedRange<Int>
  ) throws(TraceFormatError) -> Int {
    let value = try value(of: key)
    guard let number = value.decimal else {
      throw error("\(key.text) is no decimal number: \(value.quoted)")
    }
    guard number >= UInt64(range.lowerBound), number <= UInt64(range.upperBound) else {
      throw error("\(key.text) is not in \(range.lowerBound)...\(range.upperBound): \(number)")
    }
    return Int(number)
  }

  /// The next field as a word: 16 hexadecimal digits.
  package mutating func word(_ what: String) throws(TraceFormatError) -> UInt64 {
    let field = try field(what)
    guard field.count == 16, let value = field.hexadecimal else {
      throw error("\(what) is not a word of 16 hexadecimal digits: \(field.quoted)")
    }
    return value
  }

  /// The next field as a hexadecimal number of up to 16 digits.
  package mutating func hexadecimal(_ what: String) throws(TraceFormatError) -> UInt64 {
    let field = try field(what)
    guard let value = field.hexadecimal else {
      throw error("\(what) is no hexadecimal number: \(field.quoted)")
    }
    return value
  }
}
