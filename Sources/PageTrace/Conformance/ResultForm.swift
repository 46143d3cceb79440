/// What a result in a file may look like, so that a garbled line is told from a mismatch.
///
/// A pattern is a list of alternatives, divided by `|`; each is a list of fields, divided by one
/// blank. In a field, what stands before a `=` and words of more than one letter mean themselves.
/// Single letters mean:
///
///     n  decimal number             w  word of 16 hexadecimal digits
///     p  decimal number or `max`    W  eight words with commas between
///     c  cursor: `n` or `nm`        x  hexadecimal number
///     b  `0` or `1`                 r  `x-x`
///
/// A `*` behind the letter of the last field: none, one or more of it.
struct ResultForm {
  private let pattern: StaticString

  init(_ pattern: StaticString) {
    self.pattern = pattern
  }

  /// Whether `result` has one of the forms.
  func matches(_ result: ArraySlice<UInt8>) -> Bool {
    let found = split(result, at: Ascii.space)
    var text = AsciiText()
    text.append(pattern)
    for alternative in split(text.bytes[...], at: UInt8(ascii: "|")) {
      if Self.matches(found, split(alternative, at: Ascii.space)) { return true }
    }
    return false
  }

  private static func matches(
    _ found: [ArraySlice<UInt8>], _ wanted: [ArraySlice<UInt8>]
  ) -> Bool {
    var index = 0
    for field in wanted {
      if field.last == UInt8(ascii: "*") {
        while index < found.count {
          guard matches(found[index], field.dropLast()) else { return false }
          index += 1
        }
        return true
      }
      guard index < found.count, matches(found[index], field) else { return false }
      index += 1
    }
    return index == found.count
  }

  private static func matches(_ found: ArraySlice<UInt8>, _ field: ArraySlice<UInt8>) -> Bool {
    // A literal: the whole field, or what stands before the letter that follows `=`.
    if field.count != 1 {
      let literal = field.dropLast().last == UInt8(ascii: "=") ? field.count - 1 : field.count
      guard found.count >= literal, found.prefix(literal).elementsEqual(field.prefix(literal))
      else { return false }
      if literal == field.count { return found.count == literal }
      return matches(found.dropFirst(literal), field.suffix(1))
    }
    switch field.first {
    case UInt8(ascii: "n"): return found.decimal != nil
    case UInt8(ascii: "p"): return found.decimal != nil || found.equals("max")
    case UInt8(ascii: "c"):
      return found.decimal != nil
        || found.last == UInt8(ascii: "m") && found.dropLast().decimal != nil
    case UInt8(ascii: "b"): return found.equals("0") || found.equals("1")
    case UInt8(ascii: "w"): return found.count == 16 && found.hexadecimal != nil
    case UInt8(ascii: "W"): return found.mapWords != nil
    case UInt8(ascii: "x"): return found.hexadecimal != nil
    default:
      let bounds = split(found, at: UInt8(ascii: "-"))
      return bounds.count == 2 && bounds[0].hexadecimal != nil && bounds[1].hexadecimal != nil
    }
  }
}

/// The parts of `bytes` between the separators; empty parts count.
func split(_ bytes: ArraySlice<UInt8>, at separator: UInt8) -> [ArraySlice<UInt8>] {
  var parts: [ArraySlice<UInt8>] = []
  var start = bytes.startIndex
  for index in bytes.indices where bytes[index] == separator {
    parts.append(bytes[start..<index])
    start = index + 1
  }
  parts.append(bytes[start...])
  return parts
}

extension ArraySlice<UInt8> {
  /// The eight words of a 512-bit map, with commas between; `nil` for anything else.
  var mapWords: [UInt64]? {
    guard count == 8 * 16 + 7 else { return nil }
    var words: [UInt64] = []
    words.reserveCapacity(8)
    for index in 0..<8 {
      let start = startIndex + 17 * index
      guard let word = self[start..<start + 16].hexadecimal else { return nil }
      guard index == 7 || self[start + 16] == Ascii.comma else { return nil }
      words.append(word)
    }
    return words
  }
}
