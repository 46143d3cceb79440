import Foundation
import Testing

/// The built `pagetool`, run as a process.
enum Tool {
  struct Result {
    let status: Int32
    let output: String
    let errors: String

    /// The standard output as JSON.
    func json() throws -> [[String: Any]] {
      let value = try JSONSerialization.jsonObject(with: Data(output.utf8))
      return try #require(value as? [[String: Any]])
    }
  }

  /// The program stands beside the executable that holds the tests.
  static let path: String = {
    let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    return tests.deletingLastPathComponent().appendingPathComponent("pagetool").path
  }()

  static func run(_ arguments: String...) throws -> Result { try run(arguments) }

  static func run(_ arguments: [String]) throws -> Result {
    try Folder.temporary { folder in
      // Files instead of pipes: they cannot fill up.
      let output = try folder.newFile("output")
      let errors = try folder.newFile("errors")
      let process = Process()
      process.executableURL = URL(fileURLWithPath: path)
      process.arguments = arguments
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = try FileHandle(forWritingTo: output)
      process.standardError = try FileHandle(forWritingTo: errors)
      try process.run()
      process.waitUntilExit()
      // A crash must not be taken for an exit status.
      #expect(process.terminationReason == .exit)
      return Result(
        status: process.terminationStatus,
        output: String(decoding: try Data(contentsOf: output), as: UTF8.self),
        errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self))
    }
  }
}

/// A folder for the files of one test.
struct Folder {
  let url: URL

  static func temporary<Result>(_ body: (Folder) throws -> Result) throws -> Result {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("pagetool-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }
    return try body(Folder(url: url))
  }

  func newFile(_ name: String) throws -> URL {
    let file = url.appendingPathComponent(name)
    try Data().write(to: file)
    return file
  }

  /// Writes a file and returns its path.
  func write(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
    let file = url.appendingPathComponent(name)
    try Data(bytes).write(to: file)
    return file.path
  }
}

/// Files of the repository.
enum Repository {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static func path(_ relative: String) -> String { root.appendingPathComponent(relative).path }

  static func bytes(_ relative: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: root.appendingPathComponent(relative)))
  }

  static let conformanceFile = "Tests/Data/conformance/one-chunk.trace.gz"

  static let workloads = [
    "Sources/pagetool/Workloads/go-compile-gotypes-amd64.trace.gz",
    "Sources/pagetool/Workloads/mmap-redis-jemalloc.trace.gz",
  ]
}
