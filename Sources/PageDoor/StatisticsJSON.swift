import CPageAlloc
import PageAlloc

/// Text written into a buffer of the caller's: what does not fit is counted, and left out.
@safe
private struct CallersText {
  // Invariant: `room` bytes may be written from here on.
  private let start: UnsafeMutablePointer<CChar>?
  private let room: Int
  /// Bytes that there would be with enough room.
  private(set) var count = 0

  init(_ start: UnsafeMutablePointer<CChar>?, room: Int) {
    unsafe self.start = start
    self.room = unsafe start == nil ? 0 : max(0, room)
  }

  mutating func append(_ byte: UInt8) {
    // Below the room less the byte that closes the text.
    if count + 1 < room { unsafe start![count] = CChar(bitPattern: byte) }
    count += 1
  }

  mutating func append(_ text: StaticString) {
    // The bytes of a literal.
    text.withUTF8Buffer { bytes in
      for index in bytes.indices { unsafe append(bytes[index]) }
    }
  }

  mutating func append(_ value: UInt64) {
    var divisor: UInt64 = 1
    while value / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
      divisor /= 10
    }
  }

  /// Closes the text.
  ///
  /// - Returns: whether all of it is there.
  func finish() -> Bool {
    if room == 0 { return false }
    unsafe start![min(count, room - 1)] = 0
    return count < room
  }
}

/// Writes a figure, and what parts it from the one before.
private func write(
  _ name: StaticString, _ value: UInt64, to text: inout CallersText, isFirst: Bool
) {
  text.append(isFirst ? "\"" : ",\"")
  text.append(name)
  text.append("\":")
  text.append(value)
}

@c @implementation
package func pa_statistics_json(
  _ arena: OpaquePointer?, _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: Int,
  _ length: UnsafeMutablePointer<Int>?
) -> pa_status {
  unsafe looking(arena) { arena in
    unsafe writeJSON(arena.statistics, buffer, capacity, length)
  }
}

/// Writes figures into a buffer of the caller's, as JSON.
func writeJSON(
  _ now: PageArena.Statistics, _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: Int,
  _ length: UnsafeMutablePointer<Int>?
) -> pa_status {
  if unsafe buffer == nil, capacity != 0 { return .badArgument }
  // What a `size_t` has beyond an `Int` is more room than there can be.
  var text = unsafe CallersText(buffer, room: capacity < 0 ? .max : capacity)
  text.append("{")
  var isFirst = true
  now.forEachFigure { _, name, value in
    write(name, value, to: &text, isFirst: isFirst)
    isFirst = false
  }
  text.append(",\"returned\":{")
  isFirst = true
  now.returned.forEachFigure { _, name, value in
    write(name, value, to: &text, isFirst: isFirst)
    isFirst = false
  }
  text.append("}}")
  unsafe length?.pointee = text.count
  return text.finish() ? .ok : pa_status(PA_TRUNCATED)
}
