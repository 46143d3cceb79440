import CBench
import Foundation
import Gzip

/// Whether text that goes to the standard output may have colours: see https://no-color.org.
var isOutputColoured: Bool {
  let environment = ProcessInfo.processInfo.environment
  return isatty(STDOUT_FILENO) == 1 && environment["TERM"] != "dumb"
    && environment["NO_COLOR", default: ""].isEmpty
}

/// What could not be printed; `nil` where all of it is written.
func outputFailure() -> FileFailure? {
  cbench_output_fails() ? FileFailure("cannot write the standard output") : nil
}

/// Writes a whole file; `-` is the standard output. A file that was there is replaced when the new
/// one is complete, and stays where it cannot be; a device or a pipe is written to.
func writeOutput(_ bytes: [UInt8], to path: String) throws(FileFailure) {
  do {
    if path == "-" {
      try FileHandle.standardOutput.write(contentsOf: Data(bytes))
    } else {
      // Where a link leads, so that it stays one.
      let file = URL(fileURLWithPath: path).resolvingSymlinksInPath()
      let attributes = try? FileManager.default.attributesOfItem(atPath: file.path)
      let kind = attributes?[.type] as? FileAttributeType
      let isFile = kind == nil || kind == .typeRegular
      let isReplaceable =
        isFile && mayBeReplaced(file, hasOneName: attributes?[.referenceCount] as? Int ?? 1 == 1)
      try Data(bytes).write(to: file, options: isReplaceable ? .atomic : [])
      if isReplaceable, let permissions = attributes?[.posixPermissions] {
        try FileManager.default.setAttributes(
          [.posixPermissions: permissions], ofItemAtPath: file.path)
      }
    }
  } catch {
    let reason = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError ?? error as NSError
    var failure = FileFailure("cannot write the file: \(reason.localizedDescription)")
    failure.path = path
    throw failure
  }
}

/// Whether another file may take a file's name, where there is one: what may not be written to
/// stays, and so does a second name's file.
private func mayBeReplaced(_ file: URL, hasOneName: Bool) -> Bool {
  let files = FileManager.default
  return hasOneName && files.isWritableFile(atPath: file.deletingLastPathComponent().path)
    && (!files.fileExists(atPath: file.path) || files.isWritableFile(atPath: file.path))
}

/// Bytes packed with gzip.
func gzipped(_ bytes: [UInt8]) throws(FileFailure) -> [UInt8] {
  do {
    return try gzip(bytes)
  } catch {
    throw FileFailure(error.description)
  }
}
