import Foundation
import SVG

/// Groups of bars that lie on a logarithmic scale, with the figure behind each bar.
struct LogBars {
  /// Each group has a bar for each of these, in this order.
  struct Series {
    let name: String
    let colour: BarColour
  }

  struct Group {
    let label: String
    /// One for each series; `nil` where there is no figure.
    let values: [Double?]
  }

  let title: String
  let note: String
  let series: [Series]
  let groups: [Group]

  private static let left = 210
  private static let plotWidth = 620
  private static let right = 80
  private static let top = 82
  private static let barHeight = 12
  private static let gap = 11

  private var width: Int { Self.left + Self.plotWidth + Self.right }
  private var height: Int {
    groups.reduce(Self.top) { $0 + $1.values.count * Self.barHeight + Self.gap } + 28
  }

  /// The drawing; `nil` without a figure.
  func svg() -> [UInt8]? {
    let values = groups.flatMap(\.values).compactMap { $0 }.filter { $0 > 0 }
    guard let least = values.min(), let most = values.max() else { return nil }
    let low = floor(log10(least))
    let high = max(low + 1, ceil(log10(most)))
    var svg = SVGDocument(width: width, height: height, title: title, style: style)
    svg.rectangle(x: 0, y: 0, width: width, height: height, kind: "ground")
    svg.write(title, x: 16, y: 28, kind: "head")
    svg.write(note, x: width - 16, y: 28, kind: "small", anchor: .end)
    addLegend(&svg)
    addScale(low, high, &svg)
    var y = Self.top
    for group in groups {
      add(group, y: y, low, high, &svg)
      y += group.values.count * Self.barHeight + Self.gap
    }
    return svg.finished()
  }

  private var style: SVGStyle {
    var style = SVGStyle()
    style.add(rule: ".figure{font-size:11px}")
    for (index, series) in series.enumerated() {
      style.add(".bar\(index)", .fill, light: series.colour.light, dark: series.colour.dark)
    }
    return style
  }

  private func addLegend(_ svg: inout SVGDocument) {
    var x = Self.left
    for (index, series) in series.enumerated() {
      svg.rectangle(x: x, y: 46, width: 12, height: 12, kind: "bar\(index)")
      svg.write(series.name, x: x + 17, y: 57, kind: "small")
      x += 17 + series.name.count * 9 + 16
    }
  }

  private func addScale(_ low: Double, _ high: Double, _ svg: inout SVGDocument) {
    var lines = SVGPath()
    var power = low
    while power <= high {
      let x = Self.left + position(pow(10, power), low, high)
      lines.move(x: x, y: Self.top - 6)
      lines.addLine(toY: height - 26)
      svg.write(Self.label(pow(10, power)), x: x, y: height - 9, kind: "small", anchor: .middle)
      power += 1
    }
    svg.draw(lines, kind: "grid")
  }

  private func add(
    _ group: Group, y: Int, _ low: Double, _ high: Double, _ svg: inout SVGDocument
  ) {
    let middle = y + group.values.count * Self.barHeight / 2
    svg.write(group.label, x: Self.left - 10, y: middle + 4, kind: "small", anchor: .end)
    for (index, value) in group.values.enumerated() {
      let y = y + index * Self.barHeight
      guard let value, value > 0 else {
        svg.write("–", x: Self.left + 5, y: y + 9, kind: "figure")
        continue
      }
      let length = max(1, position(value, low, high))
      svg.rectangle(
        x: Self.left, y: y, width: length, height: Self.barHeight - 2, kind: "bar\(index)")
      svg.write(Self.label(value), x: Self.left + length + 5, y: y + 9, kind: "figure")
    }
  }

  private func position(_ value: Double, _ low: Double, _ high: Double) -> Int {
    Int((log10(value) - low) / (high - low) * Double(Self.plotWidth))
  }

  private static func label(_ value: Double) -> String {
    if value < 1 { return String(format: "%.2g", value) }
    if value < 100 { return String(format: "%.3g", value) }
    if value < 10_000 { return String(format: "%.0f", value) }
    return String(format: value < 1e6 ? "%.0f k" : "%.3g M", value / (value < 1e6 ? 1e3 : 1e6))
  }
}
