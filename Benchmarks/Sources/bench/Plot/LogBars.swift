import Foundation

/// Groups of bars that lie on a logarithmic scale, with the figure behind each bar.
struct LogBars {
  struct Bar {
    let name: String
    let value: Double?
    let colour: Colour

    init(_ name: String, _ value: Double?, _ colour: Colour) {
      self.name = name
      self.value = value
      self.colour = colour
    }
  }

  struct Group {
    let label: String
    let bars: [Bar]
  }

  let title: String
  let note: String
  let groups: [Group]

  private static let left = 210
  private static let plotWidth = 620
  private static let right = 80
  private static let top = 74
  private static let barHeight = 11
  private static let gap = 11

  /// The drawing; `nil` without a figure.
  var canvas: Canvas? {
    let values = groups.flatMap(\.bars).compactMap(\.value).filter { $0 > 0 }
    guard let least = values.min(), let most = values.max(), let first = groups.first else {
      return nil
    }
    let low = floor(log10(least))
    let high = max(low + 1, ceil(log10(most)))
    let height = groups.reduce(Self.top) { $0 + $1.bars.count * Self.barHeight + Self.gap } + 24
    var canvas = Canvas(width: Self.left + Self.plotWidth + Self.right, height: height)
    canvas.text(title, x: 16, y: 20, size: 2)
    canvas.text(note, x: canvas.width - 16, y: 20, .end)
    addLegend(first.bars, &canvas)
    addScale(low, high, &canvas)
    var y = Self.top
    for group in groups {
      add(group, y: y, low, high, &canvas)
      y += group.bars.count * Self.barHeight + Self.gap
    }
    return canvas
  }

  private func addLegend(_ bars: [Bar], _ canvas: inout Canvas) {
    var x = Self.left
    for bar in bars {
      canvas.box(x: x, y: 41, width: 10, height: 10, bar.colour)
      canvas.text(bar.name, x: x + 15, y: 46)
      x += 15 + bar.name.count * 7 + 16
    }
  }

  private func addScale(_ low: Double, _ high: Double, _ canvas: inout Canvas) {
    var power = low
    while power <= high {
      let x = Self.left + position(pow(10, power), low, high)
      canvas.box(x: x, y: Self.top - 6, width: 1, height: canvas.height - Self.top - 14, .faint)
      canvas.text(Self.label(pow(10, power)), x: x, y: canvas.height - 10, .middle)
      power += 1
    }
  }

  private func add(
    _ group: Group, y: Int, _ low: Double, _ high: Double, _ canvas: inout Canvas
  ) {
    let middle = y + group.bars.count * Self.barHeight / 2
    canvas.text(group.label, x: Self.left - 10, y: middle, .end)
    var y = y
    for bar in group.bars {
      if let value = bar.value, value > 0 {
        let length = max(1, position(value, low, high))
        canvas.box(x: Self.left, y: y, width: length, height: Self.barHeight - 2, bar.colour)
        canvas.text(
          Self.label(value), x: Self.left + length + 5, y: y + Self.barHeight / 2)
      } else {
        canvas.text("-", x: Self.left + 5, y: y + Self.barHeight / 2)
      }
      y += Self.barHeight
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
