import Foundation
import Gzip
import Testing

/// `pagetool` as a user meets it: what it prints, and its exit status.
@Suite struct CommandTests {
  static func conformanceText() throws -> String {
    String(decoding: try gunzip(try Repository.bytes(Repository.conformanceFile)), as: UTF8.self)
  }

  // MARK: check

  @Test func goodCheck() throws {
    let result = try Tool.run("check", Repository.path(Repository.conformanceFile))
    #expect(result.status == 0 && result.errors.isEmpty)
    #expect(result.output == "one-chunk.trace.gz: 840 operations, 0 mismatches\n")
  }

  @Test func plainFileOfAnotherName() throws {
    try Folder.temporary { folder in
      let path = try folder.write("plain", try Self.conformanceText().utf8)
      let result = try Tool.run("check", path)
      #expect(result.status == 0 && result.output == "plain: 840 operations, 0 mismatches\n")
    }
  }

  /// The file with another page in the first line that gives one, that line's number, and the line.
  static func mismatchingText() throws -> (text: String, line: Int, expected: String) {
    var lines = try conformanceText().split(separator: "\n", omittingEmptySubsequences: false)
    let index = try #require(
      lines.firstIndex { $0.hasPrefix("alloc ") && !$0.hasSuffix("oom") })
    let arrow = try #require(lines[index].range(of: "-> "))
    let result = lines[index][arrow.upperBound...].split(separator: " ")
    let page = try #require(Int(result[0]))
    let other = (["\(page + 1)"] + result.dropFirst()).joined(separator: " ")
    let changed = lines[index][..<arrow.upperBound] + other
    lines[index] = changed
    return (lines.joined(separator: "\n"), index + 1, String(changed))
  }

  @Test func mismatch() throws {
    try Folder.temporary { folder in
      let (text, line, expected) = try Self.mismatchingText()
      let path = try folder.write("wrong.trace", text.utf8)
      let result = try Tool.run("check", path, Repository.path(Repository.conformanceFile))
      #expect(result.status == 1 && result.errors.isEmpty)
      #expect(result.output.hasPrefix("wrong.trace: 840 operations, 1 mismatches\n"))
      #expect(result.output.contains("line \(line)") && result.output.contains(expected))
      #expect(result.output.hasSuffix("one-chunk.trace.gz: 840 operations, 0 mismatches\n"))
    }
  }

  @Test func mismatchAsJSON() throws {
    try Folder.temporary { folder in
      let (text, line, expected) = try Self.mismatchingText()
      let path = try folder.write("wrong.trace", text.utf8)
      let result = try Tool.run("check", "--json", path, folder.url.path + "/missing")
      #expect(result.status == 1)
      let objects = try result.json()
      try #require(objects.count == 2)
      #expect(objects[0]["file"] as? String == path && objects[0]["operations"] as? Int == 840)
      #expect(objects[0]["mismatches"] as? Int == 1)
      let first = try #require(objects[0]["firstMismatch"] as? [String: Any])
      #expect(first["line"] as? Int == line && first["expected"] as? String == expected)
      #expect(first["actual"] as? String != expected)
      let error = try #require(objects[1]["error"] as? [String: Any])
      #expect((error["message"] as? String)?.contains("No such file") == true)
    }
  }

  @Test func truncatedFile() throws {
    try Folder.temporary { folder in
      let text = try Self.conformanceText()
      let path = try folder.write("cut.trace", text.utf8.prefix(text.utf8.count / 2))
      let result = try Tool.run("check", path, Repository.path(Repository.conformanceFile))
      #expect(result.status == 1)
      #expect(result.errors.hasPrefix("pagetool: \(path): line "))
      #expect(result.errors.split(separator: "\n").count == 1)
      // The file after it is still checked.
      #expect(result.output == "one-chunk.trace.gz: 840 operations, 0 mismatches\n")
    }
  }

  @Test(arguments: ["check", "replay", "compare", "profile"])
  func filesThatCannotBeRead(command: String) throws {
    try Folder.temporary { folder in
      let packed = try Repository.bytes(Repository.conformanceFile)
      let cut = try folder.write("cut.gz", packed.prefix(packed.count / 2))
      var bytes = packed
      bytes[packed.count / 2] ^= 0xff
      let damaged = try folder.write("damaged.gz", bytes)
      let empty = try folder.write("empty", [])
      let missing = folder.url.path + "/missing"
      let result = try Tool.run(command, cut, damaged, empty, missing, folder.url.path)
      #expect(result.status == 1 && result.output.isEmpty)
      let lines = result.errors.split(separator: "\n").map(String.init)
      try #require(lines.count == 5)
      #expect(lines[0].hasPrefix("pagetool: \(cut): ") && lines[0].contains("cut short"))
      #expect(lines[1].hasPrefix("pagetool: \(damaged): ") && lines[1].contains("damaged near"))
      #expect(lines[2].hasPrefix("pagetool: \(empty): line 1: "))
      #expect(lines[3].hasPrefix("pagetool: \(missing): ") && lines[3].contains("No such file"))
      #expect(lines[4].hasPrefix("pagetool: \(folder.url.path): this is a directory"))
    }
  }

  // MARK: replay

  @Test func replay() throws {
    try Folder.temporary { folder in
      let path = try folder.write("small.trace", TraceText.sample.bytes)
      let result = try Tool.run("replay", path)
      #expect(result.status == 0 && result.errors.isEmpty)
      #expect(result.output.hasPrefix("small: 13 operations, every byte checked\n"))
      for label in ["time", "allocate", "free", "live", "resident", "fragments", "metadata"] {
        #expect(result.output.contains("\n  \(label) "))
      }
    }
  }

  @Test func replayOfPackedFilesAsJSON() throws {
    try Folder.temporary { folder in
      let small = try folder.write("small", gzipMember(TraceText.sample.bytes))
      let real = Repository.path(Repository.workloads[0])
      let result = try Tool.run("replay", "--json", small, real)
      #expect(result.status == 0 && result.errors.isEmpty)
      let objects = try result.json()
      try #require(objects.count == 2)
      #expect(objects[0]["operations"] as? Int == 13 && objects[0]["peakLivePages"] as? Int == 15)
      #expect(objects[1]["name"] as? String == "go-compile-gotypes-amd64")
      #expect(objects[1]["checking"] as? String == "every-byte")
      // The trace has only allocations and frees: each page is written and checked once.
      #expect(objects[1]["bytesWritten"] as? Int == 32_122 * 8192)
      #expect(objects[1]["bytesChecked"] as? Int == 32_122 * 8192)
      #expect(objects[1]["inUseBytesAfter"] as? Int == 0)
      let resident = try #require(objects[1]["residentBytes"] as? [String: Int])
      let before = try #require(resident["before"])
      #expect(try #require(resident["peak"]) > before + 19_981 * 8192 / 2)
      // What goes back by itself, while nobody asks: all but 1 MiB, and what the process has of its
      // own.
      #expect(try #require(resident["returned"]) < before + 4 << 20)
      #expect(try #require(resident["after"]) < before + 1 << 20)
    }
  }

  @Test func quickReplayAndTable() throws {
    let paths = Repository.workloads.map(Repository.path)
    let result = try Tool.run("replay", "--quick", paths[0], paths[1])
    #expect(result.status == 0 && result.errors.isEmpty)
    #expect(result.output.contains("mmap-redis-jemalloc: 33,796 operations, one word a page"))
    // The table closes the output: a row a file, all of one width.
    let table = result.output.split(separator: "\n").suffix(3)
    #expect(table.first?.hasPrefix("trace ") == true)
    #expect(Set(table.map(\.count)).count == 1)
  }

  @Test func falseTrace() throws {
    try Folder.temporary { folder in
      var text = TraceText.sample
      text.events.append("f 0 1 1 0")
      let path = try folder.write("false.trace", text.bytes)
      let result = try Tool.run("replay", path)
      #expect(result.status == 1 && result.output.isEmpty)
      let line = text.headerLineCount + text.events.count
      #expect(result.errors == "pagetool: \(path): line \(line): run 0 is not live\n")
    }
  }

  @Test func fileOfTheOtherKind() throws {
    let path = Repository.path(Repository.conformanceFile)
    let result = try Tool.run("replay", path)
    #expect(result.status == 1 && result.errors.contains("line 1: a page trace begins with"))
  }

  // MARK: the command line

  @Test(arguments: [
    ["check", "--bad"], ["replay"], ["check"], ["walk"], ["replay", "-x", "f"],
    ["map"], ["map", "a", "b"], ["map", "--step", "-1", "f"], ["map", "--json", "--svg", "-", "f"],
    ["convert"], ["convert", "--all", "--process", "1", "f"], ["convert", "--json", "f"],
    ["convert", "--list", "-o", "g", "f"], ["convert", "--process", "-1", "f"],
    ["compare"], ["compare", "--runs", "0", "f"], ["compare", "--allocator", "none", "f"],
    ["stat"], ["stat", "a", "b"], ["stat", "--every", "0", "f"], ["stat", "--rate", "0", "f"],
    ["profile"],
  ])
  func badCommandLine(arguments: [String]) throws {
    let result = try Tool.run(arguments)
    #expect(result.status == 64 && result.output.isEmpty)
    #expect(result.errors.contains("Error: ") && result.errors.contains("Usage: pagetool"))
  }

  @Test func helpAndVersion() throws {
    let version = try Tool.run("--version")
    #expect(version.status == 0 && version.output.contains("."))
    for command in [
      "", "check", "replay", "map", "convert", "compare", "stat", "profile", "plot", "film",
    ] {
      let help = try Tool.run(command.isEmpty ? ["--help"] : [command, "--help"])
      #expect(help.status == 0 && help.output.contains("EXIT STATUS"))
      #expect(help.output.contains("EXAMPLES"))
      #expect(help.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func completion(shell: String) throws {
    let result = try Tool.run("--generate-completion-script", shell)
    #expect(result.status == 0 && result.errors.isEmpty)
    for command in ["check", "replay", "map", "stat", "profile", "compare", "convert"] {
      #expect(result.output.contains(command))
    }
    #expect(try Tool.run("--help").output.contains("--generate-completion-script \(shell)"))
  }
}
