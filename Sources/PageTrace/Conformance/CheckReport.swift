/// The first line of a file at which the allocator did something else than the file says.
package struct Mismatch {
  /// The line in the file, counted from 1.
  package let line: Int

  /// The line in full, as the file has it.
  package let expected: String

  /// The line in full, as the allocator makes it.
  package let actual: String
}

/// What came of checking one file.
package struct CheckReport {
  /// The file's name, without its folder.
  package let name: String

  /// How many operations the file holds: operation lines, vector lines or generated steps.
  package let operations: Int

  /// How many lines, or blocks of lines, differ.
  package let mismatches: Int

  /// The first that differs, if any does.
  package let firstMismatch: Mismatch?

  /// One line, without its newline: `one-chunk.trace: 840 operations, 0 mismatches`
  package var summary: String { "\(name): \(operations) operations, \(mismatches) mismatches" }

  /// The summary, and the first mismatch in full in an indented block below it.
  package var description: String {
    guard let first = firstMismatch else { return summary }
    return """
      \(summary)
        first mismatch, line \(first.line):
          expected: \(first.expected)
          actual:   \(first.actual)
      """
  }
}
