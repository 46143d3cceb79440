import PageAlloc
import SVG

// Three curves, told apart by colours, by how they are drawn, and by words: what lives is an area,
// what is resident a line, what was given back a line of dashes. The colours are Okabe and Ito's.

extension MemoryChart {
  /// Where the curves are, in pixels of the picture: for what is drawn over them.
  package struct Frame {
    /// How wide the picture is.
    package static let width = 1000
    /// How high it is.
    package static let height = 320
    /// The place of the first step.
    package let left = 84
    /// The place of the last step.
    package let right = 980
    /// Where the largest figure is.
    package let top = 84
    /// Where 0 is.
    package let bottom = 270
    private let steps: ClosedRange<Int>
    private let most: UInt64

    init(_ chart: MemoryChart) {
      let first = chart.samples.first?.step ?? 0
      steps = first...max(first, chart.samples.last?.step ?? 0)
      most = chart.most
    }

    func x(ofStep step: Int) -> Int {
      let part = UInt64(step - steps.lowerBound) * UInt64(right - left)
      return left + Int(part / UInt64(max(1, steps.count - 1)))
    }

    func y(of bytes: UInt64) -> Int {
      // Figures are below 2^33, so that this fits.
      bottom - Int(bytes * UInt64(bottom - top) / most)
    }
  }

  /// Where the curves are in the picture.
  package var frame: Frame { Frame(self) }

  /// The chart as an SVG file, readable on light ground and on dark.
  ///
  /// - Complexity: O(samples).
  package func svg() -> [UInt8] {
    let frame = frame
    var svg = SVGDocument(width: Frame.width, height: Frame.height, title: title, style: style)
    svg.rectangle(
      x: 0, y: 0, width: Frame.width, height: Frame.height, radius: 8, kind: "ground")
    svg.write(title, x: 20, y: 32, kind: "head")
    drawLegend(&svg)
    drawAxes(frame, &svg)
    svg.draw(area(frame), kind: "live")
    svg.draw(line(.givenBack, frame), kind: "back")
    svg.draw(line(.resident, frame), kind: "resident")
    return svg.finished()
  }

  private var style: SVGStyle {
    var style = SVGStyle()
    style.add(".live", .fill, light: "#56b4e9", dark: "#1b6796")
    // Its edge is drawn, too: a peak that is narrower than a pixel has no area.
    style.add(".live", .stroke, light: "#56b4e9", dark: "#1b6796")
    style.add(".live-key", .fill, light: "#56b4e9", dark: "#1b6796")
    style.add(".resident", .stroke, light: "#b34700", dark: "#f0883e")
    style.add(rule: ".resident{stroke-width:2;shape-rendering:auto}")
    style.add(".back", .stroke, light: "#00664b", dark: "#3fd6a8")
    style.add(rule: ".back{stroke-width:2;stroke-dasharray:6 3;shape-rendering:auto}")
    return style
  }

  private func drawLegend(_ svg: inout SVGDocument) {
    var x = 84
    for curve in Curve.allCases {
      var key = SVGPath()
      key.addLine(x: x, y: 58, length: 24)
      switch curve {
      case .live: svg.rectangle(x: x, y: 51, width: 24, height: 12, kind: "live-key")
      case .resident: svg.draw(key, kind: "resident")
      case .givenBack: svg.draw(key, kind: "back")
      }
      var words = AsciiText()
      words.append(curve.title)
      if let peak = peak(of: curve) {
        words.append(", at most ")
        words.append(byteCount: curve.value(peak))
      }
      svg.write(words.string, x: x + 32, y: 63, kind: "small")
      x += 250
    }
  }

  private func drawAxes(_ frame: Frame, _ svg: inout SVGDocument) {
    var lines = SVGPath()
    for tick in Self.ticks(to: most, count: 5, isBinary: true) {
      let y = frame.y(of: tick)
      lines.addLine(x: frame.left, y: y, length: frame.right - frame.left)
      var words = AsciiText()
      if tick == 0 { words.append("0") } else { words.append(byteCount: tick) }
      svg.write(words.string, x: frame.left - 8, y: y + 4, kind: "small", anchor: .end)
    }
    let first = samples.first?.step ?? 0
    let last = samples.last?.step ?? 0
    // Ticks of a range that begins later are those of the steps from 0 on that lie in it.
    let distance = UInt64(last - first)
    let ticks = Self.ticks(to: max(1, distance), count: 8, isBinary: false)
    let gap = Int(ticks.count > 1 ? ticks[1] : 1)
    var step = (first + gap - 1) / gap * gap
    while step <= last {
      let x = frame.x(ofStep: step)
      lines.move(x: x, y: frame.bottom)
      lines.addLine(toY: frame.bottom + 6)
      var words = AsciiText()
      words.append(grouped: step)
      // The last one may not reach beyond the picture.
      svg.write(
        words.string, x: min(x, Frame.width - 30), y: frame.bottom + 22, kind: "small",
        anchor: .middle)
      step += gap
    }
    svg.draw(lines, kind: "grid")
    svg.write(
      "step", x: (frame.left + frame.right) / 2, y: frame.bottom + 40, kind: "small",
      anchor: .middle)
  }

  /// The way along a curve, from one sample to the next.
  private func line(_ curve: Curve, _ frame: Frame) -> SVGPath {
    var path = SVGPath()
    var last: (x: Int, y: Int)?
    for sample in samples {
      let point = (x: frame.x(ofStep: sample.step), y: frame.y(of: curve.value(sample)))
      guard let before = last else {
        path.move(x: point.x, y: point.y)
        last = point
        continue
      }
      if point.y != before.y {
        if point.x != before.x { path.addLine(toX: point.x) }
        path.addLine(toY: point.y)
        last = point
      }
    }
    if let last, let end = samples.last.map({ frame.x(ofStep: $0.step) }), end > last.x {
      path.addLine(toX: end)
    }
    return path
  }

  private func area(_ frame: Frame) -> SVGPath {
    guard let first = samples.first, let last = samples.last else { return SVGPath() }
    var path = line(.live, frame)
    path.addLine(toX: frame.x(ofStep: last.step))
    path.addLine(toY: frame.bottom)
    path.addLine(toX: frame.x(ofStep: first.step))
    path.close()
    return path
  }
}
