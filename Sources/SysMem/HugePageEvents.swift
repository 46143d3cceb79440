/// How the kernel came by huge pages, for all processes, from `/proc/vmstat`.
///
/// ```
/// compact_stall 12
/// thp_fault_alloc 6649
/// thp_fault_fallback 3
/// ```
package struct HugePageEvents: Equatable, Sendable {
  /// Faults that were given a huge page.
  package var allocated: UInt64 = 0
  /// Faults that were to be given one, and were given a small page.
  package var fallbacks: UInt64 = 0
  /// Faults that waited while the kernel moved memory about.
  package var stalls: UInt64 = 0

  /// None at all.
  package init() {}

  /// What came to it since an earlier reading. Counters never go down; where one seems to, nothing
  /// happened.
  package func since(_ earlier: HugePageEvents) -> HugePageEvents {
    var result = HugePageEvents()
    result.allocated = allocated - min(allocated, earlier.allocated)
    result.fallbacks = fallbacks - min(fallbacks, earlier.fallbacks)
    result.stalls = stalls - min(stalls, earlier.stalls)
    return result
  }
}

extension HugePageEvents {
  /// Reads them byte by byte.
  package struct Scan: ~Copyable {
    /// What was read so far; `nil` where huge pages were not spoken of.
    package private(set) var found: HugePageEvents?
    // The line being read: the lines that matter are shorter.
    private var line = FixedText<48>()

    /// Has read nothing yet.
    package init() {}

    /// Reads a byte of the file.
    package mutating func take(_ byte: UInt8) {
      if byte != UInt8(ascii: "\n") { return line.append(byte: byte) }
      var events = found ?? HugePageEvents()
      if let number = number(after: "thp_fault_alloc ") {
        events.allocated = number
        found = events
      } else if let number = number(after: "thp_fault_fallback ") {
        events.fallbacks = number
        found = events
      } else if let number = number(after: "compact_stall ") {
        events.stalls = number
        found = events
      }
      line.clear()
    }

    private func number(after label: StaticString) -> UInt64? {
      line.has(label, at: 0) ? line.number(at: label.utf8CodeUnitCount) : nil
    }
  }
}
