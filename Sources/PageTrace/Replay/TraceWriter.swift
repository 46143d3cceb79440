/// Writes a `#pagetrace 1` file: takes events in their order, and counts what the header says.
///
/// Whoever adds events vouches that they fit together: a run's pages are freed once, and a run that
/// is resized is whole. ``ProgramTrace/init(parsing:)`` proves it of the bytes.
package struct TraceWriter {
  private var lines = AsciiText()
  private var counts = (allocations: 0, frees: 0, resizes: 0, purges: 0)
  private var allocatedPages: UInt64 = 0

  /// How many threads the events name: one more than the highest.
  package private(set) var threadCount = 1
  /// Pages that are live after the events so far.
  package private(set) var livePages = 0
  /// The most pages that were live at once.
  package private(set) var peakLivePages = 0

  package init() {}

  /// How many events there are.
  package var eventCount: Int { counts.allocations + counts.frees + counts.resizes + counts.purges }

  /// How many runs there were.
  package var allocationCount: Int { counts.allocations }

  /// How many pages may become live until a trace's arena is full.
  package var room: Int { ProgramTrace.pageLimit - livePages }

  /// Adds `a`: a new run.
  ///
  /// - Returns: its number.
  package mutating func allocate(_ pageCount: Int, thread: Int) -> Int {
    let run = counts.allocations
    counts.allocations += 1
    append("a ", run, pageCount, thread)
    allocatedPages += UInt64(pageCount)
    grow(by: pageCount)
    return run
  }

  /// Adds `f`: pages of a run go back.
  package mutating func free(_ pages: Range<Int>, of run: Int, thread: Int) {
    counts.frees += 1
    append("f ", run, pages.lowerBound, pages.count, thread)
    livePages -= pages.count
  }

  /// Adds `r`: the run has another number of pages from now on.
  package mutating func resize(_ run: Int, from old: Int, to new: Int, thread: Int) {
    counts.resizes += 1
    append("r ", run, new, thread)
    if new > old { allocatedPages += UInt64(new - old) }
    grow(by: new - old)
  }

  /// Adds `p`: the contents of pages are not needed any more.
  package mutating func purge(_ pages: Range<Int>, of run: Int, thread: Int) {
    counts.purges += 1
    append("p ", run, pages.lowerBound, pages.count, thread)
  }

  private mutating func grow(by pageCount: Int) {
    livePages += pageCount
    peakLivePages = max(peakLivePages, livePages)
  }

  private mutating func append(_ letter: StaticString, _ numbers: Int...) {
    lines.append(letter)
    for (index, number) in numbers.enumerated() {
      if index > 0 { lines.append(" ") }
      lines.append(number)
    }
    lines.append("\n")
    // The thread is the last of the numbers.
    threadCount = max(threadCount, (numbers.last ?? 0) + 1)
  }
}

extension TraceWriter {
  /// What a header says of the recorded program. A value has one line of plain ASCII: other
  /// characters are written as `?`.
  package struct Labels {
    package var name: String
    package var program: String
    package var version: String
    package var command: String
    package var arch: String
    package var note: String

    package init(
      name: String, program: String, version: String, command: String, arch: String, note: String
    ) {
      self.name = name
      self.program = program
      self.version = version
      self.command = command
      self.arch = arch
      self.note = note
    }
  }

  /// The whole file.
  package func file(_ labels: Labels) -> [UInt8] {
    var text = AsciiText()
    text.append("#pagetrace 1\n")
    Self.append("name", labels.name, to: &text)
    Self.append("kind", "mmap", to: &text)
    Self.append("program", labels.program, to: &text)
    Self.append("version", labels.version, to: &text)
    Self.append("command", labels.command, to: &text)
    Self.append("arch", labels.arch, to: &text)
    Self.append("note", labels.note, to: &text)
    Self.append("page_size", 8192, to: &text)
    Self.append("events", UInt64(eventCount), to: &text)
    Self.append("allocs", UInt64(counts.allocations), to: &text)
    Self.append("frees", UInt64(counts.frees), to: &text)
    Self.append("resizes", UInt64(counts.resizes), to: &text)
    Self.append("purges", UInt64(counts.purges), to: &text)
    Self.append("threads", UInt64(threadCount), to: &text)
    Self.append("peak_live_pages", UInt64(peakLivePages), to: &text)
    Self.append("end_live_pages", UInt64(livePages), to: &text)
    Self.append("total_alloc_pages", allocatedPages, to: &text)
    Self.append("arena_limit_pages", UInt64(ProgramTrace.pageLimit), to: &text)
    text.append("#end\n")
    text.append(lines.bytes[...])
    return text.bytes
  }

  private static func append(_ key: StaticString, _ value: UInt64, to text: inout AsciiText) {
    text.append("# ")
    text.append(key)
    text.append(": ")
    text.append(value)
    text.append("\n")
  }

  private static func append(_ key: StaticString, _ value: String, to text: inout AsciiText) {
    text.append("# ")
    text.append(key)
    text.append(": ")
    let plain = value.utf8.map { $0 >= 0x20 && $0 <= 0x7e ? $0 : UInt8(ascii: "?") }
    text.append(plain[...])
    text.append("\n")
  }
}
