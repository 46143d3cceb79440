import Foundation
import FoundationXML
import Testing

/// `pagetool plot` as a user meets it.
@Suite struct PlotTests {
  /// What the events of the sample leave live, counted by hand.
  static let live = [0, 4, 5, 12, 10, 10, 14, 13, 15, 13, 12, 12, 11, 9]

  @Test func curvesAsJSON() throws {
    try Folder.temporary { folder in
      let path = try folder.write("small.trace", TraceText.sample.bytes)
      for (arguments, steps) in [
        ([], Array(0...13)), (["--from", "3", "--to", "7"], Array(3...7)),
        (["--from", "13", "--seconds", "0"], [13]),
      ] {
        let result = try Tool.run(["plot", "--json", path] + arguments)
        #expect(result.status == 0 && result.errors.isEmpty)
        let object = try #require(try result.json().first)
        #expect(object["file"] as? String == path && object["name"] as? String == "small")
        #expect(object["steps"] as? Int == 13)
        let samples = try #require(object["samples"] as? [[String: Int]])
        #expect(samples.map { $0["step"] } == steps)
        #expect(samples.map { $0["live"] } == steps.map { Self.live[$0] * 8192 })
        for sample in samples {
          let (live, resident) = (sample["live"] ?? -1, sample["resident"] ?? -1)
          let all = resident + (sample["givenBack"] ?? -1)
          #expect(live <= resident && all % (4 << 20) == 0, "all that has grown is counted once")
        }
      }
    }
  }

  @Test func curvesOfARecording() throws {
    let path = Repository.path(Repository.workloads[1])
    let object = try #require(try Tool.run("plot", "--json", path).json().first)
    let samples = try #require(object["samples"] as? [[String: Int]])
    // A thousand, and the peak.
    #expect((1000...1001).contains(samples.count))
    #expect(samples.last?["step"] == 33_796 && samples.last?["live"] == 28_544 * 8192)
    #expect(samples.map { $0["live"] ?? 0 }.max() == 29_250 * 8192)

    let text = try Tool.run("plot", path)
    #expect(text.status == 0 && text.errors.isEmpty)
    #expect(text.output.hasPrefix("mmap-redis-jemalloc, memory by steps\n\nlive: at most 229 MiB"))
    #expect(text.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
    #expect(!text.output.contains("\u{1b}"))
    // The same file gives the same curves.
    let coloured = try Terminal.run(["plot", path], environment: ["TERM": "xterm-256color"])
    #expect(coloured.contains("\u{1b}[38;5;32m"))
    #expect(coloured.replacing(/\u{1b}\[[0-9;]*m/, with: "") == text.output)
  }

  @Test func curvesAsSVG() throws {
    let path = Repository.path(Repository.workloads[1])
    let result = try Tool.run("plot", path, "-o", "-")
    #expect(result.status == 0 && result.errors.isEmpty)
    let curves = Curves()
    let parser = XMLParser(data: Data(result.output.utf8))
    parser.delegate = curves
    try #require(parser.parse(), "not well-formed")
    #expect(curves.texts.contains("live, at most 229 MiB"))
    for kind in ["live", "resident", "back"] {
      let path = try #require(curves.paths[kind]?.last)
      // All of it is within the frame.
      for match in path.matches(of: /[MH](-?\d+)/) { #expect(84...980 ~= Int(match.1)!) }
      for match in path.matches(of: /V(-?\d+)/) { #expect(84...270 ~= Int(match.1)!) }
      #expect(path.contains("V"))
    }
    try Folder.temporary { folder in
      let file = folder.url.path + "/plot.svg"
      let toFile = try Tool.run("plot", path, "--output", file)
      #expect(toFile.status == 0 && toFile.output.isEmpty && toFile.errors.isEmpty)
      #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == Data(result.output.utf8))
    }
  }

  @Test func whatCannotBeDrawn() throws {
    try Folder.temporary { folder in
      let trace = try folder.write("small.trace", TraceText.sample.bytes)
      let empty = try folder.write("empty", [])
      let noFolder = folder.url.path + "/none/plot.svg"
      for (arguments, errors) in [
        ([empty], "pagetool: \(empty): line 1: the file is empty\n"),
        ([trace, "--to", "14"], "pagetool: \(trace): there is no step 14: the recording has 13\n"),
        ([trace, "--from", "14"], "pagetool: \(trace): there is no step 14: the recording"),
        ([trace, "-o", noFolder], "pagetool: \(noFolder): cannot write the file: "),
      ] {
        let result = try Tool.run(["plot"] + arguments)
        #expect(result.status == 1 && result.output.isEmpty, "\(arguments)")
        #expect(result.errors.hasPrefix(errors), "\(result.errors)")
      }
      for arguments in [
        ["--from", "-1"], ["--from", "3", "--to", "2"], ["--seconds", "-1"],
        ["--seconds", "nan"], ["--json", "-o", "-"],
      ] {
        #expect(try Tool.run(["plot", trace] + arguments).status == 64, "\(arguments)")
      }
    }
  }
}

/// Reads a chart: the data of its paths by their classes, and its texts.
final class Curves: NSObject, XMLParserDelegate {
  private(set) var texts: [String] = []
  private(set) var paths: [String: [String]] = [:]
  private var text = ""

  func parser(
    _ parser: XMLParser, didStartElement element: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    text = ""
    guard element == "path", let kind = attributes["class"], let path = attributes["d"] else {
      return
    }
    paths[kind, default: []].append(path)
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }

  func parser(
    _ parser: XMLParser, didEndElement element: String, namespaceURI: String?,
    qualifiedName: String?
  ) {
    if element == "text" { texts.append(text) }
  }
}
