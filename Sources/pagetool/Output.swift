import Foundation
import Gzip

/// Whether text that goes to the standard output may have colours: see https://no-color.org.
var isOutputColoured: Bool {
  let environment = ProcessInfo.processInfo.environment
  return isatty(STDOUT_FILENO) == 1 && environment["TERM"] != "dumb"
    && environment["NO_COLOR", default: ""].isEmpty
}

/// Writes a whole file; `-` is the standard output.
func writeOutput(_ bytes: [UInt8], to path: String) throws(FileFailure) {
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
