import Foundation
import FoundationXML
import Gzip
import PageAlloc
import PageTrace
import Testing

/// `pagetool map` as a user meets it.
@Suite struct MapTests {
  /// Two chunks: one that the arena has not grown to, and one with pages of every other state.
  static let stretches: [(count: Int, state: PageState)] = [
    (512, .neverUsed), (300, .inUse), (1, .guardPage), (7, .atHand), (60, .free), (100, .empty),
    (44, .inUse),
  ]

  static let snapshotText =
    "pagealloc-snapshot 1 pages 1024 page-size 8192 base 0x7f0000000000\n"
    + stretches.map { "\($0.count) \($0.state.name)\n" }.joined()

  // MARK: snapshots

  @Test func snapshotAsText() throws {
    try Folder.temporary { folder in
      let path = try folder.write("heap.txt", gzipMember(Array(Self.snapshotText.utf8)))
      let result = try Tool.run("map", path)
      #expect(result.status == 0 && result.errors.isEmpty)
      let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false)
      #expect(lines.first == "heap.txt")
      #expect(lines.allSatisfy { $0.count <= 80 })
      // No terminal, no colours.
      #expect(!result.output.contains("\u{1b}"))
      let glyphs = "█┃▓▒░·"
      let rows = lines.filter { $0.count == 73 && glyphs.contains($0.last!) }
      let cells = rows.map { $0.dropFirst(9) }.joined()
      let expected = Self.stretches.map { stretch in
        String(repeating: "\(stretch.state.glyph)", count: stretch.count)
      }
      #expect(cells == expected.joined())
      #expect(result.output.contains("┃ guard               1 page        8 KiB    0.1 %\n"))
      #expect(result.output.contains("longest free run 160 pages (1.3 MiB), fragmentation 0.0 %"))
    }
  }

  @Test func snapshotOfAnArenaAsJSON() throws {
    try Folder.temporary { folder in
      let arena = try PageArena()
      let first = try arena.allocateRun(pages: 700)
      let second = try arena.allocateRun(pages: 30)
      let path = folder.url.path + "/heap.txt"
      try arena.snapshot().write(toPath: path)
      let result = try Tool.run("map", "--json", path)
      #expect(result.status == 0 && result.errors.isEmpty)
      let object = try #require(try result.json().first)
      #expect(object["file"] as? String == path && object["kind"] as? String == "snapshot")
      #expect(object["step"] == nil && object["hugePages"] is NSNull)
      let pages = try #require(object["pages"] as? [String: Int])
      #expect(pages["inUse"] == first.pages + second.pages)
      let statistics = arena.statistics
      #expect(pages["givenBack"] == Int(statistics.scavengedBytes / 8192))
      let free = try #require(pages["freeResident"]) + (try #require(pages["cached"]))
      #expect(free == Int(statistics.freeMaybeResidentBytes / 8192))
      let pageCount = try #require(object["pageCount"] as? Int)
      #expect(pages.values.reduce(0, +) == pageCount)
      let chunks = try #require(object["chunks"] as? [[String: Int]])
      #expect(chunks.count == pageCount / 512)
      #expect(chunks.allSatisfy { $0.values.reduce(0, +) == 512 })
      for (state, count) in pages {
        #expect(chunks.reduce(0) { $0 + ($1[state] ?? 0) } == count, "\(state)")
      }
    }
  }

  // MARK: recordings

  @Test func recordingAtEachStep() throws {
    // What the events of the sample leave live, counted by hand.
    let live = [0, 4, 5, 12, 10, 10, 14, 13, 15, 13, 12, 12, 11, 9]
    try Folder.temporary { folder in
      let path = try folder.write("small.trace", TraceText.sample.bytes)
      for (step, pages) in live.enumerated() {
        let result = try Tool.run("map", "--json", "--step", "\(step)", path)
        #expect(result.status == 0 && result.errors.isEmpty)
        try Self.expect(result, step: step, of: 13, inUse: pages)
      }
      try Self.expect(try Tool.run("map", "--json", path), step: 8, of: 13, inUse: 15)
    }
  }

  @Test func recordingAtItsPeak() throws {
    let path = Repository.path(Repository.workloads[0])
    let result = try Tool.run("map", "--json", path)
    try Self.expect(result, step: 33_983, of: 33_983, inUse: 19_981)
    let text = try Tool.run("map", path)
    #expect(text.status == 0)
    #expect(text.output.hasPrefix("go-compile-gotypes-amd64, step 33,983 of 33,983\n"))
    #expect(text.output.contains("█ in use         19,981 pages     156 MiB"))
    #expect(text.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
  }

  @Test func recordingOfAFullArena() throws {
    // All of 4 GiB but for two chunks, as one run.
    try Folder.temporary { folder in
      let path = try folder.write("full.trace", TraceText(["a 0 523264 0"]).bytes)
      let result = try Tool.run("map", "--json", path)
      #expect(result.status == 0 && result.errors.isEmpty)
      try Self.expect(result, step: 1, of: 1, inUse: 523_264)
      // Nothing was written, so that nobody knows what huge pages would back.
      #expect(try result.json().first?["hugePages"] is NSNull)
    }
  }

  private static func expect(
    _ result: Tool.Result, step: Int, of steps: Int, inUse: Int
  ) throws {
    let object = try #require(try result.json().first)
    #expect(object["kind"] as? String == "recording")
    #expect(object["step"] as? Int == step && object["steps"] as? Int == steps)
    let pages = try #require(object["pages"] as? [String: Int])
    #expect(pages["inUse"] == inUse, "at step \(step)")
  }

  // MARK: SVG

  @Test func svgHasEachPage() throws {
    try Folder.temporary { folder in
      let path = try folder.write("<heap> & more.txt", Self.snapshotText.utf8)
      let svg = folder.url.path + "/heap.svg"
      let result = try Tool.run("map", path, "--svg", svg)
      #expect(result.status == 0 && result.errors.isEmpty && result.output.isEmpty)
      let bytes = try Data(contentsOf: URL(fileURLWithPath: svg))
      let toOutput = try Tool.run("map", path, "--svg", "-")
      #expect(toOutput.status == 0 && Data(toOutput.output.utf8) == bytes)

      let picture = Picture()
      let parser = XMLParser(data: bytes)
      parser.delegate = picture
      try #require(parser.parse(), "not well-formed")
      #expect(picture.texts.contains("<heap> & more.txt"))
      for title in ["in use", "guard", "cached", "free resident", "given back", "never used"] {
        #expect(picture.texts.contains(title))
      }
      let kinds: [PageState: String] = [
        .inUse: "used", .guardPage: "guard", .atHand: "cached", .free: "free", .empty: "empty",
        .neverUsed: "never",
      ]
      let expected = Self.stretches.flatMap { stretch in
        Array(repeating: kinds[stretch.state]!, count: stretch.count)
      }
      #expect(picture.cells == expected)
    }
  }

  @Test func svgOfARecordingFramesHugePages() throws {
    let result = try Tool.run(
      "map", Repository.path(Repository.workloads[0]), "--svg", "-", "--step", "20000")
    #expect(result.status == 0)
    let picture = Picture()
    let parser = XMLParser(data: Data(result.output.utf8))
    parser.delegate = picture
    #expect(parser.parse())
    #expect(result.output.utf8.count < 60 << 10)
    // As many frames as it says; where the kernel does not tell of any, it says nothing.
    let line = picture.texts.first { $0.contains(" huge page") }
    let count = try line.map { try #require(Int($0.prefix { $0 != " " })) }
    #expect(picture.frameCount == count ?? 0)
  }

  // MARK: what cannot be drawn

  @Test func filesThatCannotBeDrawn() throws {
    try Folder.temporary { folder in
      let snapshot = try folder.write("heap.txt", Self.snapshotText.utf8)
      let cut = try folder.write("cut.txt", Self.snapshotText.utf8.dropLast(9))
      let other = try folder.write("other.txt", "something else\n".utf8)
      let empty = try folder.write("empty", [])
      let trace = try folder.write("small.trace", TraceText.sample.bytes)
      let noFolder = folder.url.path + "/none/heap.svg"
      let rows: [(arguments: [String], errors: String)] = [
        ([cut], "pagetool: \(cut): line 8: "),
        ([other], "pagetool: \(other): line 1: "),
        ([empty], "pagetool: \(empty): line 1: the file is empty\n"),
        ([folder.url.path], "pagetool: \(folder.url.path): this is a directory"),
        ([snapshot, "--step", "3"], "pagetool: \(snapshot): a snapshot has no steps"),
        (
          [trace, "--step", "14"], "pagetool: \(trace): there is no step 14: the recording has 13\n"
        ),
        ([snapshot, "--svg", noFolder], "pagetool: \(noFolder): cannot write the file: "),
      ]
      for (arguments, errors) in rows {
        let result = try Tool.run(["map"] + arguments)
        #expect(result.status == 1 && result.output.isEmpty, "\(arguments)")
        #expect(result.errors.hasPrefix(errors), "\(result.errors)")
        #expect(result.errors.split(separator: "\n").count == 1)
        let json = try Tool.run(["map", "--json"] + arguments)
        #expect(json.status == 1)
        let error = try #require(try json.json().first?["error"] as? [String: Any])
        #expect((error["message"] as? String)?.isEmpty == false)
      }
    }
  }

  // MARK: terminals

  @Test func coloursInATerminal() throws {
    try Folder.temporary { folder in
      let path = try folder.write("heap.txt", Self.snapshotText.utf8)
      let plain = try Tool.run("map", path).output
      let coloured = try Terminal.run(["map", path], environment: ["TERM": "xterm-256color"])
      #expect(coloured.contains("\u{1b}[38;5;32m█"))
      #expect(coloured.replacing(/\u{1b}\[[0-9;]*m/, with: "") == plain)
      for (arguments, environment) in [
        (["map", "--no-color", path], ["TERM": "xterm"]),
        (["map", path], ["TERM": "xterm", "NO_COLOR": "1"]), (["map", path], ["TERM": "dumb"]),
      ] {
        #expect(try Terminal.run(arguments, environment: environment) == plain)
      }
    }
  }
}

/// Reads a picture of a heap of at most 8 rows: which cells are of which class.
private final class Picture: NSObject, XMLParserDelegate {
  private(set) var texts: [String] = []
  private(set) var frameCount = 0
  private var places: [(y: Int, x: Int, length: Int, kind: String)] = []
  private var text = ""

  /// The class of each cell, by rows and from left to right.
  var cells: [String] {
    places.sorted { ($0.y, $0.x) < ($1.y, $1.x) }.flatMap { place in
      Array(repeating: place.kind, count: place.length / 2)
    }
  }

  func parser(
    _ parser: XMLParser, didStartElement element: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    text = ""
    guard element == "path", let kind = attributes["class"], let path = attributes["d"] else {
      return
    }
    if kind == "frame" {
      frameCount = path.count { $0 == "z" }
      return
    }
    for match in path.matches(of: /M(\d+) (\d+)h(\d+)/) {
      places.append((Int(match.2)!, Int(match.1)!, Int(match.3)!, kind))
    }
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }

  func parser(
    _ parser: XMLParser, didEndElement element: String, namespaceURI: String?,
    qualifiedName: String?
  ) {
    if element == "text" { texts.append(text) }
  }
}
