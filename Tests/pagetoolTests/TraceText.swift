/// Writes small page traces, with a header that a naive model counts.
struct TraceText {
  var events: [String]
  /// Header values other than the right ones; nil leaves the line out.
  var changes: [String: String?]
  var kind: String

  init(_ events: [String], kind: String = "mmap", changes: [String: String?] = [:]) {
    self.events = events
    self.kind = kind
    self.changes = changes
  }

  /// How many lines stand above the first event.
  var headerLineCount: Int { text.split(separator: "\n").firstIndex(of: "#end")! + 1 }

  var bytes: [UInt8] { Array(text.utf8) }

  var text: String {
    let counts = count()
    let header: [(String, String)] =
      [
        ("name", "small"), ("kind", kind), ("program", "a test"), ("version", "1"),
        ("command", "none"), ("arch", "any"), ("page_size", "8192"), ("threads", "3"),
        ("arena_limit_pages", "524288"),
      ] + counts
    let lines = header.compactMap { key, value in
      (changes[key] ?? value).map { "# \(key): \($0)" }
    }
    return (["#pagetrace 1"] + lines + ["#end"] + events).joined(separator: "\n") + "\n"
  }

  /// What the events come to: a set of pages for each run, and no checks.
  private func count() -> [(String, String)] {
    var live: [Int: Set<Int>] = [:]
    var total = 0
    var peak = 0
    for event in events {
      let fields = event.split(separator: " ")
      let numbers = fields.dropFirst().compactMap { Int($0) }
      guard numbers.count >= 3, numbers.allSatisfy({ $0 >= 0 && $0 < 1 << 20 }) else { continue }
      let run = numbers[0]
      switch fields[0] {
      case "a":
        live[run] = Set(0..<numbers[1])
        total += numbers[1]
      case "r":
        total += max(0, numbers[1] - live[run, default: []].count)
        live[run] = Set(0..<numbers[1])
      case "f":
        live[run]?.subtract(numbers[1]..<numbers[1] + numbers[2])
      default:
        break
      }
      peak = max(peak, live.values.map(\.count).reduce(0, +))
    }
    let end = live.values.map(\.count).reduce(0, +)
    func number(of letter: Character) -> String { String(events.count { $0.first == letter }) }
    return [
      ("events", String(events.count)), ("allocs", number(of: "a")), ("frees", number(of: "f")),
      ("resizes", number(of: "r")), ("purges", number(of: "p")),
      ("peak_live_pages", String(peak)), ("end_live_pages", String(end)),
      ("total_alloc_pages", String(total)),
      ("cache_allocs", String(events.count { $0.hasSuffix(" c") })),
    ]
  }

  /// All kinds of events, frees in pieces, and runs that are live at the end.
  static let sample = TraceText([
    "a 0 4 0", "a 1 1 1", "a 2 7 2", "f 0 1 2 0", "p 2 2 3 1", "r 1 5 0", "f 0 0 1 1",
    "a 3 2 0", "r 1 3 2", "f 0 3 1 0", "p 3 0 2 2", "f 2 6 1 0", "f 2 0 2 0",
  ])
}
