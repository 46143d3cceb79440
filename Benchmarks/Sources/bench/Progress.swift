import Foundation

/// A line that tells how far the run is; a line for each family where nobody watches.
struct Progress {
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let total: Int
  private let start = Date()
  private var done = 0
  private var family = ""

  init(total: Int) { self.total = total }

  mutating func begin(_ row: Row) {
    let seconds = Int(Date().timeIntervalSince(start))
    if isTerminal {
      write("\r[\(done + 1)/\(total)] \(seconds) s  \(row.name)\u{1b}[K")
    } else if row.family != family {
      write("[\(done + 1)/\(total)] \(seconds) s  \(row.family)\n")
    }
    family = row.family
    done += 1
  }

  func end() {
    if isTerminal { write("\r\u{1b}[K") }
    write("measured \(total) rows in \(Int(Date().timeIntervalSince(start))) s\n")
  }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
