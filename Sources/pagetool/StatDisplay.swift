import Foundation

/// Shows figures of an arena over and over: in place, a line each, or as JSON.
struct StatDisplay {
  private let name: String
  private let total: Int
  private let isLive: Bool
  private let isJSON: Bool
  /// The lines that stand on the terminal.
  private var lineCount = 0
  private var hasTitles = false
  private var lastShown: Double?
  /// How long the operations took, once they are done.
  private var duration: Double?

  init(name: String, total: Int, isLive: Bool, isJSON: Bool) {
    self.name = name
    self.total = total
    self.isLive = isLive
    self.isJSON = isJSON
  }

  /// - Parameter isLast: it is to be seen in any case.
  mutating func show(_ figures: ArenaFigures, isLast: Bool) {
    if isJSON {
      try? printObject(StatLine(figures, total))
    } else if isLive {
      if !isLast, let lastShown, figures.seconds - lastShown < 0.05 { return }
      lastShown = figures.seconds
      refresh(figures)
    } else {
      print(line(figures))
    }
    // Whoever reads it is to see it now.
    fflush(nil)
  }

  // MARK: In place

  private mutating func refresh(_ figures: ArenaFigures) {
    // Up to the first line, and no remains of a longer one.
    var text = lineCount > 0 ? "\u{1b}[\(lineCount)A" : ""
    let lines = block(figures)
    for line in lines { text += line + "\u{1b}[K\n" }
    lineCount = lines.count
    print(text, terminator: "")
  }

  private mutating func block(_ figures: ArenaFigures) -> [String] {
    let percent = total == 0 ? 100 : Int(Double(figures.done) / Double(total) * 100)
    let seconds = duration ?? figures.seconds
    if figures.done == total { duration = seconds }
    let speed = seconds > 0 ? Double(figures.done) / seconds : 0
    let statistics = figures.statistics
    let longest = max(1, max(statistics.readyBytes, figures.resident ?? 0))
    let rows: [(String, UInt64?)] = [
      ("in use", statistics.inUseBytes), ("cached", figures.cached), ("free", figures.free),
      ("given back", statistics.scavengedBytes), ("resident", figures.resident),
    ]
    var lines = [
      "\(name.prefix(60)): \(percent) %",
      "  operations   \(grouped(figures.done)) of \(grouped(total)), "
        + "\(grouped(Int(speed))) a second, \(decimal(seconds, places: 1)) s",
    ]
    for (label, count) in rows {
      guard let count else { continue }
      let width = Int((Double(count) / Double(longest) * 40).rounded())
      lines.append(
        "  \(padded(right: label, 11))\(padded(left: bytes(count), 11))  "
          + String(repeating: "█", count: width) + String(repeating: "·", count: 40 - width))
    }
    lines.append(
      "  fragments  \(padded(left: decimal(figures.fragmentation * 100, places: 1) + " %", 11))"
        + "  longest free run \(bytes(figures.longestFreeRun))")
    return lines
  }

  // MARK: A line each

  private mutating func line(_ figures: ArenaFigures) -> String {
    var text = ""
    if !hasTitles {
      hasTitles = true
      text = row([
        "operation", "seconds", "in use", "cached", "free", "given back", "resident", "fragments",
      ])
      text += "\n"
    }
    return text
      + row([
        grouped(figures.done), decimal(figures.seconds, places: 2),
        bytes(figures.statistics.inUseBytes), bytes(figures.cached), bytes(figures.free),
        bytes(figures.statistics.scavengedBytes), figures.resident.map(bytes) ?? "-",
        decimal(figures.fragmentation * 100, places: 1) + " %",
      ])
  }

  private func row(_ cells: [String]) -> String {
    zip(cells, [9, 8, 10, 9, 9, 11, 10, 10]).map { padded(left: $0, $1) }.joined()
  }
}

// MARK: - JSON

/// An object a line.
func printObject(_ value: some Encodable) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  print(String(decoding: try encoder.encode(value), as: UTF8.self))
}

private struct StatLine: Encodable {
  let figures: ArenaFigures
  let total: Int

  init(_ figures: ArenaFigures, _ total: Int) {
    self.figures = figures
    self.total = total
  }

  private enum Key: String, CodingKey {
    case operation, operations, seconds, inUseBytes, cachedBytes, freeBytes, givenBackBytes
    case residentBytes, longestFreeRunBytes, fragmentation
  }

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try object.encode(figures.done, forKey: .operation)
    try object.encode(total, forKey: .operations)
    try object.encode(figures.seconds, forKey: .seconds)
    try object.encode(figures.statistics.inUseBytes, forKey: .inUseBytes)
    try object.encode(figures.cached, forKey: .cachedBytes)
    try object.encode(figures.free, forKey: .freeBytes)
    try object.encode(figures.statistics.scavengedBytes, forKey: .givenBackBytes)
    try object.encode(figures.resident, forKey: .residentBytes)
    try object.encode(figures.longestFreeRun, forKey: .longestFreeRunBytes)
    try object.encode(figures.fragmentation, forKey: .fragmentation)
  }
}
