import Foundation
import PageTrace

/// A line on the terminal that says how far the work on a file is. Nothing at all is written when
/// the standard error is not a terminal.
final class ProgressLine {
  private let label: String
  private let isShown: Bool
  private var percent = -1

  init(_ path: String) {
    label = baseName(path)
    isShown = isatty(STDERR_FILENO) == 1
  }

  deinit { erase() }

  func update(_ done: Int, _ total: Int) {
    guard isShown, total > 0 else { return }
    let now = Int(Double(done) / Double(total) * 100)
    guard now != percent else { return }
    percent = now
    // Back to the start of the line, the text, and no remains of a longer one.
    writeToStandardError("\r\(label) \(now) %\u{1b}[K")
  }

  /// Leaves the line empty, for what is written next.
  func erase() {
    guard isShown, percent >= 0 else { return }
    percent = -1
    writeToStandardError("\r\u{1b}[K")
  }
}
