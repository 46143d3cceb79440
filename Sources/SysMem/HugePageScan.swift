/// Sums up `AnonHugePages` of the mappings that start in certain ranges, from `/proc/self/smaps`.
///
/// ```
/// 7f0000400000-7f0000800000 rw-p 00000000 00:00 0
/// Size:               4096 kB
/// AnonHugePages:      2048 kB
/// ```
package struct HugePageScan: ~Copyable {
  private var ranges = BoundedArray<Range<UInt>, 64>(filler: 0..<0)
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
    forEachLine(of: FixedText<32>("/proc/self/smaps")) { take($0) } ? byteCount : nil
  }

  /// Reads a line of the file.
  package mutating func take(_ line: borrowing LineCutter.Line) {
    var index = 0
    if let start = Self.hexNumber(line, &index), line[index] == UInt8(ascii: "-") {
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

  /// The hexadecimal number at the start of a line, and where it ends; `nil` where there is none.
  private static func hexNumber(
    _ line: borrowing LineCutter.Line, _ index: inout Int
  ) -> UInt64? {
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
