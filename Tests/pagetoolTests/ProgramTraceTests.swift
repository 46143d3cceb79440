import Gzip
import Testing

@testable import PageTrace

/// Reading page traces: what they hold, and that nothing wrong in them goes through.
@Suite struct ProgramTraceTests {
  /// What the parser throws, or nil.
  static func failure(_ bytes: [UInt8]) -> TraceFormatError? {
    do {
      _ = try ProgramTrace(parsing: bytes)
      return nil
    } catch {
      return error
    }
  }

  @Test func sample() throws {
    let text = TraceText.sample
    let trace = try ProgramTrace(parsing: text.bytes)
    #expect(trace.header.name == "small" && trace.header.kind == "mmap")
    #expect(trace.events.count == 13 && trace.runCount == 4)
    #expect(trace.firstEventLine == text.headerLineCount + 1)
    #expect(
      trace.events[3]
        == ProgramTrace.Event(
          run: 0, offset: 1, pageCount: 2, thread: 0, kind: .free, isFromCache: false))
    // "r 1 5 0" makes it 2 + 5 + 7 pages; one is freed, and "a 3 2 0" makes it 15.
    #expect(trace.header.peakLivePages == 15 && trace.peakEvent == 7)
    let closing = trace.closingFrees.map { [$0.run, $0.offset, $0.pageCount] }
    #expect(closing == [[1, 0, 3], [2, 2, 4], [3, 0, 2]])
  }

  @Test func noEvents() throws {
    let trace = try ProgramTrace(parsing: TraceText([]).bytes)
    #expect(trace.events.isEmpty && trace.peakEvent == nil && trace.closingFrees.isEmpty)
  }

  @Test func cacheAllocationsOfGo() throws {
    let text = TraceText(["a 0 1 0", "a 1 1 0 c"], kind: "go-spans")
    #expect(try ProgramTrace(parsing: text.bytes).events.map(\.isFromCache) == [false, true])
  }

  @Test(arguments: Repository.workloads)
  func realTrace(path: String) throws {
    let trace = try ProgramTrace(parsing: try gunzip(try Repository.bytes(path)))
    let end = trace.closingFrees.reduce(0) { $0 + Int($1.pageCount) }
    #expect(end == trace.header.endLivePages && !trace.events.isEmpty)
  }

  /// A last event that is wrong after the events of the sample, and a word of the reason.
  @Test(arguments: [
    ("f 0 0 1 0", "not live"), ("f 1 2 2 0", "3 pages"), ("f 2 1 2 0", "are live"),
    ("f 2 0 7 0", "are live"), ("p 2 5 2 0", "are live"), ("f 9 0 1 0", "not live"),
    ("f 18446744073709551615 0 1 0", "not live"), ("f 3 18446744073709551615 1 0", "2 pages"),
    ("f 3 0 18446744073709551616 0", "number"), ("f 3 1 18446744073709551615 0", "1...524288"),
    ("r 2 9 0", "freed"), ("r 1 3 0", "already"), ("r 0 1 0", "not live"),
    ("a 5 1 0", "order"), ("a 3 1 0", "order"), ("a 4 0 0", "1...524288"),
    ("a 4 524289 0", "1...524288"), ("a 4 524288 0", "fit"), ("r 1 524288 0", "fit"),
    ("a 4 1 3", "thread"), ("a 4 1 0 c", "too much"), ("a 4 1", "missing"),
    ("a 4 1 0 ", "too much"),
    ("a 04 1 0", "number"), ("a 4 +1 0", "number"), ("a 4 -1 0", "number"), ("a  4 1 0", "missing"),
    ("b 4 1 0", "no event"), ("", "missing"), ("#end", "no event"), (" a 4 1 0", "missing"),
    ("a 4 1\t0", "plain"), ("a 4 1 0\r", "plain"),
  ])
  func badEvent(event: String, word: String) throws {
    var text = TraceText.sample
    text.events.append(event)
    let error = try #require(Self.failure(text.bytes))
    #expect(error.line == text.headerLineCount + text.events.count)
    #expect(error.reason.contains(word), "\(error.reason)")
  }

  @Test(arguments: [
    "page_size", "arena_limit_pages", "events", "allocs", "frees", "resizes", "purges",
    "peak_live_pages", "end_live_pages", "total_alloc_pages", "cache_allocs", "threads", "kind",
    "name", "program", "version", "command", "arch",
  ])
  func badHeader(key: String) throws {
    let events = ["a 0 1 0", "a 1 1 2 c"]
    let missing = TraceText(events, kind: "go-spans", changes: [key: nil as String?])
    let error = try #require(Self.failure(missing.bytes))
    #expect(error.reason.contains("has no \(key)"), "\(error.reason)")

    guard !["name", "program", "version", "command", "arch"].contains(key) else { return }
    for value in ["1000000", "2x", "", "007", "18446744073709551616"] {
      let wrong = TraceText(events, kind: "go-spans", changes: [key: value])
      let error = try #require(Self.failure(wrong.bytes), "\(key) \(value)")
      if key != "kind" { #expect(error.line <= wrong.headerLineCount && error.line > 1) }
    }
  }

  @Test(arguments: [
    ("", 1, "empty"), ("\n", 1, "begins"), ("#pagetrace 2\n#end\n", 1, "begins"),
    ("#pagetrace 1", 1, "within a line"), ("#pagetrace 1\n", 1, "within the header"),
    ("#pagetrace 1\n# a: b\n", 2, "within the header"), ("#pagetrace 1\n#\n", 2, "neither"),
    ("#pagetrace 1\n# a:b\n", 2, "neither"), ("#pagetrace 1\n# a: b\n# a: c\n", 3, "line 2"),
    ("#pagetrace 1\n#end\n", 2, "has no"),
  ])
  func badFrame(text: String, line: Int, word: String) throws {
    let error = try #require(Self.failure(Array(text.utf8)))
    #expect(error.line == line && error.reason.contains(word), "\(error)")
  }

  @Test func everyTruncationIsNoticed() {
    let bytes = TraceText.sample.bytes
    for count in 0..<bytes.count {
      #expect(Self.failure(Array(bytes[..<count])) != nil, "\(count) bytes")
    }
  }

  @Test func damagedBytesNeverTrap() {
    var random = SplitMix(state: 20_261_122)
    let sound = TraceText.sample.bytes
    let alphabet = Array("0123456789 afrp#c\n:end\u{0}\u{ff}".utf8)
    var refused = 0
    for _ in 0..<5000 {
      var bytes = sound
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[place] = alphabet.randomElement(using: &random)!
        case 1: bytes.remove(at: place)
        default: bytes.insert(alphabet.randomElement(using: &random)!, at: place)
        }
      }
      if Self.failure(bytes) != nil { refused += 1 }
    }
    #expect(refused > 1000)
  }

  @Test func runFreedInManyPieces() throws {
    let events =
      ["a 0 1000 0"] + stride(from: 998, through: 0, by: -2).map { "f 0 \($0) 1 0" }
      + ["f 0 1 1 0"]
    let trace = try ProgramTrace(parsing: TraceText(events).bytes)
    #expect(trace.closingFrees.map(\.offset) == stride(from: 3, to: 1000, by: 2).map { $0 })
  }
}

/// A random number generator with a seed.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
