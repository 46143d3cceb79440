import CSysMem

/// A file of the kernel's, or the path of one: at most 4095 bytes, in a page of their own, so that
/// reading one takes little of a stack. Where no page is to be had there is no room.
@usableFromInline
package struct SmallText: MutableTextBytes, ~Copyable {
  private static var capacity: Int { 4096 }

  // Invariant: 0, or the address of `capacity` bytes that this text alone uses; the byte after the
  // text is 0.
  private let address: UInt
  /// How many bytes there are.
  package private(set) var count = 0

  /// No text.
  package init() {
    let page = csm_mmap(0, UInt(Self.capacity), PROT_READ | PROT_WRITE, 0, 1)
    address = page.error == 0 ? page.value : 0
  }

  /// The text of a literal.
  package init(_ text: StaticString) {
    self.init()
    append(text)
  }

  /// The path of the file of this number that a path stands for: itself for the first, then PATH.2,
  /// PATH.3 and so on.
  ///
  /// - Throws: it is too long, or there is no memory.
  package init(path: String, number: Int = 1) throws(Errno) {
    self.init()
    append(text: path)
    if number > 1 { append(".", number) }
    if room == 0 { throw address == 0 ? .outOfMemory : .nameTooLong }
  }

  // Embedded Swift wants to see how a value ends wherever one does.
  @inlinable
  deinit { unmap() }

  @usableFromInline
  func unmap() {
    if address != 0 { _ = csm_munmap(address, UInt(Self.capacity)) }
  }

  /// How many bytes more fit.
  package var room: Int { address == 0 ? 0 : Self.capacity - 1 - count }

  /// A byte; 0 beyond the end.
  package subscript(index: Int) -> UInt8 {
    guard index >= 0, index < count else { return 0 }
    return unsafe bytes[index]
  }

  /// The first byte, where there is a page.
  private var bytes: UnsafeMutablePointer<UInt8> {
    // The page is this text's alone, as long as it lives.
    unsafe UnsafeMutablePointer(bitPattern: address)!
  }

  /// Drops what follows the first `length` bytes.
  package mutating func cut(to length: Int) { end(at: min(count, length)) }

  /// Adds a byte.
  package mutating func append(byte: UInt8) {
    guard room > 0 else { return }
    // There is room for it, and for the zero.
    unsafe bytes[count] = byte
    end(at: count + 1)
  }

  /// Adds what a body writes into the room that is left.
  package mutating func append(writing body: (UnsafeMutableRawPointer, Int) -> Int) {
    guard room > 0 else { return }
    // `room` bytes follow, within the page.
    let written = unsafe body(UnsafeMutableRawPointer(bytes + count), room)
    precondition(written >= 0 && written <= room, "more was written than there is room")
    end(at: count + written)
  }

  private mutating func end(at length: Int) {
    count = length
    // Within the page, since the text leaves room for a zero.
    if address != 0 { unsafe bytes[length] = 0 }
  }

  /// Hands the text to C: its bytes, and a zero.
  package func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
    let none: StaticString = ""
    // A zero follows either text; the page lives as long as the call, a literal for ever.
    let start = address == 0 ? unsafe none.utf8Start : unsafe UnsafePointer(bytes)
    return unsafe body(UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self))
  }
}
