import Foundation
import PageAlloc
import PageTrace

/// The page that shows a film of a heap: HTML, with its style, its script and all of its frames in
/// it. It fetches nothing, and tells the browser to refuse if it did.
struct FilmPage {
  let title: String
  let film: HeapFilm
  let chart: MemoryChart
  /// How many events the recording has.
  let eventCount: Int
  /// How long it is taken to have lasted.
  let seconds: Double

  /// The bytes of the file.
  func html() throws -> [UInt8] {
    Array(head.utf8) + Array(try body().utf8)
  }

  private var head: String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
    style-src 'unsafe-inline'; script-src 'unsafe-inline'">
    <title>\(escaped(title)): film of the heap</title>
    <style>
    \(Self.style)
    </style>
    </head>

    """
  }

  private func body() throws -> String {
    """
    <body>
    <main>
    <h1>\(escaped(title))</h1>
    <p>\(escaped(about))</p>
    <noscript><p>This page needs JavaScript to show its frames.</p></noscript>
    <div class="controls">
    <button id="play" type="button">Play</button>
    <input id="slider" type="range" min="0" max="0" step="1" value="0" aria-label="Step">
    <output id="step" for="slider"></output>
    <label>Frames a second
    <select id="speed"><option>1</option><option>5</option><option selected>15</option>\
    <option>30</option><option>60</option></select></label>
    </div>
    <canvas id="map" role="img" aria-label="Map of the heap"></canvas>
    <div class="figures">
    <table>
    <thead><tr><th scope="col"></th><th scope="col">pages</th><th scope="col">memory</th>\
    <th scope="col">share</th></tr></thead>
    <tbody>
    \(rows)</tbody>
    </table>
    <p><span id="free"></span><br><span id="huge"></span></p>
    </div>
    <div id="chart">
    \(String(decoding: chart.svg(), as: UTF8.self))</div>
    <p class="keys"><kbd>Space</kbd> plays and stops, <kbd>←</kbd> <kbd>→</kbd> go a frame, \
    <kbd>Page ↑</kbd> <kbd>Page ↓</kbd> ten, <kbd>Home</kbd> <kbd>End</kbd> to the ends. A click \
    on the curves goes there; so does <kbd>#step=1234</kbd> at the end of the address.</p>
    </main>
    <script id="film" type="application/json">\(try figures())</script>
    <script id="changes" type="text/plain">\(Data(film.changes).base64EncodedString())</script>
    <script>
    \(Self.script)
    </script>
    </body>
    </html>

    """
  }

  /// What one should know about the picture, in a few sentences.
  private var about: String {
    let size = film.pagesPerCell
    var memory = AsciiText()
    memory.append(byteCount: UInt64(size * PageArena.pageSize))
    let cell =
      size == 1
      ? "1 page of \(memory.string)"
      : "\(size) pages (\(memory.string)), and shows what most of them are"
    let time =
      seconds == 0
      ? "Nothing goes back as time goes by."
      : "The steps are spread evenly over "
        + "\(decimal(seconds, places: seconds < 10 ? 1 : 0))\u{a0}s, "
        + "in which free memory goes back to the system as in a program."
    return "\(grouped(eventCount)) steps, of which \(grouped(film.frames.count)) are shown. "
      + "One cell is \(cell). \(time)"
  }

  /// The legend and the figures of a frame, which the script fills in.
  private var rows: String {
    let hasGuards = film.frames.contains { $0.counts[Int(PageState.guardPage.rawValue)] > 0 }
    return PageState.inLegendOrder.filter { $0 != .guardPage || hasGuards }.map { state in
      "<tr id=\"row-\(state.name)\"><th scope=\"row\">"
        + "<span class=\"swatch\" style=\"background: var(--\(state.name))\"></span>"
        + "\(state.title)</th><td></td><td></td><td></td></tr>\n"
    }.joined()
  }

  /// What the script has to know, as JSON.
  private func figures() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return String(decoding: try encoder.encode(Figures(self)), as: UTF8.self)
  }

  /// Text as HTML takes it for text.
  private func escaped(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
  }
}

/// The figures of all frames, column by column: numbers, and names of ours.
private struct Figures: Encodable {
  let events: Int
  let pageSize = PageArena.pageSize
  let pagesPerCell: Int
  let cells: Int
  /// The states by their raw values.
  let kinds = PageState.allCases.map(\.name)
  /// The frame at which most is in use.
  let peak: Int
  let steps: [Int]
  let pages: [Int]
  /// A column for each state.
  let counts: [[Int]]
  let longest: [Int]
  let bytes: [Int]
  /// The huge pages of each frame that the frame before had not, or has had alone; `nil` where they
  /// are not known.
  let huge: [[Int]]?
  let pagesPerHugePage = PagePicture.pagesPerHugePage
  let frame: Frame

  /// Where the curves are in their picture.
  struct Frame: Encodable {
    let width = MemoryChart.Frame.width
    let left: Int
    let right: Int
    let top: Int
    let bottom: Int
  }

  init(_ page: FilmPage) {
    let frames = page.film.frames
    let step = page.chart.peak(of: .live)?.step
    events = page.eventCount
    pagesPerCell = page.film.pagesPerCell
    cells = page.film.cellCount
    peak = frames.firstIndex { $0.step == step } ?? 0
    steps = frames.map(\.step)
    pages = frames.map(\.pageCount)
    counts = PageState.allCases.map { state in frames.map { $0.counts[Int(state.rawValue)] } }
    longest = frames.map(\.longestFreeRun)
    bytes = frames.map(\.byteCount)
    huge = Self.changes(of: frames.map(\.hugePages))
    let place = page.chart.frame
    frame = Frame(left: place.left, right: place.right, top: place.top, bottom: place.bottom)
  }

  private static func changes(of frames: [[Int]?]) -> [[Int]]? {
    var before: Set<Int> = []
    var changes: [[Int]] = []
    for hugePages in frames {
      guard let hugePages else { return nil }
      changes.append(before.symmetricDifference(hugePages).sorted())
      before = Set(hugePages)
    }
    return changes
  }
}
