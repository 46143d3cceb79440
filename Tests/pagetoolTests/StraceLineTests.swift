import PageTrace
import Testing

@testable import Strace

/// Lines of an strace: their forms, those that are none, and calls that make no sense.
@Suite struct StraceLineTests {
  // MARK: calls that have no effect, lines that are none

  @Test func failedAndUnfinishedCallsChangeNothing() throws {
    let conversion = try StraceTests.conversion([
      "1 " + StraceTests.map("10000", 2),
      "1 mmap(NULL, 99999999999999999999, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = "
        + "-1 ENOMEM (Cannot allocate memory)",
      "1 munmap(0x10001, 4096) = -1 EINVAL (Invalid argument)",
      "1 munmap(0x10000, 8192 <unfinished ...>",
    ])
    #expect(StraceTests.events(try #require(conversion.largest)) == ["a 0 1 0"])
    #expect(conversion.counts.failedCalls == 2 && conversion.counts.unfinishedCalls == 1)
    #expect(conversion.counts.memoryCalls == 3)
  }

  @Test func linesOfOthersAreCounted() throws {
    let conversion = try StraceTests.conversion([
      "total 48", "", "strace: something to know", StraceTests.map("10000", 2),
      "--- SIGCHLD {si_signo=SIGCHLD} ---", "openat(AT_FDCWD, \"a) = b\", O_RDONLY) = 3",
      "hello, world (again) ", "exit_group(0) = ?", "+++ exited with 0 +++",
    ])
    #expect(conversion.counts.lines == 9 && conversion.counts.unknownLines == 2)
    #expect(conversion.counts.firstUnknownLine == 1 && conversion.counts.otherCalls == 2)
  }

  @Test func numbersOfTheProgramAreNoTasks() throws {
    let lines = [
      "5 files", StraceTests.map("10000", 2), "7 files", "strace: Process 2 attached",
      "[pid 1] munmap(0x10000, 8192) = 0",
    ]
    let conversion = try StraceTests.conversion(lines)
    #expect(conversion.processes.map(\.number) == [1] && conversion.counts.unknownLines == 2)
    #expect(try StraceTests.events(lines) == ["a 0 1 0", "f 0 0 1 0"])
  }

  @Test func addressesAtTheEndOfTheWorldAreRefused() throws {
    let top = "0xffffffffffffffff"
    let huge = String(1 << 62)
    for line in ["brk(\(top)) = \(top)", "munmap(0x1000, \(huge)) = 0", "munmap(\(top), 1) = 0"] {
      #expect(throws: TraceFormatError.self) { try StraceTests.conversion([line]) }
    }
    // Sizes add up to more than a word holds.
    let large = "mmap(NULL, \(1 << 61), PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x1000"
    let conversion = try StraceTests.conversion(
      [String](repeating: large, count: 10) + [StraceTests.map("10000", 2)])
    #expect(conversion.largest?.leftOut.tooLargeBytes == .max)
  }

  @Test func generationsThatAreToldBackwards() throws {
    let lines = (1...20_000).map { "\($0 + 1) clone(flags=CLONE_VM) = \($0)" }
    let conversion = try StraceTests.conversion(lines + ["1 " + StraceTests.map("10000", 2)])
    #expect(conversion.processes.count == 1)
  }

  @Test func cutLastLineIsLeftOut() throws {
    let text = StraceTests.map("10000", 2) + "\nmunmap(0x10000, 8192) = 0"
    let conversion = try StraceConversion(Array(text.utf8))
    #expect(StraceTests.events(try #require(conversion.largest)) == ["a 0 1 0"])
    #expect(conversion.counts.unknownLines == 1)
  }

  @Test(arguments: [
    "mmap(NULL, lots, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x20000",
    "mmap(NULL, 8192) = 0x20000", "mmap(NULL, 4096, PROT_READ, 0x22, -1, 0) = 0x20001",
    "munmap(0x20000) = 0", "munmap(0x20010, 4096) = 0", "munmap(20000ff, 4096) = 0",
    "mprotect(0x20000, 99999999999999999999, PROT_READ) = 0", "mremap(0x20000, 4096) = 0x30000",
    "madvise(0xfffffffffffff000, 8192, MADV_FREE) = 0", "brk(what) = 0x30000",
  ])
  func badCallIsNamed(line: String) throws {
    do {
      _ = try StraceTests.conversion([
        StraceTests.map("10000", 2), line, StraceTests.map("80000", 2),
      ])
      Issue.record("the call is taken")
    } catch let error as TraceFormatError {
      #expect(error.line == 2 && error.reason.contains("arguments"), "\(error)")
    }
  }

  @Test(arguments: ["", "hello\n", "openat(AT_FDCWD, \"a\", O_RDONLY) = 3\n", "\u{0}\u{ff}\n"])
  func filesWithoutACallAreRefused(text: String) {
    #expect(throws: TraceFormatError.self) { try StraceConversion(Array(text.utf8)) }
  }

  // MARK: forms of lines

  @Test(arguments: [
    "71 ", "[pid    71] ", "[pid 71] 12:00:01 ", "71 12:00:01.123456 ", "71 1700000000.123456 ",
    "71      0.000123 ", "[pid 71] [00007f0012345678] ", "71 [   9] ", "", "12:00:01 ", "  ",
  ])
  func prefixes(prefix: String) throws {
    let lines = [
      prefix + StraceTests.map("10000", 2) + " <0.000012>",
      prefix + "munmap(0x10000, 8192)    = 0  \r",
    ]
    #expect(try StraceTests.events(lines) == ["a 0 1 0", "f 0 0 1 0"])
  }

  @Test func damagedTextNeverTraps() throws {
    var random = SplitMix(state: 20_261_130)
    let sound = Array(
      """
      1 execve("/bin/a", ["a"], 0x7ff /* 3 vars */) = 0
      1 brk(NULL) = 0x555000
      1 brk(0x55b000) = 0x55b000
      1 \(StraceTests.map("10000", 6))
      1 clone(child_stack=NULL, flags=CLONE_VM|CLONE_THREAD <unfinished ...>
      2 munmap(0x10000, 8192 <unfinished ...>
      1 <... clone resumed>, tls=0x1) = 2
      2 <... munmap resumed>) = 0
      2 mremap(0x12000, 16384, 32768, MREMAP_MAYMOVE) = 0x40000
      1 madvise(0x40000, 8192, MADV_DONTNEED) = 0
      2 +++ exited with 0 +++
      """.utf8)
    let pieces =
      "0123456789abfx(),<>=| \n[]?-+".map { Array(String($0).utf8) }
      + ["ffffffffffff", "999999999", "0x7ffffffffffff000", "1 fork() = 3\n"].map { Array($0.utf8) }
    var refused = 0
    for _ in 0..<5000 {
      var bytes = sound
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes.replaceSubrange(place...place, with: pieces.randomElement(using: &random)!)
        case 1: bytes.remove(at: place)
        default: bytes.insert(contentsOf: pieces.randomElement(using: &random)!, at: place)
        }
      }
      if let conversion = try? StraceConversion(bytes) {
        for process in conversion.processes { _ = StraceTests.events(process) }
      } else {
        refused += 1
      }
    }
    #expect(refused > 100 && refused < 4900)
  }
}
