import Foundation
import PageTrace
import Testing

/// `pagetool stat` as a user meets it.
@Suite struct StatTests {
  /// What the operations of the sample leave live, in pages, counted by hand: thirteen events, and
  /// three frees of what is live then.
  static let live = [0, 4, 5, 12, 10, 10, 14, 13, 15, 13, 12, 12, 11, 9, 6, 2, 0]

  @Test func everyOperationAsJSON() throws {
    try Folder.temporary { folder in
      let path = try folder.write("small.trace", TraceText.sample.bytes)
      let result = try Tool.run("stat", "--json", "--every", "1", path)
      #expect(result.status == 0 && result.errors.isEmpty)
      let objects = try Self.objects(result.output)
      #expect(objects.map { $0["operation"] as? Int } == (0...16).map { $0 })
      #expect(objects.map { $0["inUseBytes"] as? Int } == Self.live.map { $0 * 8192 })
      #expect(objects.allSatisfy { $0["operations"] as? Int == 16 })
      let seconds = objects.compactMap { $0["seconds"] as? Double }
      #expect(seconds == seconds.sorted() && seconds.count == 17)
      for object in objects {
        let bytes = try ["cachedBytes", "freeBytes", "givenBackBytes", "longestFreeRunBytes"].map {
          try #require(object[$0] as? Int)
        }
        #expect(bytes.allSatisfy { $0 >= 0 && $0 % 8192 == 0 })
        let fragmentation = try #require(object["fragmentation"] as? Double)
        #expect(fragmentation >= 0 && fragmentation <= 1)
        #expect(try #require(object["residentBytes"] as? Int) > 100_000)
      }
    }
  }

  static func objects(_ text: String) throws -> [[String: Any]] {
    try text.split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }

  @Test func linesOfText() throws {
    try Folder.temporary { folder in
      let path = try folder.write("small.trace", TraceText.sample.bytes)
      let result = try Tool.run("stat", "--every", "4", path)
      let lines = result.output.split(separator: "\n")
      #expect(result.status == 0 && lines.count == 6)
      #expect(Set(lines.map(\.count)).count == 1 && lines[0].count <= 80)
      #expect(lines[1...].map { $0.split(separator: " ")[0] } == ["0", "4", "8", "12", "16"])
      #expect(lines[3].contains(" 120 KiB "))
      #expect(!result.output.contains("\u{1b}"))
    }
  }

  @Test func rateIsKept() throws {
    try Folder.temporary { folder in
      let path = try folder.write("small.trace", TraceText.sample.bytes)
      let result = try Tool.run("stat", "--json", "--rate", "40", path)
      let last = try #require(try Self.objects(result.output).last)
      #expect(try #require(last["seconds"] as? Double) >= 0.4)
    }
  }

  @Test func memoryThatGoesBackIsAwaited() throws {
    let path = Repository.path(Repository.workloads[0])
    let result = try Tool.run("stat", "--json", "--wait", path)
    let objects = try Self.objects(result.output)
    let last = try #require(objects.last)
    #expect(result.status == 0 && objects.count > 21)
    // All but a MiB goes by itself.
    let left = try #require(last["freeBytes"] as? Int) + (try #require(last["cachedBytes"] as? Int))
    #expect(left <= 2 << 20)
    #expect(try #require(last["givenBackBytes"] as? Int) > 100 << 20)
  }

  @Test func figuresStayInPlaceOnATerminal() throws {
    let path = Repository.path(Repository.workloads[0])
    let text = try Terminal.run(["stat", path], environment: ["TERM": "xterm"])
    let frames = text.components(separatedBy: "\u{1b}[8A")
    // It takes longer than a twentieth of a second, and all of it is eight lines long.
    #expect(frames.count > 1)
    for frame in frames {
      let lines = frame.replacingOccurrences(of: "\u{1b}[K", with: "").split(separator: "\n")
      #expect(lines.count == 8 && lines.allSatisfy { $0.count <= 80 })
      #expect(lines[0].hasPrefix("go-compile-gotypes-amd64: "))
    }
    #expect(frames.last?.contains(": 100 %\u{1b}[K\n") == true)
    let plain = try Terminal.run(["stat", path], environment: ["TERM": "dumb"])
    #expect(!plain.contains("\u{1b}") && plain.split(separator: "\n").count == 22)
  }

  @Test func badFile() throws {
    try Folder.temporary { folder in
      var text = TraceText.sample
      text.events.append("f 0 1 1 0")
      let path = try folder.write("false.trace", text.bytes)
      let result = try Tool.run("stat", "--json", path)
      let line = text.headerLineCount + text.events.count
      #expect(result.status == 1)
      #expect(result.errors == "pagetool: \(path): line \(line): run 0 is not live\n")
      let error = try #require(try Self.objects(result.output)[0]["error"] as? [String: Any])
      #expect(error["line"] as? Int == line)
    }
  }
}
