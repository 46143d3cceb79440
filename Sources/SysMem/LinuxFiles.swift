import CSysMem

/// The files of the system.
package final class LinuxFiles: SystemFiles {
  /// The files.
  package init() {}

  package func read(_ path: borrowing SmallText, into text: inout SmallText) -> Bool {
    readFile(path, into: &text)
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

/// Reads a file up to its end, or until there is no more room.
///
/// - Returns: `false`, with the text empty, where it cannot be read.
func readFile(
  _ path: borrowing some TextBytes & ~Copyable, into text: inout some MutableTextBytes & ~Copyable
) -> Bool {
  text.clear()
  guard text.room > 0 else { return false }
  // The path's bytes end in a zero.
  let opened = unsafe path.withCString { unsafe csm_open_read($0) }
  guard opened.error == 0 else { return false }
  let file = Int32(truncatingIfNeeded: opened.value)
  defer { csm_close(file) }
  while text.room > 0 {
    let start = text.count
    var error: Int32 = 0
    // The text has so much room.
    unsafe text.append { bytes, room in
      let read = unsafe csm_read(file, bytes, room)
      error = read.error
      return error == 0 ? Int(read.value) : 0
    }
    if error == EINTR { continue }
    guard error == 0 else {
      text.clear()
      return false
    }
    if text.count == start { break }
  }
  return true
}

/// The most mappings that a process may have; `nil` where the kernel does not tell.
package func mostMappings() -> Int? {
  var digits = FixedText<24>()
  guard readFile(FixedText<32>("/proc/sys/vm/max_map_count"), into: &digits) else { return nil }
  return digits.number(at: 0).flatMap { Int(exactly: $0) }
}

/// How many mappings the process has; `nil` where the kernel does not tell.
///
/// - Complexity: O(mappings), about 0.3 µs each.
package func readMappingCount() -> Int? {
  let path = FixedText<32>("/proc/self/maps")
  // The path's bytes end in a zero.
  let opened = unsafe path.withCString { unsafe csm_open_read($0) }
  guard opened.error == 0 else { return nil }
  let file = Int32(truncatingIfNeeded: opened.value)
  defer { csm_close(file) }
  var lines = 0
  var text = SmallText()
  guard text.room > 0 else { return nil }
  while true {
    text.clear()
    var error: Int32 = 0
    // The text has so much room.
    unsafe text.append { bytes, room in
      let read = unsafe csm_read(file, bytes, room)
      error = read.error
      return error == 0 ? Int(read.value) : 0
    }
    if error == EINTR { continue }
    if error != 0 { return nil }
    if text.count == 0 { return lines }
    for index in 0..<text.count where text[index] == UInt8(ascii: "\n") { lines += 1 }
  }
}
