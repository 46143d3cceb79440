import CSysMem

/// Checks conformance files, and prints a line for each; for programs without the command line.
///
/// A line is `one-chunk.trace: 840 operations, 0 mismatches`; the first mismatch of a file follows
/// in an indented block. A file that cannot be read or is malformed is a line on standard error,
/// and the files after it are still checked.
///
/// - Parameter paths: the files; none gives 0.
/// - Returns: the exit status, as of `pagetool check`: 0 if all agree, 1 for a mismatch or a file
///   that could not be checked.
@export(interface)
package func runCheck(paths: [String]) -> Int32 {
  var status: Int32 = 0
  for path in paths {
    do throws(CheckError) {
      let report = try checkFile(path)
      print(report.description)
      if report.mismatches > 0 { status = 1 }
    } catch {
      status = 1
      if case .file = error {
        printError(error.description)
      } else {
        printError("\(path): \(error.description)")
      }
    }
  }
  return status
}

/// Writes a line to standard error.
private func printError(_ text: String) {
  // The lines printed so far come first.
  fflush(nil)
  var line = Array(text.utf8)
  line.append(Ascii.newline)
  // The buffer is `line` itself. There is nowhere to say that this write failed.
  unsafe line.withUnsafeBytes { _ = unsafe csm_write(2, $0.baseAddress, $0.count) }
}
