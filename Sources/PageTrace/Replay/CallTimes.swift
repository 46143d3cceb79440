/// Calls of one kind, and the time of those that were timed.
///
/// The mean of few calls says little when one of them was interrupted for a millisecond, so there
/// is a median too: the times are counted in classes, sixteen for every doubling.
package struct CallTimes: Equatable {
  package internal(set) var count = 0
  package private(set) var timedCount = 0
  package private(set) var nanoseconds: UInt64 = 0
  /// How many times fell into each class.
  private var classes = [UInt32](repeating: 0, count: 61 * 16)

  package init() {}

  /// The mean of the timed calls; 0 when none was.
  package var meanNanoseconds: Double {
    timedCount == 0 ? 0 : Double(nanoseconds) / Double(timedCount)
  }

  /// The median of the timed calls, to a sixteenth; 0 when none was.
  package var medianNanoseconds: Double {
    var below = 0
    for index in classes.indices {
      below += Int(classes[index])
      if 2 * below > timedCount { return Self.middle(ofClass: index) }
    }
    return 0
  }

  /// Counts the time of a call.
  mutating func add(_ spent: UInt64) {
    timedCount += 1
    nanoseconds += spent
    classes[Self.classIndex(of: spent)] += 1
  }

  /// Below 16 every number is a class; above, the leading one and the four bits after it tell it.
  private static func classIndex(of nanoseconds: UInt64) -> Int {
    if nanoseconds < 16 { return Int(nanoseconds) }
    let shift = 59 - nanoseconds.leadingZeroBitCount
    return (shift + 1) * 16 + Int(nanoseconds >> UInt64(shift) & 15)
  }

  private static func middle(ofClass index: Int) -> Double {
    if index < 32 { return Double(index) }
    let width = UInt64(1) << UInt64(index / 16 - 1)
    return Double((16 + UInt64(index % 16)) * width) + Double(width) / 2
  }
}
