// Scalable vector graphics, as far as our pictures need them: rectangles, paths, text, and a style
// for light ground and for dark. Coordinates are whole pixels. What is drawn alike is written
// alike, byte for byte. Whoever draws, the heap map, the curves of memory, the bars of the
// benchmarks, draws by this; PNG, where somebody wants it, is made from the file by `rsvg-convert`.

/// A picture that is being drawn, as the text of an SVG file.
public struct SVGDocument {
  private var bytes: [UInt8] = []

  /// On which side of its point a text stands.
  public enum Anchor {
    /// It begins at the point.
    case start
    /// The point is its middle.
    case middle
    /// It ends at the point.
    case end
  }

  /// Begins a picture.
  ///
  /// - Parameters:
  ///   - width: in pixels.
  ///   - height: in pixels.
  ///   - title: what those are told who cannot see it.
  ///   - style: how all kinds look that are drawn.
  public init(width: Int, height: Int, title: String, style: SVGStyle) {
    bytes.append(string: "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\"")
    attribute("width", width)
    attribute("height", height)
    bytes.append(string: " viewBox=\"0 0 ")
    bytes.append(decimal: width)
    bytes.append(string: " ")
    bytes.append(decimal: height)
    bytes.append(string: "\">\n<title>")
    bytes.append(escaped: title)
    bytes.append(string: "</title>\n<style>\n")
    bytes.append(escaped: style.text)
    bytes.append(string: "</style>\n")
  }

  /// A rectangle, of a kind that the style tells of.
  public mutating func rectangle(
    x: Int, y: Int, width: Int, height: Int, radius: Int = 0, kind: String
  ) {
    bytes.append(string: "<rect")
    attribute("class", kind)
    attribute("x", x)
    attribute("y", y)
    attribute("width", width)
    attribute("height", height)
    if radius > 0 { attribute("rx", radius) }
    bytes.append(string: "/>\n")
  }

  /// A line of text at a point; `y` is where its letters stand.
  public mutating func write(
    _ words: String, x: Int, y: Int, kind: String, anchor: Anchor = .start
  ) {
    bytes.append(string: "<text")
    attribute("class", kind)
    attribute("x", x)
    attribute("y", y)
    switch anchor {
    case .start: break
    case .middle: attribute("text-anchor", "middle")
    case .end: attribute("text-anchor", "end")
    }
    bytes.append(string: ">")
    bytes.append(escaped: words)
    bytes.append(string: "</text>\n")
  }

  /// A path, of a kind that the style tells of; nothing where it is empty.
  public mutating func draw(_ path: SVGPath, kind: String) {
    if path.isEmpty { return }
    bytes.append(string: "<path")
    attribute("class", kind)
    bytes.append(string: " d=\"")
    bytes.append(contentsOf: path.bytes)
    bytes.append(string: "\"/>\n")
  }

  /// Ends the picture: the bytes of its file.
  public consuming func finished() -> [UInt8] {
    bytes.append(string: "</svg>\n")
    return bytes
  }

  private mutating func attribute(_ name: String, _ value: Int) {
    bytes.append(string: " ")
    bytes.append(string: name)
    bytes.append(string: "=\"")
    bytes.append(decimal: value)
    bytes.append(string: "\"")
  }

  private mutating func attribute(_ name: String, _ value: String) {
    bytes.append(string: " ")
    bytes.append(string: name)
    bytes.append(string: "=\"")
    bytes.append(escaped: value)
    bytes.append(string: "\"")
  }
}
