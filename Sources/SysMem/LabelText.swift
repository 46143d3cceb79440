/// A short text in the value itself, which can be copied: what a program calls an arena.
package struct LabelText: Sendable {
  private var bytes = InlineArray<48, UInt8>(repeating: 0)
  /// How many bytes there are.
  package private(set) var count = 0

  /// The most bytes of UTF-8.
  package static var limit: Int { 48 }

  /// No text.
  package init() {}

  /// A text; `nil` where it has more bytes than there can be, or one that ends a line or moves a
  /// cursor (a control character of ASCII). Nothing is allocated.
  package init?(_ text: String) {
    for byte in text.utf8 {
      guard count < Self.limit, byte >= 32, byte != 127 else { return nil }
      bytes[count] = byte
      count += 1
    }
  }

  /// A byte, in 0 ..< ``count``.
  package subscript(index: Int) -> UInt8 { bytes[index] }

  /// The text; it is allocated.
  package var text: String {
    let part = bytes.span.extracting(0..<count)
    // The span is readable for its length.
    return unsafe part.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
  }
}

extension FixedText {
  /// What mappings are called, as `/proc/PID/maps` shows it: "PageAlloc", what they are for, and a
  /// label, in which a dot stands for each byte that the kernel takes in no name.
  package init(mappingsOf what: StaticString, _ label: LabelText) {
    self.init("PageAlloc ")
    append(what)
    if label.count > 0 { append(byte: UInt8(ascii: " ")) }
    for index in 0..<label.count {
      let byte = label[index]
      let isRefused =
        byte > 126 || byte == UInt8(ascii: "[") || byte == UInt8(ascii: "]")
        || byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "$") || byte == UInt8(ascii: "`")
      append(byte: isRefused ? UInt8(ascii: ".") : byte)
    }
  }
}
