import SVG

/// What SVG files are made of.
package let svgChecks: [Check] = [
  Check("SVG: a picture, byte for byte") { recorder in
    var style = SVGStyle()
    style.add(".bar", .fill, light: "#111111", dark: "#eeeeee")
    style.add(".edge", .stroke, light: "#222222", dark: "#222222")
    style.add(rule: ".edge{stroke-width:2}")
    var svg = SVGDocument(width: 100, height: 50, title: "<one> & \"two\"\u{0}", style: style)
    svg.rectangle(x: 1, y: 2, width: 3, height: 4, kind: "bar")
    svg.rectangle(x: -1, y: 0, width: 30, height: 40, radius: 8, kind: "bar")
    svg.write("a > b", x: 5, y: 6, kind: "small")
    svg.write("middle", x: 7, y: 8, kind: "small", anchor: .middle)
    svg.write("end", x: 9, y: 10, kind: "small", anchor: .end)
    svg.draw(SVGPath(), kind: "nothing")
    var path = SVGPath()
    recorder.expect(path.isEmpty, "a new path is empty")
    path.addLine(x: 1, y: 2, length: 3)
    path.move(x: 10, y: -20)
    path.addLine(toX: 30)
    path.addLine(toY: 40)
    path.addBox(x: 5, y: 6, width: 7, height: 8)
    recorder.expect(!path.isEmpty, "and then it is not")
    svg.draw(path, kind: "edge")
    let text = String(decoding: svg.finished(), as: UTF8.self)
    expect(
      text,
      in: """
        <svg xmlns="http://www.w3.org/2000/svg" role="img" width="100" height="50" \
        viewBox="0 0 100 50">
        <title>&lt;one&gt; &amp; &quot;two&quot;\u{fffd}</title>
        """, isStart: true, &recorder)
    expect(
      text,
      in: """
        <rect class="bar" x="1" y="2" width="3" height="4"/>
        <rect class="bar" x="-1" y="0" width="30" height="40" rx="8"/>
        <text class="small" x="5" y="6">a &gt; b</text>
        <text class="small" x="7" y="8" text-anchor="middle">middle</text>
        <text class="small" x="9" y="10" text-anchor="end">end</text>
        <path class="edge" d="M1 2h3M10 -20H30V40M5 6h7v8h-7z"/>
        </svg>

        """, isStart: false, &recorder)
  },

  Check("SVG: a style has what differs on dark ground, and nothing else, for dark ground") {
    recorder in
    var style = SVGStyle()
    style.add(".bar", .fill, light: "#111111", dark: "#eeeeee")
    style.add(".edge", .stroke, light: "#222222", dark: "#222222")
    style.add(rule: ".edge{stroke-width:2}")
    let lines = Array(style.text.utf8).split(separator: 10)
    func index(of line: String, _ number: UInt = #line) -> Int {
      let found = lines.firstIndex { $0.elementsEqual(line.utf8) }
      if found == nil { recorder.fail("no line \(line)", line: number) }
      return found ?? 0
    }
    let dark = index(of: "@media (prefers-color-scheme:dark){")
    recorder.expect(index(of: ".bar{fill:#111111}") < dark, "light")
    recorder.expect(index(of: ".bar{fill:#eeeeee}") > dark, "dark")
    recorder.expect(index(of: ".edge{stroke:#222222}") < dark, "the same on both")
    recorder.expect(index(of: ".edge{stroke-width:2}") < dark, "a rule")
    recorder.expect(index(of: ".ground{fill:#ffffff}") < dark, "ground")
    recorder.expect(index(of: ".ground{fill:#0d1117}") > dark, "dark ground")
    recorder.expectEqual(lines.count { $0.starts(with: ".edge{stroke:".utf8) }, 1, "once")
  },
]

private func expect(
  _ text: String, in part: String, isStart: Bool, _ recorder: inout Recorder, line: UInt = #line
) {
  let (text, part) = (Array(text.utf8), Array(part.utf8))
  let found = isStart ? text.prefix(part.count) : text.suffix(part.count)
  recorder.expect(
    found.elementsEqual(part), "\n" + String(decoding: found, as: UTF8.self), line: line)
}
