/// Why bytes could not be unpacked.
package enum GzipError: Error, Equatable {
  /// The bytes do not begin with a gzip header.
  case notGzip
  /// The data ends before the end of a member; `produced` bytes were unpacked until there.
  case truncated(produced: Int)
  /// zlib refuses the data at about `offset` bytes from the start, and says why.
  case corrupt(offset: Int, reason: String)
  /// The unpacked data is larger than `limit` bytes.
  case tooLarge(limit: Int)
  /// zlib could not get the memory for its own state.
  case outOfMemory
}

extension GzipError: CustomStringConvertible {
  /// One line for people, without the file's name.
  package var description: String {
    switch self {
    case .notGzip:
      "not gzip data"
    case .truncated(let produced):
      "the gzip data is cut short (\(produced) bytes could be unpacked)"
    case .corrupt(let offset, let reason):
      "the gzip data is damaged near byte \(offset): \(reason)"
    case .tooLarge(let limit):
      "the unpacked data is larger than \(limit) bytes"
    case .outOfMemory:
      "no memory to unpack gzip data"
    }
  }
}
