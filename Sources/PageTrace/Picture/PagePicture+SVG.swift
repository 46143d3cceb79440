import PageAlloc
import SVG

// A picture for a page: a row has 512 cells, two pixels wide. Up to 512 MiB a cell is one page, and
// a row is a chunk; a larger heap has 2, 4 or 8 chunks in a row. What a huge page of 2 MiB can back
// stands apart, and has a frame where one does.

extension PagePicture {
  /// The picture as an SVG file, readable on light ground and on dark.
  ///
  /// - Complexity: O(cells + stretches); at most 65,536 cells, and 1 MiB.
  package func svg() -> [UInt8] {
    let layout = Layout(self)
    var svg = SVGDocument(
      width: layout.width, height: layout.height, title: title, style: style(layout))
    svg.rectangle(
      x: 0, y: 0, width: layout.width, height: layout.height, radius: 8, kind: "ground")
    svg.write(heading(columns: 96), x: layout.left, y: 32, kind: "head")
    svg.write(extent, x: layout.left, y: 54, kind: "words")
    drawCells(layout, &svg)
    drawLegend(layout, &svg)
    return svg.finished()
  }

  /// Where things are, in pixels.
  private struct Layout {
    static let top = 72
    static let cellWidth = 2
    /// Room between rows, and between huge pages.
    static let gap = 4
    static let cellsPerRow = 512

    let left = 20
    let mapLeft = 96
    let pagesPerCell: Int
    let rows: Int
    let width: Int
    /// Few rows are higher ones.
    let cellHeight: Int

    /// Cells that one huge page can back.
    var cellsPerUnit: Int { PagePicture.pagesPerHugePage / pagesPerCell }
    /// Where the legend begins.
    var bottom: Int { Self.top + rows * (cellHeight + Self.gap) }
    var height: Int { bottom + 116 }

    init(_ picture: PagePicture) {
      pagesPerCell = picture.pagesPerCell(width: Self.cellsPerRow, height: 128)
      let pagesPerRow = pagesPerCell * Self.cellsPerRow
      rows = (picture.pageCount + pagesPerRow - 1) / pagesPerRow
      cellHeight = rows <= 8 ? 24 : rows <= 24 ? 16 : 8
      let units = pagesPerRow / PagePicture.pagesPerHugePage
      width = mapLeft + Self.cellsPerRow * Self.cellWidth + (units - 1) * Self.gap + 20
    }

    func x(ofCell cell: Int) -> Int {
      let column = cell % Self.cellsPerRow
      return mapLeft + column * Self.cellWidth + column / cellsPerUnit * Self.gap
    }

    func y(ofCell cell: Int) -> Int {
      Self.top + cell / Self.cellsPerRow * (cellHeight + Self.gap)
    }
  }

  private func drawCells(_ layout: Layout, _ svg: inout SVGDocument) {
    let cells = cells(of: layout.pagesPerCell)
    // Every row has a label where rows are high, else every eighth.
    let step = layout.rows <= 24 ? 1 : 8
    for row in stride(from: 0, to: layout.rows, by: step) {
      let cell = row * Layout.cellsPerRow
      let mebibytes = byteCount(cell * layout.pagesPerCell) >> 20
      svg.write(
        "\(mebibytes) MiB", x: layout.mapLeft - 10,
        y: layout.y(ofCell: cell) + layout.cellHeight / 2 + 4,
        kind: "small", anchor: .end)
    }
    var paths = [SVGPath](repeating: SVGPath(), count: PageState.inLegendOrder.count)
    var start = 0
    while start < cells.count {
      // Cells that are alike are one line, as far as the next gap.
      let limit = min(cells.count, (start / layout.cellsPerUnit + 1) * layout.cellsPerUnit)
      var end = start + 1
      while end < limit, cells[end] == cells[start] { end += 1 }
      paths[Int(cells[start].rawValue)].addLine(
        x: layout.x(ofCell: start), y: layout.y(ofCell: start) + layout.cellHeight / 2,
        length: (end - start) * Layout.cellWidth)
      start = end
    }
    for state in PageState.inLegendOrder {
      svg.draw(paths[Int(state.rawValue)], kind: state.cellKind)
    }
    var frames = SVGPath()
    for huge in hugePages ?? [] where huge * Self.pagesPerHugePage < pageCount {
      let cell = huge * layout.cellsPerUnit
      frames.addBox(
        x: layout.x(ofCell: cell) - 2, y: layout.y(ofCell: cell) - 2,
        width: layout.cellsPerUnit * Layout.cellWidth + 4, height: layout.cellHeight + 4)
    }
    svg.draw(frames, kind: "frame")
  }

  private func drawLegend(_ layout: Layout, _ svg: inout SVGDocument) {
    let y = layout.bottom + 20
    for (index, state) in shownStates.enumerated() {
      let x = layout.left + index * 184
      svg.rectangle(x: x, y: y, width: 16, height: 30, kind: state.swatchKind)
      svg.write(state.title.text, x: x + 24, y: y + 11, kind: "words")
      let count = counts[Int(state.rawValue)]
      var figures = AsciiText()
      figures.append(byteCount: byteCount(count))
      figures.append(", ")
      figures.append(percentage: count, of: pageCount)
      svg.write(figures.string, x: x + 24, y: y + 29, kind: "small")
    }
    let lines = figures(pagesPerCell: layout.pagesPerCell, marked: "each has a frame")
    for (index, line) in lines.enumerated() {
      svg.write(line, x: layout.left, y: y + 54 + index * 18, kind: "small")
    }
  }

  /// How all of it looks, on light ground and on dark.
  private func style(_ layout: Layout) -> SVGStyle {
    var style = SVGStyle()
    style.add(".frame", .stroke, light: "#57606a", dark: "#9da7b3")
    for state in PageState.inLegendOrder {
      let (light, dark) = (state.lightColour.text, state.darkColour.text)
      style.add(rule: ".\(state.cellKind){stroke-width:\(layout.cellHeight)}")
      style.add(".\(state.cellKind)", .stroke, light: light, dark: dark)
      style.add(".\(state.swatchKind)", .fill, light: light, dark: dark)
    }
    return style
  }
}

extension PageState {
  /// The class of its cells.
  fileprivate var cellKind: String {
    switch self {
    case .inUse: "used"
    case .guardPage: "guard"
    case .atHand: "cached"
    case .free: "free"
    case .empty: "empty"
    case .neverUsed: "never"
    }
  }

  /// The class of its place in the legend.
  fileprivate var swatchKind: String {
    switch self {
    case .inUse: "used-key"
    case .guardPage: "guard-key"
    case .atHand: "cached-key"
    case .free: "free-key"
    case .empty: "empty-key"
    case .neverUsed: "never-key"
    }
  }
}
