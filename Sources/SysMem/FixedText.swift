import CSysMem

/// Text in the value itself, of at most `capacity` - 1 bytes: nothing is allocated.
///
/// For what is read from the kernel's files, and for lines that must be put together where nothing
/// may be allocated: under a lock, in a signal handler, when the state is broken. What does not fit
/// is cut.
package struct FixedText<let capacity: Int>: MutableTextBytes, ~Copyable {
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

// MARK: - Use

extension FixedText {
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

  /// Runs `body` with the text and the zero behind it.
  package func withBytesAndZero(_ body: (borrowing Span<UInt8>) -> Void) {
    body(bytes.span.extracting(0...count))
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
