// Scalable vector graphics, as far as our pictures need them: rectangles, lines of cells, text, and
// a style for light ground and for dark. Coordinates are whole pixels. What is drawn alike is
// written alike, byte for byte.

/// A picture that is being drawn, as the text of an SVG file.
package struct SVG {
  private var text = AsciiText()

  /// Begins a picture.
  ///
  /// - Parameters:
  ///   - title: what those are told who cannot see it.
  ///   - style: rules of CSS; what is for dark ground alone is in
  ///     `@media (prefers-color-scheme: dark)`.
  package init(width: Int, height: Int, title: String, style: String) {
    text.append("<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\"")
    attribute(" width", width)
    attribute(" height", height)
    text.append(" viewBox=\"0 0 ")
    text.append(width)
    text.append(" ")
    text.append(height)
    text.append("\">\n<title>")
    escape(title)
    text.append("</title>\n<style>\n")
    escape(style)
    text.append("</style>\n")
  }

  /// A rectangle, of a class that the style tells of.
  package mutating func rectangle(
    x: Int, y: Int, width: Int, height: Int, radius: Int = 0, kind: StaticString
  ) {
    text.append("<rect")
    attribute(" class", kind)
    attribute(" x", x)
    attribute(" y", y)
    attribute(" width", width)
    attribute(" height", height)
    if radius > 0 { attribute(" rx", radius) }
    text.append("/>\n")
  }

  /// A line of text that begins at `x`, or ends there; `y` is where its letters stand.
  package mutating func write(
    _ words: String, x: Int, y: Int, kind: StaticString, endsThere: Bool = false
  ) {
    text.append("<text")
    attribute(" class", kind)
    attribute(" x", x)
    attribute(" y", y)
    if endsThere { text.append(" text-anchor=\"end\"") }
    text.append(">")
    escape(words)
    text.append("</text>\n")
  }

  /// A path, of a class that the style tells of; nothing where it is empty.
  package mutating func draw(_ path: SVGPath, kind: StaticString) {
    if path.isEmpty { return }
    text.append("<path")
    attribute(" class", kind)
    text.append(" d=\"")
    text.append(path.text.bytes[...])
    text.append("\"/>\n")
  }

  /// Ends the picture: the bytes of its file.
  package consuming func finished() -> [UInt8] {
    text.append("</svg>\n")
    return text.bytes
  }

  private mutating func attribute(_ name: StaticString, _ value: Int) {
    text.append(name)
    text.append("=\"")
    text.append(value)
    text.append("\"")
  }

  private mutating func attribute(_ name: StaticString, _ value: StaticString) {
    text.append(name)
    text.append("=\"")
    text.append(value)
    text.append("\"")
  }

  /// Writes text so that XML takes it for text; what XML has no place for becomes U+FFFD.
  private mutating func escape(_ words: String) {
    for scalar in words.unicodeScalars {
      switch scalar.value {
      case 0x26: text.append("&amp;")
      case 0x3c: text.append("&lt;")
      case 0x3e: text.append("&gt;")
      case 0x09, 0x0a, 0x20...0xfffd, 0x10000...: text.append(string: String(scalar))
      default: text.append("\u{fffd}")
      }
    }
  }
}

/// Lines and boxes that are drawn alike, as the data of one path.
package struct SVGPath {
  fileprivate var text = AsciiText()

  /// Nothing yet.
  package init() {}

  /// Whether nothing is in it.
  package var isEmpty: Bool { text.bytes.isEmpty }

  /// A line to the right from a point.
  package mutating func addLine(x: Int, y: Int, length: Int) {
    move(x, y)
    text.append("h")
    text.append(length)
  }

  /// The outline of a box.
  package mutating func addBox(x: Int, y: Int, width: Int, height: Int) {
    addLine(x: x, y: y, length: width)
    text.append("v")
    text.append(height)
    text.append("h-")
    text.append(width)
    text.append("z")
  }

  private mutating func move(_ x: Int, _ y: Int) {
    text.append("M")
    text.append(x)
    text.append(" ")
    text.append(y)
  }
}
