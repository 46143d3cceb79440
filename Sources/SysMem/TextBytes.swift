/// Text whose bytes can be read one by one. Nothing is allocated, and nothing is copied.
package protocol TextBytes: ~Copyable {
  /// How many bytes there are.
  var count: Int { get }
  /// A byte; 0 beyond the end.
  subscript(index: Int) -> UInt8 { get }
  /// Hands the text to C: its bytes, and a zero.
  func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result
}

/// Text to which something can be added. What does not fit is cut.
package protocol MutableTextBytes: TextBytes, ~Copyable {
  /// How many bytes more fit.
  var room: Int { get }
  /// Drops what follows the first `length` bytes.
  mutating func cut(to length: Int)
  /// Adds a byte.
  mutating func append(byte: UInt8)
  /// Adds what a body writes into the room that is left.
  ///
  /// - Parameter body: is given the first free byte and how many follow; returns how many it has
  ///   written.
  mutating func append(writing body: (UnsafeMutableRawPointer, Int) -> Int)
}

// MARK: - Changes

extension MutableTextBytes where Self: ~Copyable {
  /// No text.
  package mutating func clear() { cut(to: 0) }

  /// Adds a literal.
  package mutating func append(_ text: StaticString) {
    for index in 0..<text.utf8CodeUnitCount {
      // Within the literal, which lives for ever.
      append(byte: unsafe text.utf8Start[index])
    }
  }

  /// Adds text that was put together.
  package mutating func append(text: String) {
    for byte in text.utf8 { append(byte: byte) }
  }

  /// Adds a part of another text.
  package mutating func append(
    _ other: borrowing some TextBytes & ~Copyable, _ range: Range<Int>
  ) {
    for index in range { append(byte: other[index]) }
  }

  /// Adds a number in decimal.
  package mutating func append(_ number: UInt) { append(decimal: UInt64(number)) }

  private mutating func append(decimal number: UInt64) {
    var divisor: UInt64 = 1
    while number / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      append(byte: UInt8(truncatingIfNeeded: 48 + number / divisor % 10))
      divisor /= 10
    }
  }

  /// Adds a literal and a number.
  package mutating func append(_ text: StaticString, _ number: UInt64) {
    append(text)
    append(decimal: number)
  }

  /// Adds a literal and a number. A negative number, which none should be, shows as a huge one.
  package mutating func append(_ text: StaticString, _ number: Int) {
    append(text)
    append(UInt(bitPattern: number))
  }

  /// Adds a byte as 2 hexadecimal digits.
  package mutating func append(hex byte: UInt8) {
    append(digit: byte &>> 4)
    append(digit: byte & 15)
  }

  /// Adds a word as 16 hexadecimal digits.
  package mutating func append(hex word: UInt64) {
    for shift in stride(from: 60, through: 0, by: -4) {
      append(digit: UInt8(truncatingIfNeeded: word &>> UInt64(shift) & 15))
    }
  }

  private mutating func append(digit: UInt8) {
    append(byte: digit < 10 ? 48 + digit : 87 + digit)
  }

}

// MARK: - Reading

extension TextBytes where Self: ~Copyable {
  /// Whether a literal stands at a place.
  package func has(_ text: StaticString, at place: Int) -> Bool {
    for index in 0..<text.utf8CodeUnitCount {
      // Within the literal, which lives for ever.
      if unsafe self[place + index] != text.utf8Start[index] { return false }
    }
    return true
  }

  /// Where a byte is first found from a place on; the end where it is not.
  package func index(of byte: UInt8, from place: Int) -> Int {
    var index = place
    while index < count, self[index] != byte { index += 1 }
    return index
  }

  /// Where a literal of at least one byte is first found; `nil` where it is not.
  package func index(of text: StaticString) -> Int? {
    // Within the literal, which lives for ever.
    let first = unsafe text.utf8Start[0]
    var place = index(of: first, from: 0)
    while place < count, !has(text, at: place) { place = index(of: first, from: place + 1) }
    return place < count ? place : nil
  }

  /// The decimal number at a place; `nil` where there is none. Larger ones are the largest.
  package func number(at place: Int) -> UInt64? {
    var index = place
    var value: UInt64 = 0
    while self[index] >= 48, self[index] <= 57 {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(self[index] - 48))
      value = overflow || carry ? .max : sum
      index += 1
    }
    return index == place ? nil : value
  }

}
