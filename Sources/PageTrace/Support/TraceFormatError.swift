/// A trace file says something that no trace file may say: a number out of its range, an
/// operation that does not exist or cannot be done, a missing end.
package struct TraceFormatError: Error {
  /// The line at fault, counted from 1.
  package let line: Int

  /// What is wrong with it, as part of a sentence.
  package let reason: String

  package init(line: Int, reason: String) {
    self.line = line
    self.reason = reason
  }

  /// `line 12: unknown operation "allok"`
  package var description: String { "line \(line): \(reason)" }
}
