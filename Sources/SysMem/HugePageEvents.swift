/// How the kernel came by huge pages, for all processes, from `/proc/vmstat`.
///
/// ```
/// compact_stall 12
/// thp_fault_alloc 6649
/// ```
package struct HugePageEvents: Equatable, Sendable {
  /// Faults that were given a huge page.
  package var allocated: UInt64 = 0
  /// Faults that waited while the kernel moved memory about.
  package var stalls: UInt64 = 0

  /// None at all.
  package init() {}

  /// What came to it since an earlier reading. Counters never go down; where one seems to, nothing
  /// happened.
  package func since(_ earlier: HugePageEvents) -> HugePageEvents {
    var result = HugePageEvents()
    result.allocated = allocated - min(allocated, earlier.allocated)
    result.stalls = stalls - min(stalls, earlier.stalls)
    return result
  }
}

extension HugePageEvents {
  /// Reads them line by line.
  package struct Scan: ~Copyable {
    /// What was read so far; `nil` where huge pages were not spoken of.
    package private(set) var found: HugePageEvents?

    /// Has read nothing yet.
    package init() {}

    /// Reads a line of the file.
    package mutating func take(_ line: borrowing LineCutter.Line) {
      var events = found ?? HugePageEvents()
      if let number = Self.number(in: line, after: "thp_fault_alloc ") {
        events.allocated = number
      } else if let number = Self.number(in: line, after: "compact_stall ") {
        events.stalls = number
      } else {
        return
      }
      found = events
    }

    private static func number(
      in line: borrowing LineCutter.Line, after label: StaticString
    ) -> UInt64? {
      line.has(label, at: 0) ? line.number(at: label.utf8CodeUnitCount) : nil
    }
  }
}
