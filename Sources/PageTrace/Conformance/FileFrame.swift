import PageAlloc

/// The kinds of files, told apart by their first line.
enum FileKind {
  /// `trace 1`: operations on an allocator.
  case operations
  /// `itrace 1`: operations on the scavenge index alone.
  case index
  /// `vectors 1`: calls of single functions.
  case vectors
  /// `ptrace 1`: operations that the reader generates.
  case procedural
}

/// What stands around the operations of a file: the header, `begin` and `end N`.
struct FileFrame {
  /// How much the scavenger takes at a time; only `trace` files say it.
  private(set) var kernelPages = KernelPages(physicalPageSize: 4096, hugePageSize: 0)

  /// Reads the first line.
  static func readKind(_ reader: inout LineReader) throws(TraceFormatError) -> FileKind {
    guard var line = try reader.next() else {
      throw TraceFormatError(line: 1, reason: "the file is empty")
    }
    let word = try line.field("the kind of the file")
    let kind: FileKind
    if word.equals("trace") {
      kind = .operations
    } else if word.equals("itrace") {
      kind = .index
    } else if word.equals("vectors") {
      kind = .vectors
    } else if word.equals("ptrace") {
      kind = .procedural
    } else {
      throw line.error("not the head of a conformance file: \(line.bytes.quoted)")
    }
    _ = try line.integer("the version", in: 1...1)
    try line.finish()
    return kind
  }

  /// Reads the header from the second line on, with `begin`.
  init(_ reader: inout LineReader, kind: FileKind) throws(TraceFormatError) {
    var physicalPageSize: Int?
    var hugePageSize: Int?
    while var line = try reader.next() {
      if line.bytes.first == UInt8(ascii: "#") { continue }
      let key = try line.field("a header line")
      if key.equals("name") {
        _ = try line.field("the name")
      } else if kind == .operations, key.equals("physpage"), physicalPageSize == nil {
        physicalPageSize = try line.physicalPageSize()
      } else if kind == .operations, key.equals("hugepage"), hugePageSize == nil {
        hugePageSize = try line.hugePageSize()
      } else if key.equals("begin") {
        try line.finish()
        guard kind == .operations else { return }
        guard let physicalPageSize, let hugePageSize else {
          throw line.error("\"physpage\" or \"hugepage\" is missing before \"begin\"")
        }
        kernelPages = KernelPages(physicalPageSize: physicalPageSize, hugePageSize: hugePageSize)
        return
      } else {
        throw line.error("unknown header line \(key.quoted); \"begin\" is missing")
      }
      try line.finish()
    }
    throw TraceFormatError(line: reader.lineNumber, reason: "the file ends before \"begin\"")
  }

  /// Reads the next line of the body, up to and with `end N`.
  ///
  /// - Parameter count: how many operations the body had so far.
  /// - Returns: the line and the word it begins with; `nil` after `end`.
  static func nextOperation(
    _ reader: inout LineReader, count: Int
  ) throws(TraceFormatError) -> (word: ArraySlice<UInt8>, line: Line)? {
    guard var line = try reader.next() else {
      throw TraceFormatError(line: reader.lineNumber, reason: "the file ends before \"end\"")
    }
    guard !line.isIndented else {
      throw line.error("a line of a block, where there is no block")
    }
    let word = try line.field("an operation")
    guard word.equals("end") else { return (word, line) }
    try readEnd(&line, count: count, &reader)
    return nil
  }

  /// Reads the rest of the line that begins with `end`, and the end of the file.
  static func readEnd(
    _ line: inout Line, count: Int, _ reader: inout LineReader
  ) throws(TraceFormatError) {
    let stated = try line.number("the number of operations", in: 0...UInt64(UInt32.max))
    try line.finish()
    guard stated == UInt64(count) else {
      throw line.error("the file says that it holds \(stated) operations, but it holds \(count)")
    }
    guard let more = try reader.next() else { return }
    throw more.error("text after the end: \(more.bytes.quoted)")
  }
}

extension Line {
  /// The next field as the size of a physical page: a power of two, 512 KiB at most.
  mutating func physicalPageSize() throws(TraceFormatError) -> Int {
    let size = try integer("the physical page size", in: 1...512 << 10)
    guard size.nonzeroBitCount == 1 else { throw error("\(size) is not a power of two") }
    return size
  }

  /// The next field as the size of a huge page: 0, or a power of two, at most a chunk.
  mutating func hugePageSize() throws(TraceFormatError) -> Int {
    let size = try integer("the huge page size", in: 0...Geometry.chunkByteCount)
    guard size.nonzeroBitCount <= 1 else { throw error("\(size) is not a power of two") }
    return size
  }

  /// The next field as a page number.
  mutating func page() throws(TraceFormatError) -> PageNumber {
    try integer("the page", in: 0...Geometry.pageCount - 1)
  }

  /// The next field as a number of pages.
  mutating func pageCount(
    in range: ClosedRange<Int> = 1...Geometry.pageCount
  ) throws(TraceFormatError) -> Int {
    try integer("the number of pages", in: range)
  }

  /// The next field as a chunk that may be in use: not the first and not the last.
  mutating func chunk(from lowest: ChunkIndex = 1) throws(TraceFormatError) -> ChunkIndex {
    try integer("the chunk", in: lowest...Geometry.chunkCount - 2)
  }

  /// The next two fields as a range of pages, not empty and within the address space.
  mutating func pages() throws(TraceFormatError) -> Range<PageNumber> {
    let first = try page()
    return first..<first + (try pageCount(in: 1...Geometry.pageCount - first))
  }

  /// The next two fields as a range of pages within a chunk.
  mutating func places() throws(TraceFormatError) -> Range<Int> {
    let first = try integer("the place", in: 0...Geometry.pagesPerChunk - 1)
    return first..<first + (try pageCount(in: 1...Geometry.pagesPerChunk - first))
  }

  /// The next field as a mode of the scavenger.
  mutating func mode() throws(TraceFormatError) -> ScavengeMode {
    let word = try field("the mode")
    if word.equals("bg") { return .background }
    if word.equals("force") { return .force }
    throw error("the mode is \"bg\" or \"force\", not \(word.quoted)")
  }

  /// The next field as a 512-bit map.
  mutating func map(_ what: String) throws(TraceFormatError) -> [UInt64] {
    let field = try field(what)
    guard let words = field.mapWords else {
      throw error("\(what) is not eight words of 16 hexadecimal digits: \(field.quoted)")
    }
    return words
  }
}
