import CSysMem

/// A file that is open for reading, as long as the value lives.
struct OpenFile: ~Copyable {
  /// The descriptor.
  let descriptor: Int32

  /// Opens a file; `nil` where that is refused.
  init?(_ path: borrowing some TextBytes & ~Copyable) {
    // The path's bytes end in a zero.
    let opened = unsafe path.withCString { unsafe csm_open_read($0) }
    guard opened.error == 0 else { return nil }
    descriptor = Int32(truncatingIfNeeded: opened.value)
  }

  deinit { csm_close(descriptor) }

  /// Adds the bytes that come next to a text that has room.
  ///
  /// - Returns: how many; 0 at the end of the file, `nil` where reading is refused.
  func read(into text: inout some MutableTextBytes & ~Copyable) -> Int? {
    let start = text.count
    while true {
      var error: Int32 = 0
      // The text has so much room.
      unsafe text.append { bytes, room in
        let read = unsafe csm_read(descriptor, bytes, room)
        error = read.error
        return error == 0 ? Int(read.value) : 0
      }
      if error == 0 { return text.count - start }
      if error != EINTR { return nil }
    }
  }
}

/// Reads a file up to its end, or until there is no more room.
///
/// - Returns: `false`, with the text empty, where it cannot be read.
func readFile(
  _ path: borrowing some TextBytes & ~Copyable, into text: inout some MutableTextBytes & ~Copyable
) -> Bool {
  text.clear()
  guard text.room > 0, let file = OpenFile(path) else { return false }
  while text.room > 0 {
    guard let count = file.read(into: &text) else {
      text.clear()
      return false
    }
    if count == 0 { break }
  }
  return true
}
