import Foundation

/// The report as text: ratios first, then the figures they come from.
struct TextReport {
  private let report: Report
  private var lines: [String] = []

  /// The lines, without line ends.
  static func lines(_ report: Report) -> [String] {
    var text = TextReport(report: report)
    text.addFigures()
    text.addFloor()
    text.addTails()
    text.addEngine()
    text.addMemory()
    text.addDemands()
    text.addSummary()
    return text.lines
  }

  private init(report: Report) { self.report = report }

  private var names: [String] { report.peers.present.map(\.name) }

  private mutating func addFigures() {
    let rows = report.rows.filter(\.row.hasRivals)
    if rows.isEmpty { return }
    lines.append("")
    lines.append("Nanoseconds an operation, p50 (median of the rounds); ours ÷ best rival.")
    lines.append("Huge pages: \(report.surroundings.hugePageSwitches).")
    lines.append(
      left("", 30) + names.map { right($0, 10) }.joined() + right("ratio", 8) + right("bound", 7)
        + right("÷ floor", 9))
    var family = ""
    for result in rows {
      if !family.isEmpty, result.row.family != family { lines.append("") }
      family = result.row.family
      let figures = names.map { name in
        right(result.results[name].map { nanoseconds($0.figures.p50) } ?? "-", 10)
      }
      lines.append(left(result.row.name, 30) + figures.joined() + verdict(result))
    }
  }

  private func verdict(_ result: RowResult) -> String {
    guard let comparison = report.comparisons.first(where: { $0.row.name == result.row.name })
    else { return "" }
    var text = right(decimal(comparison.ratio, 2), 8)
    if let bound = comparison.row.bound, let holds = comparison.holds {
      text += right(decimal(bound, 2), 7) + overFloor(comparison) + (holds ? "  ok  " : "  MISS")
    } else {
      text += right("", 7) + overFloor(comparison) + right("", 6)
    }
    return text + "  " + comparison.best.name
  }

  private func overFloor(_ comparison: Comparison) -> String {
    right(comparison.overFloor.map { decimal($0, 2) } ?? "-", 9)
  }

  /// What can be counted of what lies between ours and the floor.
  private mutating func addFloor() {
    let rows = report.rows.filter { result in
      report.comparisons.contains { $0.row.name == result.row.name && $0.overFloor ?? 0 > 1.15 }
    }
    if rows.isEmpty { return }
    lines.append("")
    lines.append("Over 1.15 × the floor: nanoseconds, page faults and system calls an operation.")
    lines.append(
      left("", 30) + ["ours", "floor", "faults", "floor's", "calls"].map { right($0, 10) }.joined())
    for result in rows {
      guard let ours = result.results[Peers.ours]?.figures,
        let floor = result.results[Peers.floor]?.figures
      else { continue }
      let counts = [
        (ours.pageFaults, ours), (floor.pageFaults, floor), (ours.systemCalls, ours),
      ].map { count, figures in
        right(count < 0 ? "-" : decimal(count / max(1, figures.operations), 4), 10)
      }
      lines.append(
        left(result.row.name, 30) + right(nanoseconds(ours.p50), 10)
          + right(nanoseconds(floor.p50), 10) + counts.joined())
    }
  }

  /// What single operations take at worst.
  private mutating func addTails() {
    let rows = report.rows.filter { $0.results[Peers.ours]?.figures.singleWorst ?? -1 >= 0 }
    if rows.isEmpty { return }
    lines.append("")
    lines.append(
      "Single operations, each timed by itself: ns, p99.9 / worst (median of the rounds).")
    let shown = names.filter { $0 != Peers.nobody }
    lines.append(left("", 30) + shown.map { right($0, 18) }.joined())
    for result in rows {
      let figures = shown.map { name -> String in
        guard let found = result.results[name]?.figures, found.singleWorst >= 0 else {
          return right("-", 18)
        }
        let tail = found.single999 < 0 ? "-" : grouped(Int(found.single999.rounded()))
        return right(tail + " / " + grouped(Int(found.singleWorst.rounded())), 18)
      }
      lines.append(left(result.row.name, 30) + figures.joined())
    }
  }

  private mutating func addEngine() {
    let rows = report.comparisons.filter { !$0.row.hasRivals }
    if rows.isEmpty { return }
    lines.append("")
    lines.append(
      "The engine alone against the Go runtime's (a table, recorded once); least mean ns.")
    let pair = report.mmapPair.map { "\(nanoseconds($0)) ns here" } ?? "not measured here"
    let there = report.go.mmapPair
    lines.append(
      "mmap/1, to see whether the machines agree: \(nanoseconds(there.lowerBound)) to "
        + "\(nanoseconds(there.upperBound)) ns there, \(pair).")
    if rows.contains(where: { !$0.isAgreed }) {
      lines.append("They do not, or nobody knows: a ratio within the bound proves nothing.")
    }
    lines.append(
      left("", 44) + right("ours", 10) + right("Go", 10) + right("ratio", 8) + right("bound", 7))
    for row in rows {
      lines.append(
        left(row.row.name, 44) + right(nanoseconds(row.ours), 10)
          + right(nanoseconds(row.best.nanoseconds), 10) + right(decimal(row.ratio, 2), 8)
          + right(row.row.bound.map { decimal($0, 2) } ?? "", 7)
          + mark(row.holds))
    }
  }

  private mutating func addMemory() {
    let rows = report.rows.filter(\.row.hasMemory)
    if rows.isEmpty { return }
    lines.append("")
    lines.append("Resident MiB: peak / after all was freed / after idle memory was given back.")
    let shown = names.filter { $0 != Peers.nobody }
    lines.append(left("", 30) + shown.map { right($0, 17) }.joined())
    for result in rows {
      let figures = shown.map { name -> String in
        guard let found = result.results[name]?.figures else { return right("-", 17) }
        let three = [found.residentPeak, found.residentFreed, found.residentReleased]
        return right(three.map { decimal(max(0, $0) / 1_048_576, 0) }.joined(separator: " / "), 17)
      }
      lines.append(left(result.row.name, 30) + figures.joined())
    }
  }

  private mutating func addDemands() {
    if report.demands.isEmpty { return }
    lines.append("")
    lines.append("Demands on our figures alone")
    for demand in report.demands {
      lines.append(
        left(demand.name, 62) + right(decimal(demand.value, 2), 8)
          + right((demand.isFloor ? "≥ " : "≤ ") + decimal(demand.bound, 2), 9)
          + (demand.holds ? "  ok" : "  MISS"))
    }
  }

  private mutating func addSummary() {
    lines.append("")
    for missing in report.peers.missing {
      lines.append("not compared: \(missing.name): \(missing.reason)")
    }
    for result in report.rows {
      for (name, reason) in result.failures.sorted(by: { $0.key < $1.key })
      where !(name == Peers.raw && result.row.family == "aligned") {
        lines.append("no figure: \(result.row.name), \(name): \(reason)")
      }
    }
    let unproven = report.comparisons.count { $0.row.bound != nil && $0.holds == nil }
    let marks = report.comparisons.compactMap(\.holds) + report.demands.map(\.holds)
    lines.append(
      "\(marks.count + unproven) bounds: \(marks.count { $0 }) hold, "
        + "\(marks.count { !$0 }) are missed, \(unproven) unproven")
  }
}

/// A bound that is kept, missed, or neither.
private func mark(_ holds: Bool?) -> String {
  switch holds {
  case true?: "  ok"
  case false?: "  MISS"
  case nil: "  unproven"
  }
}

// MARK: - Columns

private func left(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.count))
}

private func right(_ text: String, _ width: Int) -> String {
  String(repeating: " ", count: max(0, width - text.count)) + text
}

private func decimal(_ value: Double, _ places: Int) -> String {
  String(format: "%.\(places)f", value)
}

/// Three digits at least, no more places than one.
private func nanoseconds(_ value: Double) -> String {
  if value < 100 { return decimal(value, 1) }
  return grouped(Int(value.rounded()))
}

private func grouped(_ value: Int) -> String {
  var digits = String(value)
  var place = digits.count - 3
  while place > 0 {
    digits.insert(",", at: digits.index(digits.startIndex, offsetBy: place))
    place -= 3
  }
  return digits
}
