import CSysMem

/// Our own state contradicts itself: says what, and traps. Where there are tables to show,
/// ``PageAllocator/corrupted(_:_:)`` shows them.
///
/// Never called for a mistake of the caller's; those are errors and change nothing. Nothing is
/// allocated on the way, since the heap below may be what is broken.
@inline(never)
package func corrupted(_ what: StaticString, _ detail: UInt = 0) -> Never {
  var line = DumpLine()
  line.append("PageAlloc: corrupted: ")
  line.append(what)
  line.append(" (")
  line.append(detail)
  line.append(")")
  line.write()
  fatalError("PageAlloc: corrupted")
}

/// A line for standard error, put together without an allocation.
package struct DumpLine {
  private var bytes = InlineArray<500, UInt8>(repeating: 0)
  private var count = 0

  /// An empty line.
  package init() {}

  /// Appends text; what does not fit is cut.
  package mutating func append(_ text: StaticString) {
    for index in 0..<text.utf8CodeUnitCount {
      // Within the literal, which lives for ever.
      append(byte: unsafe text.utf8Start[index])
    }
  }

  /// Appends text that was put together; what does not fit is cut.
  mutating func append(text: String) {
    for byte in text.utf8 { append(byte: byte) }
  }

  /// Appends a number in decimal.
  package mutating func append(_ number: UInt) {
    var divisor: UInt = 1
    while number / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      append(byte: UInt8(truncatingIfNeeded: 48 + number / divisor % 10))
      divisor /= 10
    }
  }

  /// Appends text and a number. A negative number, which none should be, shows as a huge one.
  package mutating func append(_ text: StaticString, _ number: Int) {
    append(text)
    append(UInt(bitPattern: number))
  }

  /// Appends a byte as 2 hexadecimal digits.
  package mutating func append(hex byte: UInt8) {
    append(digit: byte &>> 4)
    append(digit: byte & 15)
  }

  /// Appends a word as 16 hexadecimal digits.
  package mutating func append(hex word: UInt64) {
    for shift in stride(from: 60, through: 0, by: -4) {
      append(digit: UInt8(truncatingIfNeeded: word &>> UInt64(shift) & 15))
    }
  }

  private mutating func append(digit: UInt8) {
    append(byte: digit < 10 ? 48 + digit : 87 + digit)
  }

  /// Appends what `fill` writes into the room that is left; it says how much.
  mutating func append(_ fill: (UnsafeMutablePointer<CChar>?, Int) -> Int) {
    let start = count
    let room = bytes.count - 1 - start
    var span = bytes.mutableSpan
    // `room` bytes follow the start, within the array.
    count += unsafe span.withUnsafeMutableBytes {
      unsafe fill(($0.baseAddress! + start).assumingMemoryBound(to: CChar.self), room)
    }
  }

  /// Whether the line goes on with a literal from a place on.
  func has(_ text: StaticString, at place: Int) -> Bool {
    if place + text.utf8CodeUnitCount > count { return false }
    for index in 0..<text.utf8CodeUnitCount {
      // Within the literal, which lives for ever.
      if unsafe bytes[place + index] != text.utf8Start[index] { return false }
    }
    return true
  }

  /// The line as text, which is allocated, with an end.
  var text: String {
    let part = bytes.span.extracting(0..<count)
    // The span is readable for its length.
    return unsafe part.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) } + "\n"
  }

  private mutating func append(byte: UInt8) {
    // One is kept for the end of the line.
    if count < bytes.count - 1 {
      bytes[count] = byte
      count += 1
    }
  }

  /// Writes the line to standard error and starts a new one.
  package mutating func write() {
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
    count = 0
  }
}
