/// One check: a name, and what it does. The same value runs under Swift Testing on x86_64 and in
/// the Embedded runner on the targets of Tests/Cross.
package struct Check: Sendable {
  /// What holds when the check passes.
  package let name: StaticString
  /// Does it, and records what does not hold.
  package let body: @Sendable (inout Recorder) -> Void

  /// A check by name.
  package init(_ name: StaticString, _ body: @escaping @Sendable (inout Recorder) -> Void) {
    self.name = name
    self.body = body
  }

  /// Runs the check.
  ///
  /// - Returns: what did not hold; empty where all did.
  package func run() -> [String] {
    var recorder = Recorder()
    body(&recorder)
    if recorder.expectations == 0 { recorder.fail("the check expected nothing") }
    return recorder.failures
  }
}

/// Collects what did not hold in one check.
package struct Recorder {
  /// One line a failure; the first few.
  package private(set) var failures: [String] = []
  /// How many expectations were looked at.
  package private(set) var expectations = 0
  /// Said with each failure, to find the case again: a seed, a size.
  package var context: String = ""

  /// Records that something must hold.
  package mutating func expect(
    _ condition: Bool, _ what: @autoclosure () -> String, line: UInt = #line
  ) {
    expectations += 1
    if !condition { fail(what(), line: line) }
  }

  /// Records that two numbers must be equal.
  package mutating func expectEqual<T: BinaryInteger>(
    _ actual: T, _ expected: T, _ what: @autoclosure () -> String, line: UInt = #line
  ) {
    expectations += 1
    if actual != expected {
      fail(
        "\(what()): \(Int64(truncatingIfNeeded: actual)), "
          + "not \(Int64(truncatingIfNeeded: expected))",
        line: line)
    }
  }

  /// Records a failure.
  package mutating func fail(_ what: String, line: UInt = #line) {
    if failures.count < 5 {
      failures.append(
        context.utf8.isEmpty ? "line \(line): \(what)" : "line \(line): \(what) [\(context)]")
    } else if failures.count == 5 {
      failures.append("and more")
    }
  }

  /// Says that the check cannot be made here, and why. The reason is printed.
  package mutating func leaveOut(_ reason: StaticString) {
    expectations += 1
    print("    left out here: \(reason.description)")
  }

  /// Says what was measured. It is printed, whatever comes of the check.
  package mutating func tell(_ figures: String) { print("    measured: \(figures)") }

  /// Whether nothing failed so far: long loops stop at the first failure.
  package var isGood: Bool { failures.isEmpty }
}
