import Foundation
import Gzip

/// Writes bytes to a file; `-` is the standard output.
///
/// - Throws: `FileFailure` that names the path.
func write(_ bytes: [UInt8], to path: String) throws(FileFailure) {
  do {
    if path == "-" {
      try FileHandle.standardOutput.write(contentsOf: Data(bytes))
    } else {
      try Data(bytes).write(to: URL(fileURLWithPath: path))
    }
  } catch {
    var failure = FileFailure("cannot write the file: \(error.localizedDescription)")
    failure.path = path
    throw failure
  }
}

/// Bytes packed with gzip.
func gzipped(_ bytes: [UInt8]) throws(FileFailure) -> [UInt8] {
  do {
    return try gzip(bytes)
  } catch {
    throw FileFailure(error.description)
  }
}
