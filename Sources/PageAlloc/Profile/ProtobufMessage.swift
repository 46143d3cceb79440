import SysMem

/// A message as Protocol Buffers write it, of at most 4 KB: fields one after the other, each a
/// number and a type, and what it holds. Nothing is allocated but a page, which is mapped.
struct ProtobufMessage: ~Copyable {
  /// What was added.
  private(set) var bytes = SmallText()

  /// Starts anew.
  mutating func clear() { bytes.clear() }

  /// Adds a number. What is 0 is what a field is where it is not there.
  mutating func add(_ field: UInt64, _ value: UInt64) {
    if value == 0 { return }
    append(field << 3)
    append(value)
  }

  /// Adds a number to a list of numbers.
  mutating func addElement(_ field: UInt64, _ value: UInt64) {
    append(field << 3)
    append(value)
  }

  /// Adds a message, or text.
  mutating func add(_ field: UInt64, _ other: borrowing some TextBytes & ~Copyable) {
    append(field << 3 | 2)
    append(UInt64(other.count))
    bytes.append(other, 0..<other.count)
  }

  /// Seven bits a byte, the lowest first; the highest bit says that there are more.
  private mutating func append(_ value: UInt64) {
    var rest = value
    while rest > 127 {
      bytes.append(byte: UInt8(rest & 127) | 128)
      rest >>= 7
    }
    bytes.append(byte: UInt8(rest))
  }
}
