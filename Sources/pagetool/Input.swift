import Foundation
import Gzip
import PageTrace

/// Why nothing came of a file. The file's name is not part of it.
struct FileFailure: Error {
  /// One line, for people.
  var message: String
  /// The line of the file at fault, where there is one.
  var line: Int?
  /// The file at fault, where it is not the one that was read.
  var path: String?

  init(_ message: String, line: Int? = nil) {
    self.message = message
    self.line = line
  }

  init(_ error: TraceFormatError) {
    self.init(error.reason, line: error.line)
  }

  init(_ error: CheckError) {
    switch error {
    case .format(let error): self.init(error)
    default: self.init(error.description)
    }
  }

  /// The line and the message.
  var description: String { line.map { "line \($0): \(message)" } ?? message }
}

/// Reads a whole file, and unpacks it when its first bytes say that it is gzip data. `-` is the
/// standard input.
func readInput(_ path: String) throws(FileFailure) -> [UInt8] {
  let bytes: [UInt8]
  do {
    bytes = try readFile(path == "-" ? "/dev/stdin" : path)
  } catch {
    throw FileFailure(explanation(of: error))
  }
  guard isGzip(bytes) else { return try plainInput(bytes) }
  let unpacked: [UInt8]
  do {
    unpacked = try gunzip(bytes)
  } catch {
    throw FileFailure(error.description)
  }
  return try plainInput(unpacked)
}

/// What a file says: of the recording of an arena the same as a page trace.
private func plainInput(_ bytes: [UInt8]) throws(FileFailure) -> [UInt8] {
  guard RecordingFile.isRecording(bytes) else { return bytes }
  do throws(TraceFormatError) {
    return try RecordingFile(bytes).trace()
  } catch {
    throw FileFailure("record \(error.line): \(error.reason)")
  }
}

/// Reads a page trace.
func readTrace(_ path: String) throws(FileFailure) -> ProgramTrace {
  let bytes = try readInput(path)
  do {
    return try ProgramTrace(parsing: bytes)
  } catch {
    throw FileFailure(error)
  }
}

/// The system's words for an error number.
private func explanation(of error: FileError) -> String {
  if error.errno == EISDIR { return "this is a directory; name the files in it" }
  // Invariant: `strerror` gives a text that stays as it is until the next call of it, and this
  // program has one thread.
  return unsafe "cannot \(error.call) the file: \(String(cString: strerror(error.errno)))"
}

/// Writes one line to the standard error.
func complain(_ path: String, _ failure: FileFailure) {
  writeToStandardError("pagetool: \(path): \(failure.description)\n")
}

/// Writes text to the standard error; if that cannot be done there is nobody to tell.
func writeToStandardError(_ text: String) {
  try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
}
