import SysMem

// A snapshot as text
// ==================
//
//   pagealloc-snapshot 1 pages 1536 page-size 8192 base 0x7f3a40000000
//   512 neverUsed
//   37 inUse
//   ...
//
// The first line has the version of the format, 1; how many pages there are, and of how many bytes;
// and the address of the first. Each that follows stands for a stretch of pages that are alike: how
// many, and their state, by the names of PageState. All pages are in one. Fields are divided by one
// blank, and each line ends in a newline.

extension PageSnapshot {
  /// The version of the text's format.
  public static var formatVersion: Int { 1 }

  /// The snapshot as text, which a tool can read: a line with what follows, then a line for each
  /// stretch of pages that are alike, their number and their state.
  ///
  /// ```
  /// pagealloc-snapshot 1 pages 1536 page-size 8192 base 0x7f3a40000000
  /// 512 neverUsed
  /// 37 inUse
  /// ```
  ///
  /// - Complexity: O(pages).
  public var text: String {
    var text = ""
    forEachLine { text += $0.text }
    return text
  }

  /// Writes ``text`` to a file, a socket or a pipe, a page at a time.
  ///
  /// - Parameter descriptor: open for writing; it stays open.
  /// - Throws: what the kernel refused. A part may have been written.
  /// - Complexity: O(pages).
  public func write(to descriptor: Int32) throws(Errno) {
    var writer = FileWriter(to: descriptor)
    try forEachLine { line throws(Errno) in try writer.write(line: line) }
    try writer.flush()
  }

  /// Writes ``text`` to a file, which is made, or emptied first.
  ///
  /// - Throws: what the kernel refused. A part may have been written.
  /// - Complexity: O(pages).
  public func write(toPath path: String) throws(Errno) {
    let file = try NewFile(path: path)
    try write(to: file.descriptor)
  }

  private func forEachLine<Failure: Error>(
    _ body: (borrowing FixedText<128>) throws(Failure) -> Void
  ) throws(Failure) {
    var line = FixedText<128>()
    line.append("pagealloc-snapshot ", Self.formatVersion)
    line.append(" pages ", pageCount)
    line.append(" page-size ", PageArena.pageSize)
    line.append(" base 0x")
    line.append(text: String(address, radix: 16))
    try body(line)
    try forEachStretch { pages, state throws(Failure) in
      line.clear()
      line.append("", pages.count)
      line.append(" ")
      line.append(text: state.name)
      try body(line)
    }
  }
}
