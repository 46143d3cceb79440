extension Canvas {
  /// The drawing as PNG, twice as large in each direction.
  var png: [UInt8] {
    let scale = 2
    var picture = PNG(width: width * scale, height: height * scale, .white)
    for shape in shapes {
      switch shape {
      case .box(let x, let y, let width, let height, let colour):
        picture.fill(
          x: x * scale, y: y * scale, width: width * scale, height: height * scale, colour)
      case .text(let string, let x, let y, let anchor, let size, let colour):
        // A letter is 5 × 7 dots in a cell of 6: of 2 pixels in small print, of 3 in a title.
        let dot = size + 1
        let length = string.count * 6 * dot - dot
        let start =
          switch anchor {
          case .start: x * scale
          case .middle: x * scale - length / 2
          case .end: x * scale - length
          }
        var left = start
        for letter in string {
          draw(letter, x: left, y: y * scale - 7 * dot / 2, dot, colour, &picture)
          left += 6 * dot
        }
      }
    }
    return picture.file
  }

  private func draw(
    _ letter: Character, x: Int, y: Int, _ dot: Int, _ colour: Colour, _ picture: inout PNG
  ) {
    let rows = Font.rows(letter)
    for (row, bits) in rows.enumerated() {
      for column in 0..<5 where bits >> (4 - column) & 1 == 1 {
        picture.fill(x: x + column * dot, y: y + row * dot, width: dot, height: dot, colour)
      }
    }
  }
}
