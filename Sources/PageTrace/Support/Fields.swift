// What a field of a line can be read as.

extension ArraySlice<UInt8> {
  /// Whether the bytes are those of `word`.
  package func equals(_ word: StaticString) -> Bool {
    guard count == word.utf8CodeUnitCount else { return false }
    for offset in 0..<count {
      // A literal of more than one scalar holds a pointer to as many bytes as it says.
      guard unsafe self[startIndex + offset] == word.utf8Start[offset] else { return false }
    }
    return true
  }

  /// The value of decimal digits.
  ///
  /// - Returns: `nil` for anything else, and for a number over 2^64 - 1.
  package var decimal: UInt64? {
    guard !isEmpty else { return nil }
    var value: UInt64 = 0
    for byte in self {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      let (tens, overflowed) = value.multipliedReportingOverflow(by: 10)
      let (sum, carried) = tens.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
      guard !overflowed, !carried else { return nil }
      value = sum
    }
    return value
  }

  /// The value of 1 to 16 hexadecimal digits, `a` to `f` in small letters.
  ///
  /// - Returns: `nil` for anything else.
  package var hexadecimal: UInt64? {
    guard !isEmpty, count <= 16 else { return nil }
    var value: UInt64 = 0
    for byte in self {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        value = value << 4 | UInt64(byte - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "f"):
        value = value << 4 | UInt64(byte - UInt8(ascii: "a") + 10)
      default: return nil
      }
    }
    return value
  }

  /// The bytes as text between quotation marks, cut where it gets long.
  package var quoted: String {
    let most = 60
    if count <= most { return "\"\(String(decoding: self, as: UTF8.self))\"" }
    return "\"\(String(decoding: prefix(most), as: UTF8.self))...\""
  }
}

extension StaticString {
  /// The literal as a `String`.
  var text: String {
    var text = AsciiText()
    text.append(self)
    return text.string
  }
}
