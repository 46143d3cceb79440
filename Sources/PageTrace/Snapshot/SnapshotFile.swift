import PageAlloc

// What PageSnapshot writes, read again: for tools. PageAlloc/API/PageSnapshot+File.swift says how
// it is written.

/// A snapshot of an arena's pages, out of a file.
package struct SnapshotFile {
  /// A stretch of pages that are alike.
  package struct Stretch: Equatable {
    /// Its pages, by their numbers.
    package let pages: Range<Int>
    /// What they are.
    package let state: PageState

    /// So many pages of a state.
    package init(pages: Range<Int>, state: PageState) {
      self.pages = pages
      self.state = state
    }
  }

  /// How many pages there are.
  package let pageCount: Int
  /// Bytes in a page.
  package let pageSize: Int
  /// The address of the first page.
  package let address: UInt64
  /// The stretches, in order; they have all pages.
  package private(set) var stretches: [Stretch] = []

  /// The most pages that an arena can have.
  private static var mostPages: Int { 1 << 19 }

  /// Reads a file.
  ///
  /// - Throws: it is no such file, of another version, or cut.
  package init(_ bytes: [UInt8]) throws(TraceFormatError) {
    var reader = LineReader(bytes)
    guard var header = try reader.next() else {
      throw TraceFormatError(line: 1, reason: "the file is empty")
    }
    try header.expect("pagealloc-snapshot")
    let version = try header.number("the version", in: 0...UInt64.max)
    guard version == UInt64(PageSnapshot.formatVersion) else {
      throw header.error("version \(version) is not known")
    }
    try header.expect("pages")
    pageCount = try header.integer("the number of pages", in: 0...Self.mostPages)
    try header.expect("page-size")
    pageSize = try header.integer("the size of a page", in: 1...1 << 30)
    try header.expect("base")
    let base = try header.field("the address")
    guard base.prefix(2).equals("0x"), let address = base.dropFirst(2).hexadecimal else {
      throw header.error("the address is no number: \(base.quoted)")
    }
    self.address = address
    try header.finish()

    var end = 0
    while var line = try reader.next() {
      let count = try line.integer("the number of pages", in: 1...Self.mostPages)
      let state = try Self.state(&line)
      try line.finish()
      guard count <= pageCount - end else { throw line.error("there are more pages than it says") }
      stretches.append(Stretch(pages: end..<(end + count), state: state))
      end += count
    }
    guard end == pageCount else {
      throw TraceFormatError(
        line: reader.lineNumber + 1, reason: "\(pageCount - end) pages are missing")
    }
  }

  private static func state(_ line: inout Line) throws(TraceFormatError) -> PageState {
    let name = try line.field("the state")
    for state in PageState.allCases where state.name.utf8.elementsEqual(name) { return state }
    throw line.error("no state is called \(name.quoted)")
  }

  /// How many pages there are of a state.
  package func count(of state: PageState) -> Int {
    stretches.reduce(0) { $0 + ($1.state == state ? $1.pages.count : 0) }
  }
}
