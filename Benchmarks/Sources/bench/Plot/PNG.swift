/// A picture of at most 256 colours, and the file format for it.
///
/// The format is written here so that no library and no tool is needed: the palette form of PNG,
/// each line as its difference to the line above, which leaves long runs of zeros, packed by the
/// fixed code of deflate with no other matches than to the byte before.
struct PNG {
  let width: Int
  let height: Int
  private var pixels: [UInt8]
  private var palette: [Colour] = []

  /// A picture of one colour.
  init(width: Int, height: Int, _ colour: Colour) {
    self.width = width
    self.height = height
    pixels = [UInt8](repeating: 0, count: width * height)
    palette = [colour]
  }

  /// Fills a box; what lies outside the picture is left out.
  mutating func fill(x: Int, y: Int, width: Int, height: Int, _ colour: Colour) {
    let index = UInt8(number(of: colour))
    for row in max(0, y)..<max(0, y, min(self.height, y + height)) {
      for column in max(0, x)..<max(0, x, min(self.width, x + width)) {
        pixels[row * self.width + column] = index
      }
    }
  }

  private mutating func number(of colour: Colour) -> Int {
    if let index = palette.firstIndex(of: colour) { return index }
    precondition(palette.count < 256, "a plot has few colours")
    palette.append(colour)
    return palette.count - 1
  }

  /// The bytes of the file.
  var file: [UInt8] {
    var file: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
    Self.append("IHDR", Self.big(width) + Self.big(height) + [8, 3, 0, 0, 0], to: &file)
    Self.append("PLTE", palette.flatMap { [$0.red, $0.green, $0.blue] }, to: &file)
    Self.append("IDAT", Deflate.zlib(filtered), to: &file)
    Self.append("IEND", [], to: &file)
    return file
  }

  /// Each line begins with 2, "the difference to the line above".
  private var filtered: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity((width + 1) * height)
    for row in 0..<height {
      bytes.append(2)
      for column in 0..<width {
        let above = row == 0 ? 0 : pixels[(row - 1) * width + column]
        bytes.append(pixels[row * width + column] &- above)
      }
    }
    return bytes
  }

  private static func append(_ kind: StaticString, _ data: [UInt8], to file: inout [UInt8]) {
    let body = Array("\(kind)".utf8) + data
    file += big(data.count) + body + big(Int(crc(body)))
  }

  private static func big(_ value: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  /// The checksum of PNG: CRC-32, bit by bit.
  private static func crc(_ bytes: [UInt8]) -> UInt32 {
    var crc: UInt32 = .max
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 0 ? crc >> 1 : crc >> 1 ^ 0xedb8_8320 }
    }
    return ~crc
  }
}

/// Enough of deflate for pictures with large areas of one colour.
enum Deflate {
  /// Bits, the first in the lowest place of the first byte.
  private struct Bits {
    var bytes: [UInt8] = []
    private var current: UInt32 = 0
    private var count: UInt32 = 0

    /// A number, lowest bit first.
    mutating func append(_ value: Int, _ length: Int) {
      for bit in 0..<length { append(bit: value >> bit & 1) }
    }

    /// A code, highest bit first.
    mutating func append(code: Int, _ length: Int) {
      for bit in stride(from: length - 1, through: 0, by: -1) { append(bit: code >> bit & 1) }
    }

    private mutating func append(bit: Int) {
      current |= UInt32(bit) << count
      count += 1
      if count == 8 { flush() }
    }

    mutating func flush() {
      if count == 0 { return }
      bytes.append(UInt8(truncatingIfNeeded: current))
      current = 0
      count = 0
    }

    /// A byte, or 256 for the end, or 257 ... 285 for a length, in the fixed code.
    mutating func append(symbol: Int) {
      switch symbol {
      case ..<144: append(code: 0x30 + symbol, 8)
      case ..<256: append(code: 0x190 + symbol - 144, 9)
      case ..<280: append(code: symbol - 256, 7)
      default: append(code: 0xc0 + symbol - 280, 8)
      }
    }
  }

  /// The bytes in the zlib format.
  static func zlib(_ input: [UInt8]) -> [UInt8] {
    var bits = Bits()
    bits.append(1, 1)  // the last block
    bits.append(1, 2)  // in the fixed code
    var index = 0
    while index < input.count {
      bits.append(symbol: Int(input[index]))
      let value = input[index]
      index += 1
      var length = 0
      while index + length < input.count, input[index + length] == value { length += 1 }
      // The longest match is 258, symbol 285; its distance, 1, is code 0 of 5 bits.
      while length >= 258 {
        bits.append(symbol: 285)
        bits.append(code: 0, 5)
        index += 258
        length -= 258
      }
      // Lengths of 3 ... 10 are symbols of their own; longer rests are cut into such.
      while length >= 3 {
        let part = min(10, length)
        bits.append(symbol: 254 + part)
        bits.append(code: 0, 5)
        index += part
        length -= part
      }
    }
    bits.append(symbol: 256)
    bits.flush()
    let sum = adler(input)
    let tail = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: sum >> UInt32($0)) }
    return [0x78, 0x01] + bits.bytes + tail
  }

  private static func adler(_ bytes: [UInt8]) -> UInt32 {
    var low: UInt32 = 1
    var high: UInt32 = 0
    for byte in bytes {
      low = (low + UInt32(byte)) % 65_521
      high = (high + low) % 65_521
    }
    return high << 16 | low
  }
}
