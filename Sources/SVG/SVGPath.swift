/// Lines and boxes that are drawn alike, as the data of one path.
public struct SVGPath {
  /// The data so far.
  private(set) var bytes: [UInt8] = []

  /// Nothing yet.
  public init() {}

  /// Whether nothing is in it.
  public var isEmpty: Bool { bytes.isEmpty }

  /// Goes to a point without a line.
  public mutating func move(x: Int, y: Int) {
    bytes.append(string: "M")
    bytes.append(decimal: x)
    bytes.append(string: " ")
    bytes.append(decimal: y)
  }

  /// A line from where the last one ended to the right or the left, as far as `x`.
  public mutating func addLine(toX x: Int) {
    bytes.append(string: "H")
    bytes.append(decimal: x)
  }

  /// A line from where the last one ended up or down, as far as `y`.
  public mutating func addLine(toY y: Int) {
    bytes.append(string: "V")
    bytes.append(decimal: y)
  }

  /// A line to the right from a point.
  public mutating func addLine(x: Int, y: Int, length: Int) {
    move(x: x, y: y)
    bytes.append(string: "h")
    bytes.append(decimal: length)
  }

  /// The outline of a box.
  public mutating func addBox(x: Int, y: Int, width: Int, height: Int) {
    addLine(x: x, y: y, length: width)
    bytes.append(string: "v")
    bytes.append(decimal: height)
    bytes.append(string: "h")
    bytes.append(decimal: -width)
    close()
  }

  /// A line back to where the last one began.
  public mutating func close() { bytes.append(string: "z") }
}
