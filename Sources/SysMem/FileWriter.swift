import CSysMem

/// Writes lines to a file, a page of them at a time. Nothing is allocated but that page, which is
/// mapped.
package struct FileWriter: ~Copyable {
  private let descriptor: Int32
  private var buffer = SmallText()

  /// Writes to a descriptor of the caller's, which stays open, where it stands.
  package init(to descriptor: Int32) { self.descriptor = descriptor }

  /// Adds a line, and its end.
  ///
  /// - Throws: what the kernel refused; `ENOMEM` where there is no page for the lines.
  package mutating func write(line: borrowing FixedText<128>) throws(Errno) {
    if buffer.room <= line.count { try flush() }
    if buffer.room <= line.count { throw .outOfMemory }
    buffer.append(line, 0..<line.count)
    buffer.append(byte: 10)
  }

  /// Adds bytes.
  ///
  /// - Throws: as above.
  package mutating func write(bytes: borrowing some TextBytes & ~Copyable) throws(Errno) {
    for index in 0..<bytes.count { try write(byte: bytes[index]) }
  }

  /// Adds a byte.
  ///
  /// - Throws: as above.
  package mutating func write(byte: UInt8) throws(Errno) {
    if buffer.room == 0 { try flush() }
    if buffer.room == 0 { throw .outOfMemory }
    buffer.append(byte: byte)
  }

  /// Writes what was added.
  ///
  /// - Throws: what the kernel refused; a part may have been written.
  package mutating func flush() throws(Errno) {
    var written = 0
    while written < buffer.count {
      let count = buffer.count - written
      // So many bytes of the buffer follow.
      let result = unsafe buffer.withCString { unsafe csm_write(descriptor, $0 + written, count) }
      if result.error != 0, result.error != EINTR { throw Errno(rawValue: result.error) }
      written += Int(result.value)
    }
    buffer.clear()
  }
}

/// A file that was made, or emptied, to be written; closed when the value ends.
@usableFromInline
package struct NewFile: ~Copyable {
  /// The descriptor.
  package let descriptor: Int32

  /// Opens a file, which everybody may read and write whom the process's mask allows to.
  ///
  /// - Throws: what the kernel refused.
  package init(path: String) throws(Errno) {
    // The pointer lives as long as the call that it is handed to.
    let opened = unsafe path.withCString { unsafe csm_open_new($0) }
    if opened.error != 0 { throw Errno(rawValue: opened.error) }
    descriptor = Int32(truncatingIfNeeded: opened.value)
  }

  /// The same, by a path that was put together.
  package init(path: borrowing some TextBytes & ~Copyable) throws(Errno) {
    // As above.
    let opened = unsafe path.withCString { unsafe csm_open_new($0) }
    if opened.error != 0 { throw Errno(rawValue: opened.error) }
    descriptor = Int32(truncatingIfNeeded: opened.value)
  }

  // Embedded Swift wants to see how a value ends wherever one does.
  @inlinable
  deinit { close() }

  @usableFromInline
  func close() { csm_close(descriptor) }
}
