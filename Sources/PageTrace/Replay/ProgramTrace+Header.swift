extension ProgramTrace {
  /// What stands above the events. Counts are of the events, sizes in pages of 8 KiB.
  package struct Header {
    package let name: String
    /// `go-spans` or `mmap`.
    package let kind: String
    package let program: String
    package let eventCount: Int
    package let allocationCount: Int
    package let freeCount: Int
    package let resizeCount: Int
    package let purgeCount: Int
    package let threadCount: Int
    package let peakLivePages: Int
    package let endLivePages: Int
    /// The pages of all allocations, and of the growth by resizes.
    package let allocatedPages: UInt64
  }
}

/// The lines from `#pagetrace 1` to `#end`, taken apart but not yet compared with the events.
struct HeaderLines {
  private struct Entry {
    let key: ArraySlice<UInt8>
    let value: ArraySlice<UInt8>
    let line: Int
  }

  /// More lines than any header needs; the search for a key that is given twice looks at all.
  private static let mostLines = 1000

  private var entries: [Entry] = []
  /// The line of `#end`.
  private(set) var lastLine = 0

  /// Reads the header and leaves `reader` at the first event.
  init(_ reader: inout LineReader) throws(TraceFormatError) {
    guard let first = try reader.next() else {
      throw TraceFormatError(line: 1, reason: "the file is empty")
    }
    guard first.bytes.equals("#pagetrace 1") else {
      throw first.error("a page trace begins with \"#pagetrace 1\", not \(first.bytes.quoted)")
    }
    while let line = try reader.next() {
      if line.bytes.equals("#end") {
        lastLine = line.number
        return
      }
      let entry = try Self.entry(line)
      for other in entries where other.key.elementsEqual(entry.key) {
        throw line.error("the key \(entry.key.quoted) stands in line \(other.line) already")
      }
      guard entries.count < Self.mostLines else {
        throw line.error("the header has more than \(Self.mostLines) lines")
      }
      entries.append(entry)
    }
    throw TraceFormatError(line: reader.lineNumber, reason: "the file ends within the header")
  }

  /// The key and the value of `# key: value`.
  private static func entry(_ line: Line) throws(TraceFormatError) -> Entry {
    let text = line.bytes
    let key = text.startIndex + 2
    guard text.count >= 2, text[text.startIndex] == UInt8(ascii: "#"), text[key - 1] == Ascii.space
    else { throw line.error("neither a \"# key: value\" line nor \"#end\"") }
    var colon = key
    while colon + 1 < text.endIndex {
      if text[colon] == UInt8(ascii: ":"), text[colon + 1] == Ascii.space {
        return Entry(key: text[key..<colon], value: text[(colon + 2)...], line: line.number)
      }
      colon += 1
    }
    throw line.error("neither a \"# key: value\" line nor \"#end\"")
  }

  /// The line that a key stands in, for errors; of a missing one the last line of the header.
  func line(of key: StaticString) -> Int {
    entries.first { $0.key.equals(key) }?.line ?? lastLine
  }

  /// The value of a key that has to be there.
  func value(_ key: StaticString) throws(TraceFormatError) -> ArraySlice<UInt8> {
    guard let entry = entries.first(where: { $0.key.equals(key) }) else {
      throw TraceFormatError(line: lastLine, reason: "the header has no \(key.text)")
    }
    return entry.value
  }

  func text(_ key: StaticString) throws(TraceFormatError) -> String {
    String(decoding: try value(key), as: UTF8.self)
  }

  func number(_ key: StaticString) throws(TraceFormatError) -> UInt64 {
    let value = try value(key)
    guard let number = value.plainDecimal else {
      throw TraceFormatError(
        line: line(of: key), reason: "\(key.text) is no plain decimal number: \(value.quoted)")
    }
    return number
  }

  /// Checks that the header says of `key` what was found.
  func expect(_ key: StaticString, _ found: UInt64) throws(TraceFormatError) {
    let said = try number(key)
    guard said == found else {
      throw TraceFormatError(
        line: line(of: key), reason: "the header says \(key.text) \(said), it is \(found)")
    }
  }
}

extension ArraySlice<UInt8> {
  /// The value of decimal digits without needless zeros before them.
  ///
  /// - Returns: `nil` for anything else, and for a number over 2^64 - 1.
  var plainDecimal: UInt64? {
    if count > 1, first == UInt8(ascii: "0") { return nil }
    return decimal
  }
}
