import CSysMem

/// Text in the value itself, of at most `capacity` - 1 bytes: nothing is allocated.
///
/// For what is read from the kernel's files, and for lines that must be put together where nothing
/// may be allocated: under a lock, in a signal handler, when the state is broken. What does not fit
/// is cut.
package struct FixedText<let capacity: Int>: ~Copyable {
  // Invariant: the byte after the text is there, and 0.
  private var bytes = InlineArray<capacity, UInt8>(repeating: 0)
  /// How many bytes there are.
  package private(set) var count = 0

  /// No text.
  package init() {}

  /// The text of a literal.
  package init(_ text: StaticString) { append(text) }

  /// A part of another text.
  package init<let others: Int>(_ other: borrowing FixedText<others>, _ range: Range<Int>) {
    append(other, range)
  }

  /// How many bytes more fit.
  package var room: Int { capacity - 1 - count }

  /// A byte; 0 beyond the end.
  package subscript(index: Int) -> UInt8 { index < count ? bytes[index] : 0 }
}

// MARK: - Changes

extension FixedText {
  /// No text.
  package mutating func clear() { cut(to: 0) }

  /// Drops what follows the first `length` bytes.
  package mutating func cut(to length: Int) {
    count = min(count, length)
    bytes[count] = 0
  }

  /// Adds a byte.
  package mutating func append(byte: UInt8) {
    guard room > 0 else { return }
    bytes[count] = byte
    count += 1
    bytes[count] = 0
  }

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
  package mutating func append<let others: Int>(
    _ other: borrowing FixedText<others>, _ range: Range<Int>
  ) {
    for index in range { append(byte: other[index]) }
  }

  /// Adds a number in decimal.
  package mutating func append(_ number: UInt) {
    var divisor: UInt = 1
    while number / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      append(byte: UInt8(truncatingIfNeeded: 48 + number / divisor % 10))
      divisor /= 10
    }
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

  /// Adds what a body writes into the room that is left.
  ///
  /// - Parameter body: is given the first free byte and how many follow; returns how many it has
  ///   written.
  package mutating func append(writing body: (UnsafeMutableRawPointer, Int) -> Int) {
    let (start, room) = (count, room)
    var span = bytes.mutableSpan
    // `room` bytes follow the start, within the array.
    let written = unsafe span.withUnsafeMutableBytes { unsafe body($0.baseAddress! + start, room) }
    precondition(written >= 0 && written <= room, "more was written than there is room")
    count += written
    bytes[count] = 0
  }
}

// MARK: - Reading

extension FixedText {
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
    while index < count, bytes[index] != byte { index += 1 }
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

  /// The text as a line, with an end; it is allocated.
  package var text: String {
    let part = bytes.span.extracting(0..<count)
    // The span is readable for its length.
    return unsafe part.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) } + "\n"
  }

  /// Hands the text to C: its bytes, and a zero.
  package func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
    // A zero follows the text, by the invariant of `bytes`; they live as long as the call.
    unsafe bytes.span.withUnsafeBytes {
      unsafe body($0.baseAddress!.assumingMemoryBound(to: CChar.self))
    }
  }

  /// Writes the text to standard error as a line, and starts a new one.
  package mutating func write() {
    // In the place of the zero.
    bytes[count] = 10
    var written = 0
    while written <= count {
      let rest = bytes.span.extracting(written...count)
      // The span is readable for its length.
      let result = unsafe rest.withUnsafeBufferPointer { pointer in
        unsafe csm_write(2, pointer.baseAddress, pointer.count)
      }
      if result.error != 0 || result.value == 0 { break }
      written += Int(result.value)
    }
    clear()
  }
}
