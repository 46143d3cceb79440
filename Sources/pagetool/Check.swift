import ArgumentParser
import PageTrace

/// `pagetool check`: runs conformance files.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs conformance files against the allocator and compares every result.",
    discussion: """
      For each FILE one line is printed, "NAME: N operations, M mismatches", and below it the \
      first mismatch in full when there is one. Operation traces (.trace), index traces (.itrace), \
      function vectors (.vec) and generated workloads (.ptrace) are told apart by their first \
      line. A file that cannot be read or is malformed is reported on the standard error; the \
      others still run.

      EXAMPLES
        pagetool check one-chunk.trace
        pagetool check --json conformance/*.gz

      JSON
        An array with one object a file, in the order of the arguments:
          file           the FILE as given
          operations     how many operations, vector lines or generated steps
          mismatches     how many results differ
          firstMismatch  object, if there is one: line, expected, actual
          error          object: message, line (if known); of a file that cannot
                         be used, instead of all the above but file

      EXIT STATUS
        0   no mismatches
        1   a mismatch, or a file that cannot be read or is malformed
        64  the command line makes no sense
      """)

  @Argument(help: "The files to check, plain or packed with gzip.", completion: .file())
  var files: [String]

  @Flag(help: "Print JSON instead of text.")
  var json = false

  func run() throws {
    var results: [CheckResult] = []
    for path in files {
      let result = Self.result(of: path)
      if let failure = result.failure {
        complain(path, failure)
      } else if let report = result.report, !json {
        print(report.description)
      }
      results.append(result)
    }
    if json { print(try jsonText(results)) }
    if results.contains(where: { !$0.isGood }) { throw ExitCode.failure }
  }

  private static func result(of path: String) -> CheckResult {
    let progress = ProgressLine(path)
    defer { progress.erase() }
    do throws(FileFailure) {
      let bytes = try readInput(path)
      return CheckResult(file: path, report: try check(bytes, of: path, progress))
    } catch {
      return CheckResult(file: path, failure: error)
    }
  }

  private static func check(
    _ bytes: [UInt8], of path: String, _ progress: ProgressLine
  ) throws(FileFailure) -> CheckReport {
    do {
      return try PageTrace.check(name: baseName(path), bytes: bytes, progress: progress.update)
    } catch {
      throw FileFailure(error)
    }
  }
}

/// What came of one file.
struct CheckResult {
  let file: String
  var report: CheckReport?
  var failure: FileFailure?

  /// Whether the file was checked and no result differs.
  var isGood: Bool { report?.mismatches == 0 }
}

extension CheckResult: Encodable {
  private enum Key: String, CodingKey { case file, operations, mismatches, firstMismatch, error }
  private enum MismatchKey: String, CodingKey { case line, expected, actual }

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try object.encode(file, forKey: .file)
    try object.encodeIfPresent(failure, forKey: .error)
    guard let report else { return }
    try object.encode(report.operations, forKey: .operations)
    try object.encode(report.mismatches, forKey: .mismatches)
    guard let first = report.firstMismatch else { return }
    var mismatch = object.nestedContainer(keyedBy: MismatchKey.self, forKey: .firstMismatch)
    try mismatch.encode(first.line, forKey: .line)
    try mismatch.encode(first.expected, forKey: .expected)
    try mismatch.encode(first.actual, forKey: .actual)
  }
}
