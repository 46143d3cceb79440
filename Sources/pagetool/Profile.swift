import ArgumentParser
import PageTrace

/// `pagetool profile`: how large the runs of a trace are, and how long they live.
struct Profile: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows how large the runs of a trace are, and how long they live.",
    discussion: """
      Each FILE is a page trace ("#pagetrace 1"). Sizes are in pages of 8 KiB: those that a run is \
      allocated with, whatever it is resized to. A lifetime is how many events of the trace later \
      the last page of a run is freed. Both are shown by powers of two: the row "4-7" counts what \
      is at least 4 and less than 8. A bar is the share of the runs. "memory" is what the runs of \
      a row were allocated with, all together, though most of it is freed meanwhile.

      EXAMPLES
        pagetool profile mmap-node.trace.gz
        pagetool profile --json *.trace.gz > profiles.json

      JSON
        An array with one object a file, in the order of the arguments.
          file, name        the FILE as given; the trace's own name
          events, runs, pages
                            events, allocations, and the pages of these
          sizes             object: median, largest (pages), classes: an array of
                            objects: from, to (both inclusive), runs, pages
          lifetimes         object: median, longest (events), classes, as above
          live              object: runs, pages, of what is live at the end
          error             object: message, line (if known); of a file that
                            cannot be used, instead of all the above but file

      EXIT STATUS
        0   all files were read
        1   a file cannot be read or is malformed
        64  the command line makes no sense
      """)

  @Argument(help: "The traces to look at, plain or packed with gzip.", completion: .file())
  var files: [String]

  @Flag(help: "Print JSON instead of text.")
  var json = false

  func run() throws {
    var results: [ProfileResult] = []
    for path in files {
      var result = ProfileResult(file: path)
      do throws(FileFailure) {
        let trace = try readTrace(path)
        result.header = trace.header
        result.profile = TraceProfile(trace)
      } catch {
        result.failure = error
        complain(path, error)
      }
      if !json, result.failure == nil { print((results.isEmpty ? "" : "\n") + result.text) }
      results.append(result)
    }
    if json { print(try jsonText(results)) }
    if results.contains(where: { $0.failure != nil }) { throw ExitCode.failure }
  }
}

/// What came of one file. Header and profile are there unless there is a failure.
private struct ProfileResult {
  let file: String
  var header: ProgramTrace.Header?
  var profile: TraceProfile?
  var failure: FileFailure?
}

// MARK: - Text

extension ProfileResult {
  fileprivate var text: String {
    guard let header, let profile else { return "" }
    var text = "\(header.name): \(counted(profile.all.runs, "run")) of "
    text += "\(counted(Int(profile.all.pages), "page")) "
    text += "(\(bytes(profile.all.pages * 8192))), \(counted(header.eventCount, "event"))\n"
    text += table(
      "pages a run", profile.sizes, nil,
      "median \(grouped(profile.medianSize)), largest \(grouped(profile.largestSize))")
    text += table(
      "events it lives", profile.lifetimes, profile.live,
      "median \(grouped(profile.medianLifetime)), longest \(grouped(profile.longestLifetime)), "
        + "of those that were freed")
    return String(text.dropLast())
  }

  /// A row a class: 80 columns.
  private func table(
    _ title: String, _ classes: [TraceProfile.Class], _ live: TraceProfile.Class?,
    _ summary: String
  ) -> String {
    var rows = classes.enumerated().map { (range($0), $1) }
    if let live { rows.append(("at the end", live)) }
    let all = max(1, profile?.all.runs ?? 1)
    var text = "\n  \(padded(right: title, 19))\(padded(left: "runs", 11))"
    text += "\(padded(left: "share", 9))\(padded(left: "memory", 10))\n"
    for (name, count) in rows {
      let share = Double(count.runs) / Double(all)
      text += "  \(padded(right: name, 19))\(padded(left: grouped(count.runs), 11))"
      text += padded(left: decimal(share * 100, places: 1) + " %", 9)
      text += padded(left: bytes(count.pages * 8192), 10)
      let bar = bar(share, of: 25)
      text += bar.isEmpty ? "\n" : "  \(bar)\n"
    }
    return text + "  \(summary)\n"
  }

  /// A bar of so many columns for a share of 1, to an eighth of a column.
  private func bar(_ share: Double, of width: Int) -> String {
    let eighths = Int((share * Double(width * 8)).rounded())
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]
    return String(repeating: "█", count: eighths / 8) + rest
  }

  private func range(_ index: Int) -> String {
    index == 0 ? "1" : "\(grouped(1 << index))-\(grouped((2 << index) - 1))"
  }
}

// MARK: - JSON

extension ProfileResult: Encodable {
  private enum Key: String, CodingKey {
    case file, error, name, events, runs, pages, sizes, lifetimes, live
  }
  private enum PartKey: String, CodingKey { case median, largest, longest, classes, runs, pages }

  private struct Class: Encodable {
    let from: Int
    let to: Int
    let runs: Int
    let pages: UInt64
  }

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try object.encode(file, forKey: .file)
    if let failure { return try object.encode(failure, forKey: .error) }
    guard let header, let profile else { return }
    try object.encode(header.name, forKey: .name)
    try object.encode(header.eventCount, forKey: .events)
    try object.encode(profile.all.runs, forKey: .runs)
    try object.encode(profile.all.pages, forKey: .pages)
    var sizes = object.nestedContainer(keyedBy: PartKey.self, forKey: .sizes)
    try sizes.encode(profile.medianSize, forKey: .median)
    try sizes.encode(profile.largestSize, forKey: .largest)
    try sizes.encode(Self.classes(profile.sizes), forKey: .classes)
    var lifetimes = object.nestedContainer(keyedBy: PartKey.self, forKey: .lifetimes)
    try lifetimes.encode(profile.medianLifetime, forKey: .median)
    try lifetimes.encode(profile.longestLifetime, forKey: .longest)
    try lifetimes.encode(Self.classes(profile.lifetimes), forKey: .classes)
    var live = object.nestedContainer(keyedBy: PartKey.self, forKey: .live)
    try live.encode(profile.live.runs, forKey: .runs)
    try live.encode(profile.live.pages, forKey: .pages)
  }

  private static func classes(_ classes: [TraceProfile.Class]) -> [Class] {
    classes.enumerated().map { index, count in
      Class(from: 1 << index, to: (2 << index) - 1, runs: count.runs, pages: count.pages)
    }
  }
}
