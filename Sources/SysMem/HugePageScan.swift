import CSysMem

/// Sums up `AnonHugePages` of the mappings that start in certain ranges, from `/proc/self/smaps`.
///
/// ```
/// 7f0000400000-7f0000800000 rw-p 00000000 00:00 0
/// Size:               4096 kB
/// AnonHugePages:      2048 kB
/// ```
package struct HugePageScan: ~Copyable {
  private var ranges = BoundedArray<Range<UInt>, 64>(filler: 0..<0)
  // The line being read, as far as it matters.
  private var line = FixedText<48>()
  private var isInside = false
  private var kibibytes: UInt64 = 0

  /// Looks at no range yet.
  package init() {}

  /// Bytes that were found so far.
  package var byteCount: UInt64 { kibibytes * 1024 }

  /// Adds a range to look at.
  package mutating func add(_ range: Range<UInt>) {
    if !ranges.isFull { ranges.append(range) }
  }

  /// Reads the file; `nil` where it cannot be read.
  package mutating func run() -> UInt64? {
    let path: StaticString = "/proc/self/smaps"
    // A static string ends in a zero and lives for ever.
    let opened = unsafe csm_open_read(
      UnsafeRawPointer(path.utf8Start).assumingMemoryBound(to: CChar.self))
    guard opened.error == 0 else { return nil }
    let file = Int32(truncatingIfNeeded: opened.value)
    defer { csm_close(file) }
    var buffer = InlineArray<4096, UInt8>(repeating: 0)
    while true {
      var span = buffer.mutableSpan
      // The kernel writes at most the bytes of the span.
      let read = unsafe span.withUnsafeMutableBytes {
        unsafe csm_read(file, $0.baseAddress, $0.count)
      }
      if read.error == EINTR { continue }
      guard read.error == 0 else { return nil }
      if read.value == 0 { return byteCount }
      for index in 0..<Int(read.value) { take(buffer[index]) }
    }
  }

  /// Reads a byte of the file.
  package mutating func take(_ byte: UInt8) {
    if byte == UInt8(ascii: "\n") {
      endLine()
      line.clear()
    } else {
      line.append(byte: byte)
    }
  }

  private mutating func endLine() {
    var index = 0
    if let start = hexNumber(&index), line[index] == UInt8(ascii: "-") {
      isInside = false
      // Under an emulator the file may tell of a host with a larger space.
      guard let start = UInt(exactly: start) else { return }
      for range in 0..<ranges.count where ranges[range].contains(start) { isInside = true }
      return
    }
    let label: StaticString = "AnonHugePages:"
    guard isInside, line.has(label, at: 0) else { return }
    var place = label.utf8CodeUnitCount
    while line[place] == UInt8(ascii: " ") { place += 1 }
    kibibytes &+= line.number(at: place) ?? 0
  }

  /// The hexadecimal number at the start of the line, and where it ends; `nil` where there is none.
  private func hexNumber(_ index: inout Int) -> UInt64? {
    var value: UInt64 = 0
    while index < line.count {
      let byte = line[index]
      let digit: UInt8
      switch byte {
      case 48...57: digit = byte - 48
      case 97...102: digit = byte - 87
      default: return index == 0 ? nil : value
      }
      value = value &* 16 &+ UInt64(digit)
      index += 1
    }
    return index == 0 ? nil : value
  }
}
