import CSysMem

/// The files in which the kernel tells about limits and pressure, so that a check can hand in others.
package protocol SystemFiles: AnyObject, Sendable {
  /// Reads the start of a file.
  ///
  /// - Returns: `false`, with the text empty, where it cannot be read.
  func read(_ path: borrowing SmallText, into text: inout SmallText) -> Bool

  /// Asks the kernel to tell when tasks wait for memory.
  ///
  /// - Returns: a file for ``awaitStall(_:bell:nanoseconds:)``, to be closed; `nil` where the kernel refuses.
  func watchStalls() -> Int32?

  /// Sleeps until tasks have stalled, `bell` can be read, or so many nanoseconds are over; `nil`: for as
  /// long as it takes.
  func awaitStall(_ file: Int32, bell: Int32, nanoseconds: UInt64?) -> StallNews
}

/// What ended a sleep.
package enum StallNews: Sendable {
  /// The bell, or the time.
  case none
  /// Tasks have waited for memory.
  case stalled
  /// The file tells nothing any more.
  case gone
}

extension SystemFiles {
  /// Refuses.
  package func watchStalls() -> Int32? { nil }
  /// Tells nothing.
  package func awaitStall(_ file: Int32, bell: Int32, nanoseconds: UInt64?) -> StallNews { .gone }
}

/// The files of the system.
package final class LinuxFiles: SystemFiles {
  /// The files.
  package init() {}

  package func read(_ path: borrowing SmallText, into text: inout SmallText) -> Bool {
    text.clear()
    // The path's bytes end in a zero.
    let opened = unsafe path.withPath { unsafe csm_open_read($0) }
    guard opened.error == 0 else { return false }
    let file = Int32(truncatingIfNeeded: opened.value)
    defer { csm_close(file) }
    // The text has so much room.
    return unsafe text.fill { buffer, room in unsafe csm_read(file, buffer, room) }
  }

  package func watchStalls() -> Int32? {
    // A window of 2 s is granted to everybody; one of another length wants a privilege.
    let watched = csm_watch_stalls(20_000, 2_000_000)
    return watched.error == 0 ? Int32(truncatingIfNeeded: watched.value) : nil
  }

  package func awaitStall(_ file: Int32, bell: Int32, nanoseconds: UInt64?) -> StallNews {
    let events = csm_poll_either(file, csm_pollpri, bell, nanoseconds ?? .max)
    if events & csm_pollerr != 0 { return .gone }
    return events & csm_pollpri != 0 ? .stalled : .none
  }
}

/// Up to 4,095 bytes of text in the value itself: no allocation.
package struct SmallText: ~Copyable {
  private var bytes = InlineArray<4096, UInt8>(repeating: 0)
  /// How many bytes there are. One more is zero.
  package private(set) var count = 0

  /// No text.
  package init() {}

  /// The text of a literal.
  package init(_ text: StaticString) { append(text) }

  /// A byte; 0 beyond the end.
  package subscript(index: Int) -> UInt8 { index < count ? bytes[index] : 0 }

  /// No text.
  package mutating func clear() { cut(to: 0) }

  /// Drops what follows the first `length` bytes.
  package mutating func cut(to length: Int) {
    count = min(count, length)
    bytes[count] = 0
  }

  /// Adds a byte; what does not fit is dropped.
  package mutating func append(byte: UInt8) {
    guard count < bytes.count - 1 else { return }
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

  /// Adds a part of another text.
  package mutating func append(_ other: borrowing SmallText, _ range: Range<Int>) {
    for index in range { append(byte: other[index]) }
  }

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

  fileprivate func withPath(_ body: (UnsafePointer<CChar>) -> csm_word) -> csm_word {
    // The bytes end in a zero, by the invariant of `count`, and live as long as the call.
    unsafe bytes.span.withUnsafeBytes {
      unsafe body($0.baseAddress!.assumingMemoryBound(to: CChar.self))
    }
  }

  /// Reads until the end of the file, or until there is no more room.
  fileprivate mutating func fill(_ read: (UnsafeMutableRawPointer, Int) -> csm_word) -> Bool {
    while count < bytes.count - 1 {
      let start = count
      let room = bytes.count - 1 - start
      var span = bytes.mutableSpan
      // `room` bytes follow the start, within the array.
      let result = unsafe span.withUnsafeMutableBytes {
        unsafe read($0.baseAddress! + start, room)
      }
      if result.error == EINTR { continue }
      guard result.error == 0 else {
        clear()
        return false
      }
      if result.value == 0 { break }
      count += Int(result.value)
    }
    bytes[count] = 0
    return true
  }
}
