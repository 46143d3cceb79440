import Foundation
import Testing

/// What becomes of output that cannot be written, or not all of it.
@Suite struct OutputTests {
  static let node = Repository.path("Benchmarks/Workloads/mmap-node.trace.gz")

  /// Runs a line of the shell, with the program as `$tool` and a recording as `$trace`.
  private func shell(_ line: String, in folder: Folder) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-c", line]
    process.environment = ["tool": Tool.path, "trace": Self.node, "PATH": "/usr/bin:/bin"]
    process.currentDirectoryURL = folder.url
    process.standardInput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }

  private func expect(
    _ status: Int32, _ line: String, in folder: Folder,
    at place: SourceLocation = #_sourceLocation
  ) throws {
    let got = try shell(line, in: folder)
    #expect(got == status, "\(line)", sourceLocation: place)
  }

  @Test func textThatIsNotWrittenIsAFailure() throws {
    try Folder.temporary { folder in
      try expect(1, "$tool map $trace >/dev/full", in: folder)
      try expect(1, "$tool map --json $trace >/dev/full", in: folder)
      try expect(1, "$tool map --svg - $trace >/dev/full", in: folder)
      try expect(0, "$tool map $trace >/dev/null", in: folder)
      try expect(1, "$tool --help >/dev/full", in: folder)
      try expect(0, "$tool --version | grep -qx '[0-9.]*'", in: folder)
      // Nobody reads it any more: that is no failure.
      try expect(0, "trap '' PIPE; $tool map $trace | head -n 1; exit ${PIPESTATUS[0]}", in: folder)
    }
  }

  @Test func aFileIsWrittenAsAWholeOrNotAtAll() throws {
    try Folder.temporary { folder in
      let limited = "trap '' XFSZ; ulimit -f 1; $tool map $trace --svg"
      try expect(1, "\(limited) new.svg", in: folder)
      try expect(0, "test -z \"$(ls)\"", in: folder)
      try expect(0, "$tool map $trace --svg old.svg", in: folder)
      try expect(0, "cp old.svg copy && chmod 640 old.svg", in: folder)
      try expect(1, "\(limited) old.svg", in: folder)
      try expect(0, "cmp old.svg copy && rm copy && ls | wc -l | grep -qx 1", in: folder)
      // Access rights and links stay; a device is written to.
      try expect(0, "ln -s old.svg link && $tool map $trace --svg link", in: folder)
      try expect(0, "test -L link && stat -c %a old.svg | grep -qx 640", in: folder)
      try expect(0, "$tool map $trace --svg /dev/fd/1 | grep -q '<svg'", in: folder)
      let pipe = "mkfifo pipe && (grep -q '<svg' pipe & $tool map $trace --svg pipe && wait $!)"
      try expect(0, "\(pipe) && test -p pipe", in: folder)
      // A file's other name has the same contents.
      try expect(0, "ln old.svg twin && $tool map $trace --svg twin", in: folder)
      try expect(0, "test old.svg -ef twin", in: folder)
    }
  }

  @Test func figuresComeAfterSoManyOperationsWhateverTheRate() throws {
    let result = try Tool.run("stat", "--every", "3000", "--rate", "59000", Self.node)
    let lines = result.output.split(separator: "\n").dropFirst().compactMap {
      $0.split(separator: " ").first
    }
    #expect(lines == ["0", "3,000", "6,000", "9,000", "11,534"])
    // A prime that is far more than there are operations.
    let prime = try Tool.run(
      "stat", "--json", "--every", "999999999989", "--rate", "1000000", Self.node)
    #expect(prime.status == 0 && prime.output.split(separator: "\n").count == 2)
  }

  @Test func aHeapThatEndsNowhereIsRefused() throws {
    try Folder.temporary { folder in
      let path = folder.url.path + "/heap.strace"
      try "brk(NULL) = 0x0\nbrk(0x7fffffffffffffff) = 0x7fffffffffffffff\n".write(
        toFile: path, atomically: false, encoding: .utf8)
      let result = try Tool.run("convert", path)
      #expect(result.status == 1 && result.errors.contains("line 2: "))
    }
  }
}
