import PageAlloc

// A chart in a terminal: a band of four rows for each curve, all of one scale, and below them the
// steps. No line is longer than 80 columns.

extension MemoryChart {
  /// Columns of a curve.
  private static var textWidth: Int { 68 }
  /// Rows of a curve.
  private static var textHeight: Int { 4 }
  /// What fills a character by so many eighths.
  private static var blocks: [StaticString] { [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] }

  /// The chart for a terminal: lines of at most 80 columns.
  ///
  /// - Parameter isColoured: whether there are codes for colours in it, which take no column.
  package func text(isColoured: Bool) -> String {
    var text = AsciiText()
    text.append(string: PagePicture.heading(title, columns: 80))
    text.append("\n")
    for curve in Curve.allCases {
      text.append("\n")
      appendHead(curve, &text)
      appendBand(columns(curve), curve, isColoured, &text)
    }
    appendSteps(&text)
    return text.string
  }

  private func appendHead(_ curve: Curve, _ text: inout AsciiText) {
    text.append(curve.title)
    if let peak = peak(of: curve), let last = samples.last {
      text.append(": at most ")
      text.append(byteCount: curve.value(peak))
      text.append(", at step ")
      text.append(grouped: peak.step)
      text.append("; ")
      text.append(byteCount: curve.value(last))
      text.append(" at the end")
    }
    text.append("\n")
  }

  /// The largest figure of each column: what is between two samples is as at the first of them.
  private func columns(_ curve: Curve) -> [UInt64] {
    var columns = [UInt64](repeating: 0, count: Self.textWidth)
    guard let first = samples.first?.step, let last = samples.last?.step else { return columns }
    let distance = UInt64(max(1, last - first))
    func column(_ step: Int) -> Int {
      Int(UInt64(step - first) * UInt64(Self.textWidth - 1) / distance)
    }
    for (index, sample) in samples.enumerated() {
      let end = index + 1 < samples.count ? column(samples[index + 1].step) : Self.textWidth
      let start = column(sample.step)
      for place in start..<max(start + 1, end) {
        columns[place] = max(columns[place], curve.value(sample))
      }
    }
    return columns
  }

  private func appendBand(
    _ columns: [UInt64], _ curve: Curve, _ isColoured: Bool, _ text: inout AsciiText
  ) {
    let full = UInt64(Self.textHeight * 8)
    for row in (0..<Self.textHeight).reversed() {
      // The scale stands beside the highest row and the lowest.
      var label = AsciiText()
      if row == Self.textHeight - 1 { label.append(byteCount: most) }
      if row == 0 { label.append("0") }
      for _ in 0..<max(0, 9 - label.bytes.count) { text.append(" ") }
      text.append(label.bytes[...])
      text.append(" ┤")
      if isColoured { appendColour(curve, &text) }
      for value in columns {
        // Rounded up: what is there is seen.
        let eighths = Int((value * full + most - 1) / most)
        text.append(Self.blocks[min(8, max(0, eighths - row * 8))])
      }
      if isColoured { text.append("\u{1b}[0m") }
      text.append("\n")
    }
  }

  private func appendColour(_ curve: Curve, _ text: inout AsciiText) {
    switch curve {
    case .live: text.append("\u{1b}[38;5;32m")
    case .resident: text.append("\u{1b}[38;5;166m")
    case .givenBack: text.append("\u{1b}[38;5;36m")
    }
  }

  private func appendSteps(_ text: inout AsciiText) {
    var (start, end) = (AsciiText(), AsciiText())
    start.append("step ")
    start.append(grouped: samples.first?.step ?? 0)
    end.append(grouped: samples.last?.step ?? 0)
    text.append("\n           ")
    text.append(start.bytes[...])
    for _ in 0..<max(1, Self.textWidth - start.bytes.count - end.bytes.count) { text.append(" ") }
    text.append(end.bytes[...])
    text.append("\n")
  }
}
