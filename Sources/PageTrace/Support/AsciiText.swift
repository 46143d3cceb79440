/// A line, or a block of lines, that is being written.
package struct AsciiText {
  /// What has been written.
  package private(set) var bytes: [UInt8] = []

  package init() {}

  /// What has been written, as text.
  package var string: String { String(decoding: bytes, as: UTF8.self) }

  /// Forgets what has been written, and keeps the memory for what comes.
  package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  /// Writes a literal.
  package mutating func append(_ text: StaticString) {
    for offset in 0..<text.utf8CodeUnitCount {
      // A literal of more than one scalar holds a pointer to as many bytes as it says.
      bytes.append(unsafe text.utf8Start[offset])
    }
  }

  /// Writes bytes as they are.
  package mutating func append(_ slice: ArraySlice<UInt8>) {
    bytes.append(contentsOf: slice)
  }

  /// Writes a number in decimal.
  package mutating func append(_ number: UInt64) {
    let start = bytes.count
    var left = number
    repeat {
      bytes.append(UInt8(ascii: "0") + UInt8(left % 10))
      left /= 10
    } while left > 0
    bytes[start...].reverse()
  }

  /// Writes a number, which is not negative, in decimal.
  package mutating func append(_ number: Int) { append(UInt64(number)) }

  /// Writes a word with all of its 16 hexadecimal digits.
  package mutating func append(word: UInt64) {
    for shift in stride(from: 60, through: 0, by: -4) {
      bytes.append(Self.digit(UInt8(word >> UInt64(shift) & 15)))
    }
  }

  /// Writes a number in hexadecimal, without leading zeros.
  package mutating func append(hexadecimal number: UInt64) {
    let digitCount = max(1, (67 - number.leadingZeroBitCount) / 4)
    for index in (0..<digitCount).reversed() {
      bytes.append(Self.digit(UInt8(number >> UInt64(4 * index) & 15)))
    }
  }

  private static func digit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
  }
}
