/// A colour of 24 bits.
struct Colour: Hashable {
  let red: UInt8
  let green: UInt8
  let blue: UInt8

  init(_ hex: UInt32) {
    red = UInt8(truncatingIfNeeded: hex >> 16)
    green = UInt8(truncatingIfNeeded: hex >> 8)
    blue = UInt8(truncatingIfNeeded: hex)
  }

  static let white = Colour(0xffffff)
  static let ink = Colour(0x24292f)
  static let faint = Colour(0xd8dee4)
}

/// What a text leans on.
enum Anchor {
  case start
  case middle
  case end
}

/// A drawing: shapes in whole units, from the top left corner, later ones over earlier ones.
struct Canvas {
  enum Shape {
    case box(x: Int, y: Int, width: Int, height: Int, Colour)
    /// `y` is the middle of the letters.
    case text(String, x: Int, y: Int, Anchor, size: Int, Colour)
  }

  let width: Int
  let height: Int
  private(set) var shapes: [Shape] = []

  init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }

  mutating func box(x: Int, y: Int, width: Int, height: Int, _ colour: Colour) {
    shapes.append(.box(x: x, y: y, width: width, height: height, colour))
  }

  /// - Parameter size: 1 for small print, 2 for a title.
  mutating func text(
    _ text: String, x: Int, y: Int, _ anchor: Anchor = .start, size: Int = 1,
    _ colour: Colour = .ink
  ) {
    shapes.append(.text(text, x: x, y: y, anchor, size: size, colour))
  }
}

extension Canvas {
  /// The drawing as SVG.
  var svg: String {
    var text = """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" \
      viewBox="0 0 \(width) \(height)" font-family="ui-monospace, Menlo, Consolas, monospace">
      <rect width="\(width)" height="\(height)" fill="#ffffff"/>

      """
    for shape in shapes {
      switch shape {
      case .box(let x, let y, let width, let height, let colour):
        text +=
          "<rect x=\"\(x)\" y=\"\(y)\" width=\"\(width)\" height=\"\(height)\" "
          + "fill=\"\(colour.hex)\"/>\n"
      case .text(let string, let x, let y, let anchor, let size, let colour):
        let name =
          switch anchor {
          case .start: "start"
          case .middle: "middle"
          case .end: "end"
          }
        text +=
          "<text x=\"\(x)\" y=\"\(y)\" font-size=\"\(size == 1 ? 11 : 17)\" fill=\"\(colour.hex)\" "
          + "text-anchor=\"\(name)\" dominant-baseline=\"central\">\(Self.escaped(string))</text>\n"
      }
    }
    return text + "</svg>\n"
  }

  private static func escaped(_ text: String) -> String {
    text.map { $0 == "&" ? "&amp;" : $0 == "<" ? "&lt;" : String($0) }.joined()
  }
}

extension Colour {
  fileprivate var hex: String {
    let value = UInt32(red) << 16 | UInt32(green) << 8 | UInt32(blue)
    let digits = String(value, radix: 16)
    return "#" + String(repeating: "0", count: 6 - digits.count) + digits
  }
}
