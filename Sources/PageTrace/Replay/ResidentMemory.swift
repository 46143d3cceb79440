import CSysMem

/// How much anonymous memory of this process is in RAM, as the kernel says.
///
/// Anonymous memory is what a program asks for: arenas, heap, stacks. The pages of its code, which
/// come and go with what it happens to run, are not counted.
package enum ResidentMemory {
  /// The resident bytes, quickly; nil where there is no /proc.
  ///
  /// The kernel keeps part of this count per processor, so it can be wrong by some hundred KiB.
  package static func quick() -> UInt64? {
    // size, resident, shared, ... in physical pages; shared is all that is not anonymous.
    guard let text = readStart(of: "/proc/self/statm") else { return nil }
    let resident = firstIndex(after: 0x20, in: text, from: 0)
    let shared = firstIndex(after: 0x20, in: text, from: resident)
    guard let residentPages = number(in: text, from: resident),
      let sharedPages = number(in: text, from: shared), residentPages >= sharedPages
    else { return nil }
    return (residentPages - sharedPages) * UInt64(csm_page_size())
  }

  /// The resident bytes, counted by a walk over the page tables: exact, but of some milliseconds
  /// when a GiB is resident. Falls back on `quick` where the kernel does not offer it.
  package static func exact() -> UInt64? {
    guard let text = readStart(of: "/proc/self/smaps_rollup") else { return quick() }
    // One of the lines is "Anonymous:         1234 kB".
    var line = 0
    while line < text.count {
      if text[line...].starts(with: anonymousLabel) {
        var digits = line + anonymousLabel.count
        while digits < text.count, text[digits] == 0x20 { digits += 1 }
        guard let kibibytes = number(in: text, from: digits) else { break }
        return kibibytes * 1024
      }
      line = firstIndex(after: 0x0a, in: text, from: line)
    }
    return quick()
  }

  /// `Anonymous:`
  private static var anonymousLabel: [UInt8] {
    [0x41, 0x6e, 0x6f, 0x6e, 0x79, 0x6d, 0x6f, 0x75, 0x73, 0x3a]
  }

  /// The first KiB of a file of /proc, or nil when it cannot be read.
  private static func readStart(of path: StaticString) -> [UInt8]? {
    // Invariant: a string literal is stored with a zero byte after it.
    let file = path.withUTF8Buffer { utf8 in
      unsafe utf8.withMemoryRebound(to: CChar.self) { unsafe csm_open_read($0.baseAddress!) }
    }
    guard file.error == 0 else { return nil }
    let descriptor = Int32(truncatingIfNeeded: file.value)
    defer { csm_close(descriptor) }
    let capacity = 1024
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
      // Invariant: the kernel writes at most `capacity` bytes, and says how many.
      let result = unsafe csm_read(descriptor, buffer.baseAddress!, capacity)
      count = result.error == 0 ? Int(result.value) : 0
    }
    return bytes.isEmpty ? nil : bytes
  }

  /// The index after the first `byte` at or after `start`, or the end.
  private static func firstIndex(after byte: UInt8, in text: [UInt8], from start: Int) -> Int {
    var index = start
    while index < text.count, text[index] != byte { index += 1 }
    return min(index + 1, text.count)
  }

  private static func number(in text: [UInt8], from start: Int) -> UInt64? {
    var value: UInt64 = 0
    var index = start
    while index < text.count, text[index] >= 0x30, text[index] <= 0x39 {
      value = value &* 10 &+ UInt64(text[index] - 0x30)
      index += 1
    }
    return index == start ? nil : value
  }
}
