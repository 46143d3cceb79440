import CSysMem

/// A file that cannot be read: which one, and what the system said.
package struct FileError: Error {
  /// The path as it was given.
  package let path: String

  /// The call that failed, `open` or `read`.
  package let call: String

  /// The system's error number.
  package let errno: Int32

  package init(path: String, call: String, errno: Int32) {
    self.path = path
    self.call = call
    self.errno = errno
  }

  /// `missing.trace: open failed: ENOENT`
  package var description: String {
    // The name is a literal of the C header, or null for a number it does not know.
    if let name = unsafe csm_errno_name(errno) {
      return "\(path): \(call) failed: \(unsafe String(cString: name))"
    }
    return "\(path): \(call) failed: errno \(errno)"
  }
}

/// Reads a whole file into memory.
///
/// - Throws: `FileError` when the file cannot be opened or read; a directory is `read` and
///   `EISDIR`.
package func readFile(_ path: String) throws(FileError) -> [UInt8] {
  // The pointer lives as long as the call that it is handed to.
  let opened = unsafe path.withCString { unsafe csm_open_read($0) }
  guard opened.error == 0 else {
    throw FileError(path: path, call: "open", errno: opened.error)
  }
  let file = Int32(truncatingIfNeeded: opened.value)
  defer { csm_close(file) }

  var bytes: [UInt8] = []
  var piece = [UInt8](repeating: 0, count: 256 << 10)
  while true {
    // The buffer is `piece` itself, its length is the one passed.
    let read = unsafe piece.withUnsafeMutableBytes {
      unsafe csm_read(file, $0.baseAddress, $0.count)
    }
    if read.error == EINTR { continue }
    guard read.error == 0 else {
      throw FileError(path: path, call: "read", errno: read.error)
    }
    guard read.value > 0 else { return bytes }
    bytes.append(contentsOf: piece[..<Int(read.value)])
  }
}
