import PageTrace

extension ReplayResult {
  /// The figures of one file, one line each.
  var text: String {
    guard let header, let report else { return "" }
    let checked = checking == .everyByte ? "every byte checked" : "one word a page checked"
    let pages = "\(grouped(report.peakLivePages)) pages (\(bytes(livePeakBytes)))"
    let rows = [
      (
        "time",
        "\(duration(Double(report.elapsedNanoseconds))), "
          + "\(duration(report.nanosecondsPerOperation)) an operation with writing and checking"
      ),
      ("allocate", callText(report.allocateCalls)),
      ("free", callText(report.freeCalls)),
      ("contents", "\(bytes(report.bytesWritten)) written, \(bytes(report.bytesChecked)) checked"),
      (
        "live",
        "\(pages) at most, \(grouped(header.endLivePages)) at the end, "
          + "\(grouped(report.usageAfter.inUseBytes / 8192)) after freeing"
      ),
      ("resident", residentText(report)),
      (
        "ready",
        "\(bytes(report.peakReadyBytes)) at most, "
          + "\(decimal(report.footprint, places: 3)) times what is live at most"
      ),
      (
        "fragments",
        "\(decimal(report.fragmentation * 100, places: 1)) % of the free pages outside the longest "
          + "free run"
      ),
      ("metadata", bytes(report.usageAfter.metadataBytes)),
      ("given back", "\(bytes(report.releasedBytes)) on request, of what did not go by itself"),
    ]
    var text = "\(header.name): \(grouped(report.eventCount)) operations, \(checked)"
    for (label, value) in rows { text += "\n  \(padded(right: label, 11))\(value)" }
    return text
  }

  var livePeakBytes: UInt64 { UInt64(report?.peakLivePages ?? 0) * 8192 }

  private func callText(_ times: CallTimes) -> String {
    if times.count == 0 { return "no calls" }
    let calls = "\(grouped(times.count)) calls"
    if times.timedCount == 0 { return calls }
    let timed =
      times.timedCount == times.count ? "all timed" : "\(grouped(times.timedCount)) timed"
    return "\(duration(times.medianNanoseconds)) the median call, "
      + "\(duration(times.meanNanoseconds)) the mean (\(calls), \(timed))"
  }

  private func residentText(_ report: ReplayReport) -> String {
    guard let before = report.residentBefore, let peak = report.residentPeak,
      let after = report.residentAfter
    else { return "the system does not say" }
    var text = "\(bytes(before)) before, \(bytes(peak)) at most, "
    if let returned = report.residentReturned {
      text += "\(bytes(returned)) by itself after "
      text += "\(decimal(Double(report.returnNanoseconds) / 1e9, places: 1)) s "
      text += "(\(byteChange(from: before, to: returned))), "
    }
    return text + "\(bytes(after)) after (\(byteChange(from: before, to: after)))"
  }
}

/// One row a file that was replayed, for comparison; nil when there is none.
func replayTable(_ results: [ReplayResult]) -> String? {
  let titles = [
    "trace", "operations", "time", "per op", "allocate", "free", "live peak", "resident peak",
    "after", "footprint", "fragments",
  ]
  var rows: [[String]] = []
  for result in results {
    guard let header = result.header, let report = result.report else { continue }
    let before = report.residentBefore ?? 0
    rows.append([
      header.name, grouped(report.eventCount), duration(Double(report.elapsedNanoseconds)),
      duration(report.nanosecondsPerOperation), medianText(report.allocateCalls),
      medianText(report.freeCalls), bytes(result.livePeakBytes),
      report.residentPeak.map { byteChange(from: before, to: $0) } ?? "-",
      report.residentAfter.map { byteChange(from: before, to: $0) } ?? "-",
      decimal(report.footprint, places: 3), decimal(report.fragmentation * 100, places: 1) + " %",
    ])
  }
  if rows.isEmpty { return nil }
  let widths = titles.indices.map { column in
    ([titles] + rows).map { $0[column].count }.max() ?? 0
  }
  let lines = ([titles] + rows).map { row in
    row.enumerated().map { column, text in
      column == 0 ? padded(right: text, widths[column]) : padded(left: text, widths[column])
    }.joined(separator: "  ")
  }
  return "\n" + lines.joined(separator: "\n")
}

private func medianText(_ times: CallTimes) -> String {
  times.timedCount == 0 ? "-" : duration(times.medianNanoseconds)
}
