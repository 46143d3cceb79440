import PageAlloc

// A picture in a terminal: rows of 64 cells, so that eight pages a cell make a chunk of 4 MiB a
// row, with how far into the heap each chunk begins. No row is longer than 80 columns, and there
// are at most 64.

extension PagePicture {
  /// Cells in a row.
  private static var textWidth: Int { 64 }
  /// Columns of a terminal that a picture keeps to.
  private static var columns: Int { 80 }

  /// The picture for a terminal: lines of at most 80 columns.
  ///
  /// - Parameter isColoured: whether there are codes for colours in it, which take no column.
  package func text(isColoured: Bool) -> String {
    let pagesPerCell = pagesPerCell(width: Self.textWidth, height: 64)
    var text = AsciiText()
    appendHead(&text)
    appendRows(pagesPerCell, isColoured, &text)
    appendLegend(isColoured, &text)
    appendFigures(pagesPerCell, &text)
    return text.string
  }

  private func appendHead(_ text: inout AsciiText) {
    text.append(string: heading(columns: Self.columns))
    text.append("\n")
    text.append(string: extent)
    text.append("\n\n")
  }

  private func appendRows(_ pagesPerCell: Int, _ isColoured: Bool, _ text: inout AsciiText) {
    let cells = cells(of: pagesPerCell)
    let pagesPerRow = pagesPerCell * Self.textWidth
    var huge = hugePages ?? []
    huge.reverse()
    for start in stride(from: 0, to: cells.count, by: Self.textWidth) {
      let page = start * pagesPerCell
      appendLabel(page % Self.pagesPerChunk == 0 ? byteCount(page) >> 20 : nil, &text)
      let row = start..<min(start + Self.textWidth, cells.count)
      append(cells[row], isColoured, &text)
      var count = 0
      while let next = huge.last, next * Self.pagesPerHugePage < page + pagesPerRow {
        huge.removeLast()
        count += 1
      }
      if count > 0 {
        for _ in row.count..<Self.textWidth { text.append(" ") }
        text.append(" ")
        text.append(count)
        text.append("h")
      }
      text.append("\n")
    }
    if !cells.isEmpty { text.append("\n") }
  }

  /// How many MiB into the heap a chunk begins, or room for it.
  private func appendLabel(_ mebibytes: UInt64?, _ text: inout AsciiText) {
    guard let mebibytes else { return text.append("         ") }
    var number = AsciiText()
    number.append(mebibytes)
    for _ in 0..<max(0, 4 - number.bytes.count) { text.append(" ") }
    text.append(number.bytes[...])
    text.append(" MiB ")
  }

  private func append(
    _ cells: ArraySlice<PageState>, _ isColoured: Bool, _ text: inout AsciiText
  ) {
    var last: PageState?
    for cell in cells {
      if isColoured, cell != last { appendColour(cell, &text) }
      text.append(cell.glyph)
      last = cell
    }
    if isColoured { text.append("\u{1b}[0m") }
  }

  private func appendColour(_ state: PageState, _ text: inout AsciiText) {
    text.append("\u{1b}[38;5;")
    text.append(state.terminalColour)
    text.append("m")
  }

  private func appendLegend(_ isColoured: Bool, _ text: inout AsciiText) {
    for state in shownStates {
      append([state], isColoured, &text)
      text.append(" ")
      text.append(state.title)
      for _ in state.title.utf8CodeUnitCount..<14 { text.append(" ") }
      let count = counts[Int(state.rawValue)]
      append(right: 7, &text) { $0.append(grouped: count) }
      text.append(count == 1 ? " page " : " pages")
      append(right: 12, &text) { $0.append(byteCount: byteCount(count)) }
      append(right: 9, &text) { $0.append(percentage: count, of: pageCount) }
      text.append("\n")
    }
  }

  private func appendFigures(_ pagesPerCell: Int, _ text: inout AsciiText) {
    text.append("\n")
    for line in figures(pagesPerCell: pagesPerCell, marked: "2h: two of them back that row") {
      text.append(string: line)
      text.append("\n")
    }
  }

  /// Writes something with blanks before it, so that it takes at least `width` columns.
  private func append(
    right width: Int, _ text: inout AsciiText, _ body: (inout AsciiText) -> Void
  ) {
    var piece = AsciiText()
    body(&piece)
    for _ in 0..<max(0, width - piece.bytes.count) { text.append(" ") }
    text.append(piece.bytes[...])
  }
}

// MARK: - Words that all pictures have

extension PagePicture {
  /// The states of the legend: guards only where there are any.
  var shownStates: [PageState] {
    let hasGuards = counts[Int(PageState.guardPage.rawValue)] > 0
    return PageState.inLegendOrder.filter { $0 != .guardPage || hasGuards }
  }

  /// The title in one line: cut where it is too long, and without what moves a terminal's cursor.
  func heading(columns: Int) -> String { Self.heading(title, columns: columns) }

  /// A title in one line, as above.
  static func heading(_ title: String, columns: Int) -> String {
    let isLong = title.unicodeScalars.count > columns
    var text = AsciiText()
    for scalar in title.unicodeScalars.prefix(isLong ? columns - 1 : columns) {
      let isPlain = scalar.value >= 0x20 && !(0x7f...0x9f).contains(scalar.value)
      text.append(string: isPlain ? String(scalar) : "?")
    }
    if isLong { text.append("…") }
    return text.string
  }

  /// `164 MiB in 41 chunks of 4 MiB, from 0x7f3a40000000`
  var extent: String {
    var text = AsciiText()
    let chunks = (pageCount + Self.pagesPerChunk - 1) / Self.pagesPerChunk
    text.append(byteCount: byteCount(pageCount))
    text.append(" in ")
    text.append(grouped: chunks)
    text.append(chunks == 1 ? " chunk of " : " chunks of ")
    text.append(byteCount: byteCount(Self.pagesPerChunk))
    text.append(", from 0x")
    text.append(hexadecimal: address)
    return text.string
  }

  /// What stands below a legend, line by line.
  ///
  /// - Parameter marked: how huge pages are shown.
  func figures(pagesPerCell: Int, marked: StaticString) -> [String] {
    var lines: [String] = []
    var text = AsciiText()
    let free = freePageCount
    text.append("longest free run ")
    text.append(grouped: longestFreeRun)
    text.append(longestFreeRun == 1 ? " page (" : " pages (")
    text.append(byteCount: byteCount(longestFreeRun))
    text.append("), fragmentation ")
    text.append(percentage: free - longestFreeRun, of: free)
    text.append(" of what is free")
    lines.append(text.string)

    text.removeAll()
    text.append("one cell is ")
    text.append(pagesPerCell)
    text.append(pagesPerCell == 1 ? " page of " : " pages (")
    text.append(byteCount: byteCount(pagesPerCell))
    if pagesPerCell > 1 { text.append("), and shows what most of them are") }
    lines.append(text.string)

    guard let hugePages else { return lines }
    text.removeAll()
    text.append(grouped: hugePages.count)
    text.append(hugePages.count == 1 ? " huge page" : " huge pages")
    if !hugePages.isEmpty {
      text.append(" of 2 MiB; ")
      text.append(marked)
    }
    lines.append(text.string)
    return lines
  }
}
