// How text is put together: as bytes of UTF-8, which also Embedded Swift can do.

extension [UInt8] {
  /// Writes text as it is.
  mutating func append(string: String) { append(contentsOf: string.utf8) }

  /// Writes a number in decimal.
  mutating func append(decimal number: Int) {
    if number < 0 { append(UInt8(ascii: "-")) }
    let start = count
    var left = number.magnitude
    repeat {
      append(UInt8(ascii: "0") + UInt8(left % 10))
      left /= 10
    } while left > 0
    self[start...].reverse()
  }

  /// Writes text so that XML takes it for text, between tags and between quotes; what XML has no
  /// place for becomes U+FFFD.
  mutating func append(escaped words: String) {
    for scalar in words.unicodeScalars {
      switch scalar.value {
      case 0x22: append(string: "&quot;")
      case 0x26: append(string: "&amp;")
      case 0x3c: append(string: "&lt;")
      case 0x3e: append(string: "&gt;")
      case 0x09, 0x0a, 0x20...0xfffd, 0x10000...: append(contentsOf: String(scalar).utf8)
      default: append(string: "\u{fffd}")
      }
    }
  }
}
