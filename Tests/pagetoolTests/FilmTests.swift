import Foundation
import FoundationXML
import PageAlloc
import Testing

/// `pagetool film` as a user meets it. `make test-film` opens its pages in a browser.
@Suite struct FilmTests {
  @Test func filmOfEachStep() throws {
    try Folder.temporary { folder in
      let path = try folder.write("small.trace", TraceText.sample.bytes)
      let page = folder.url.path + "/film.html"
      let result = try Tool.run("film", path, "-o", page)
      #expect(result.status == 0 && result.errors.isEmpty)
      let html = try String(contentsOfFile: page, encoding: .utf8)
      #expect(result.output.hasPrefix("\(page): small, 14 frames of 13 steps, "))
      let film = try #require(try FilmFile(html))
      #expect(film.figures["steps"] as? [Int] == Array(0...13))
      #expect(film.figures["events"] as? Int == 13)
      // The peak is at the eighth step.
      #expect(film.figures["peak"] as? Int == 8)
      let counts = try #require(film.figures["counts"] as? [[Int]])
      let inUse = Int(PageState.inUse.rawValue)
      #expect(counts[inUse] == PlotTests.live)
      // One cell is one page here, so that frames decoded have the same figures.
      #expect(film.figures["pagesPerCell"] as? Int == 1)
      for (frame, cells) in film.frames.enumerated() {
        for state in PageState.allCases where state != .neverUsed {
          let count = cells.count { $0 == state.rawValue }
          #expect(count == counts[Int(state.rawValue)][frame], "\(state), frame \(frame)")
        }
      }
      let again = try Tool.run("film", path, "-o", "-")
      #expect(again.status == 0 && again.output == html, "the same file, the same page")
    }
  }

  @Test func filmOfAPart() throws {
    let path = Repository.path(Repository.workloads[1])
    try Folder.temporary { folder in
      let page = folder.url.path + "/film.html"
      let result = try Tool.run(
        "film", path, "-o", page, "--json", "--from", "20000", "--to", "20500", "--frames", "50")
      #expect(result.status == 0 && result.errors.isEmpty)
      let object = try #require(try result.json().first)
      #expect(object["name"] as? String == "mmap-redis-jemalloc")
      #expect(object["output"] as? String == page && object["steps"] as? Int == 33_796)
      let frames = try #require(object["frames"] as? [[String: Any]])
      let steps = frames.compactMap { $0["step"] as? Int }
      #expect(frames.count == 50 && steps.first == 20_000 && steps.last == 20_500)
      let html = try Data(contentsOf: URL(fileURLWithPath: page))
      #expect(object["byteCount"] as? Int == html.count && html.count < 100_000)
      let film = try #require(try FilmFile(String(decoding: html, as: UTF8.self)))
      #expect(film.figures["steps"] as? [Int] == steps)
      #expect(film.frames.last?.count == object["cells"] as? Int)
      // The page has what changes of the huge pages; null where the kernel does not tell of them.
      let counts = frames.map { $0["hugePages"] as? Int }
      if let changes = film.figures["huge"] as? [[Int]] {
        var huge: Set<Int> = []
        for (change, count) in zip(changes, counts) {
          huge.formSymmetricDifference(change)
          #expect(huge.count == count)
        }
        #expect(changes.count == counts.count)
      } else {
        #expect(counts.allSatisfy { $0 == nil })
      }
    }
  }

  @Test func pageIsOfItsOwn() throws {
    try Folder.temporary { folder in
      let sample = TraceText.sample
      let text = sample.text.replacing("# name: small", with: "# name: </title><b>&x")
      let path = try folder.write("small.trace", text.utf8)
      let html = try Tool.run("film", path, "-o", "-").output
      #expect(html.contains("<h1>&lt;/title>&lt;b>&amp;x</h1>") && !html.contains("<b>"))
      // Nothing is fetched: no address but the name of SVG, and the browser is told to refuse.
      let addresses = html.matches(of: /(https?:)?\/\/[a-z]+\.[^" ]*/).map { String($0.output.0) }
      #expect(Set(addresses) == ["http://www.w3.org/2000/svg"])
      #expect(!html.contains("src=") && !html.contains("href=") && !html.contains("url("))
      #expect(html.contains("content=\"default-src 'none'; style-src 'unsafe-inline'"))
      // The curves are a picture that is well-formed.
      let start = try #require(html.range(of: "<svg"))
      let end = try #require(html.range(of: "</svg>"))
      let curves = Curves()
      let parser = XMLParser(data: Data(html[start.lowerBound..<end.upperBound].utf8))
      parser.delegate = curves
      #expect(parser.parse() && curves.paths["resident"]?.count == 2)
    }
  }

  @Test func whatCannotBeFilmed() throws {
    try Folder.temporary { folder in
      let trace = try folder.write("small.trace", TraceText.sample.bytes)
      let other = try folder.write("other", "something else\n".utf8)
      let page = folder.url.path + "/film.html"
      let noFolder = folder.url.path + "/none/film.html"
      for (arguments, errors) in [
        ([other, "-o", page], "pagetool: \(other): line 1: "),
        ([trace, "-o", page, "--to", "14"], "pagetool: \(trace): there is no step 14: "),
        ([trace, "-o", noFolder], "pagetool: \(noFolder): cannot write the file: "),
      ] {
        let result = try Tool.run(["film"] + arguments)
        #expect(result.status == 1 && result.output.isEmpty, "\(arguments)")
        #expect(result.errors.hasPrefix(errors), "\(result.errors)")
        let json = try Tool.run(["film", "--json"] + arguments)
        #expect(json.status == 1)
        #expect(try json.json().first?["error"] is [String: Any])
      }
      #expect(!FileManager.default.fileExists(atPath: page))
      for arguments in [
        [trace], [trace, "-o", page, "--frames", "1"], [trace, "-o", page, "--frames", "10001"],
        [trace, "-o", "-", "--json"],
      ] {
        #expect(try Tool.run(["film"] + arguments).status == 64, "\(arguments)")
      }
    }
  }
}

/// What the script of a film's page finds in it.
private struct FilmFile {
  let figures: [String: Any]
  /// The cells of each frame, as far as anything of them was ever used.
  private(set) var frames: [[UInt8]] = []

  init?(_ html: String) throws {
    guard let text = html.firstMatch(of: /<script id="film"[^>]*>([^<]*)<\/script>/)?.1,
      let packed = html.firstMatch(of: /<script id="changes"[^>]*>([^<]*)<\/script>/)?.1,
      let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any],
      let changes = Data(base64Encoded: String(packed)), let sizes = object["bytes"] as? [Int],
      let cellCount = object["cells"] as? Int
    else { return nil }
    figures = object
    var rest = [UInt8](changes)[...]
    var cells = [UInt8](repeating: PageState.neverUsed.rawValue, count: cellCount)
    for size in sizes {
      var frame = rest.prefix(size)
      rest = rest.dropFirst(size)
      var place = 0
      while !frame.isEmpty {
        place += Self.number(&frame)
        let change = Self.number(&frame)
        for _ in 0..<change >> 3 {
          cells[place] = UInt8(change & 7)
          place += 1
        }
      }
      frames.append(cells)
    }
    guard rest.isEmpty else { return nil }
  }

  private static func number(_ bytes: inout ArraySlice<UInt8>) -> Int {
    var (value, shift) = (0, 0)
    while let byte = bytes.popFirst() {
      value |= Int(byte & 127) << shift
      if byte < 128 { break }
      shift += 7
    }
    return value
  }
}
