import PageTrace
import Testing

@testable import Strace

/// Threads and processes of an strace: whose memory is whose.
@Suite struct StraceProcessTests {
  static let thread = "CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD"

  @Test func callsOfThreadsAreInterleaved() throws {
    let lines = [
      "1 " + StraceTests.map("10000", 2),
      "1 clone3({flags=\(Self.thread), exit_signal=0} => {parent_tid=[2]}, 88) = 2",
      "1 munmap(0x10000, 8192 <unfinished ...>",
      // It has what the other thread gives back, before that call has returned.
      "2 " + StraceTests.map("10000", 4), "1 <... munmap resumed>) = 0",
      "2 mmap(NULL, 8192, PROT_READ <unfinished ...>", "1 " + StraceTests.map("30000", 2),
      "2 <... mmap resumed>, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x20000",
      "2 +++ exited with 0 +++", "1 munmap(0x20000, 8192) = 0", "1 +++ exited with 0 +++",
    ]
    #expect(
      try StraceTests.events(lines) == [
        "a 0 1 0", "f 0 0 1 0", "a 1 2 1", "a 2 1 0", "a 3 1 1", "f 3 0 1 0",
      ])
  }

  @Test func moveIsOverBeforeItsPlaceIsHandedOut() throws {
    let lines = [
      "1 " + StraceTests.map("10000", 2), "1 clone(flags=\(Self.thread)) = 2",
      "1 mremap(0x10000, 8192, 16384, MREMAP_MAYMOVE <unfinished ...>",
      "2 " + StraceTests.map("10000", 2), "1 <... mremap resumed>) = 0x40000",
      "1 munmap(0x40000, 16384) = 0",
    ]
    #expect(try StraceTests.events(lines) == ["a 0 1 0", "r 0 2 0", "a 1 1 1", "f 0 0 2 0"])
  }

  static let forking = [
    "1 execve(\"/bin/a\", [\"a\", \"-x\"], 0x7ff /* 3 vars */) = 0",
    "1 " + StraceTests.map("10000", 4), "1 " + StraceTests.map("20000", 2),
    "1 munmap(0x12000, 8192) = 0",
    "1 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD) = 2",
    "2 munmap(0x20000, 8192) = 0", "2 " + StraceTests.map("30000", 8),
    "1 " + StraceTests.map("30000", 2), "2 +++ exited with 0 +++", "1 munmap(0x20000, 8192) = 0",
    "1 +++ exited with 0 +++",
  ]

  @Test func forkedChildHasACopy() throws {
    #expect(
      try StraceTests.events(Self.forking, of: 1) == [
        "a 0 2 0", "a 1 1 0", "f 0 1 1 0", "a 2 1 0", "f 1 0 1 0",
      ])
    #expect(
      try StraceTests.events(Self.forking, of: 2) == ["a 0 1 0", "a 1 1 0", "f 1 0 1 0", "a 2 4 0"])
    let conversion = try StraceTests.conversion(Self.forking)
    #expect(conversion.largest?.number == 2 && conversion.tellsProcesses)
    #expect(conversion.processes.map(\.program) == ["/bin/a", "/bin/a"])
    #expect(conversion.processes.map(\.command) == ["\"a\", \"-x\"", "\"a\", \"-x\""])
  }

  @Test func allProcessesMergedEndWithTheirMemoryFreed() throws {
    let events = try StraceTests.events(Self.forking, isMerged: true)
    #expect(
      events == [
        "a 0 2 0", "a 1 1 0", "f 0 1 1 0", "a 2 1 1", "a 3 1 1", "f 3 0 1 1", "a 4 4 1", "a 5 1 0",
        "f 2 0 1 1", "f 4 0 4 1", "f 1 0 1 0", "f 0 0 1 0", "f 5 0 1 0",
      ])
  }

  @Test func linesOfAChildMayComeBeforeItsNumber() throws {
    let lines = [
      "1 " + StraceTests.map("10000", 2), "1 fork( <unfinished ...>",
      "2 munmap(0x10000, 8192) = 0", "1 <... fork resumed>) = 2", "1 munmap(0x10000, 8192) = 0",
    ]
    #expect(try StraceTests.events(lines, of: 1) == ["a 0 1 0", "f 0 0 1 0"])
    #expect(try StraceTests.events(lines, of: 2) == ["a 0 1 0", "f 0 0 1 0"])
  }

  @Test func childOfVforkSharesUntilItBecomesAnother() throws {
    let lines = [
      "1 " + StraceTests.map("10000", 2), "1 vfork( <unfinished ...>",
      "2 " + StraceTests.map("20000", 2), "2 execve(\"/bin/b\", [\"b\"], 0x7ff) = 0",
      "1 <... vfork resumed>) = 2", "2 " + StraceTests.map("10000", 8),
      "1 munmap(0x20000, 8192) = 0", "2 +++ exited with 0 +++", "1 +++ exited with 0 +++",
    ]
    #expect(try StraceTests.events(lines, of: 1) == ["a 0 1 0", "a 1 1 1", "f 1 0 1 0"])
    #expect(try StraceTests.events(lines, of: 2) == ["a 0 4 0"])
    #expect(try StraceTests.conversion(lines).largest?.program == "/bin/b")
  }

  @Test func execFreesAll() throws {
    let lines = [
      "1 " + StraceTests.map("10000", 2), "1 brk(NULL) = 0x555000", "1 brk(0x557000) = 0x557000",
      "1 execve(\"/bin/b\", [\"b\"], 0x7ff) = 0", "1 brk(NULL) = 0x444000",
      "1 brk(0x446000) = 0x446000",
    ]
    let events = ["a 0 1 0", "a 1 1 0", "f 0 0 1 0", "f 1 0 1 0", "a 2 1 0"]
    #expect(try StraceTests.events(lines) == events)
    // The same where it is not told: the heap's end is another.
    #expect(try StraceTests.events(lines.filter { !$0.contains("execve") }) == events)
  }

  @Test func threadThatBecomesAnotherProgramTakesTheProcessNumber() throws {
    let lines = [
      "1 " + StraceTests.map("10000", 2), "1 clone(flags=\(Self.thread)) = 2",
      "2 execve(\"/bin/b\", [\"b\"], 0x7ff <unfinished ...>",
      "1 +++ superseded by execve in pid 2 +++", "1 <... execve resumed>) = 0",
      "1 " + StraceTests.map("30000", 4), "1 +++ exited with 0 +++",
    ]
    let conversion = try StraceTests.conversion(lines)
    #expect(conversion.processes.count == 1 && conversion.processes[0].program == "/bin/b")
    #expect(StraceTests.events(conversion.processes[0]) == ["a 0 1 0", "f 0 0 1 0", "a 1 2 0"])
  }

  @Test func numbersOfAContainerAreTakenFromOutside() throws {
    let lines = [
      "71 " + StraceTests.map("10000", 2), "71 fork() = 2 /* 72 in strace's PID NS */",
      "72 munmap(0x10000, 8192) = 0",
    ]
    #expect(try StraceTests.conversion(lines).processes.map(\.number) == [71, 72])
  }

  // MARK: without the calls that make processes

  @Test func threadsAreGuessed() throws {
    let lines = [
      StraceTests.map("10000", 2), "strace: Process 2 attached",
      "[pid 2] " + StraceTests.map("20000", 2), "[pid 1] munmap(0x20000, 8192) = 0",
      "[pid 2] +++ exited with 0 +++", "munmap(0x10000, 8192) = 0", "+++ exited with 0 +++",
    ]
    let conversion = try StraceTests.conversion(lines)
    #expect(!conversion.tellsProcesses && conversion.processes.map(\.number) == [1])
    #expect(
      StraceTests.events(conversion.processes[0]) == [
        "a 0 1 0", "a 1 1 1", "f 1 0 1 0", "f 0 0 1 0",
      ])
  }

  @Test func processThatMapsWhereAnotherHasMemoryIsItsCopy() throws {
    let lines = [
      "1 " + StraceTests.map("10000", 2), "2 munmap(0x10000, 8192) = 0",
      "1 " + StraceTests.map("20000", 2), "2 " + StraceTests.map("20000", 8),
      "1 munmap(0x10000, 8192) = 0",
    ]
    #expect(try StraceTests.events(lines, of: 1) == ["a 0 1 0", "a 1 1 0", "f 0 0 1 0"])
    #expect(try StraceTests.events(lines, of: 2) == ["a 0 1 0", "f 0 0 1 0", "a 1 4 0"])
  }

  @Test func callsOfACopyThatBecomesAnotherAreLeftOut() throws {
    let lines = [
      "1 brk(NULL) = 0x555000", "1 brk(0x557000) = 0x557000", "2 munmap(0x555000, 8192) = 0",
      "2 brk(NULL) = 0x444000", "2 brk(0x448000) = 0x448000", "1 brk(0x556000) = 0x556000",
    ]
    #expect(try StraceTests.events(lines, of: 1) == ["a 0 1 0"])
    #expect(try StraceTests.events(lines, of: 2) == ["a 0 2 0"])
  }

  @Test func lineThatStraceWroteInto() throws {
    let lines = [
      StraceTests.map("10000", 2),
      "clone(child_stack=NULL, flags=SIGCHLDstrace: Process 2 attached",
      ", child_tidptr=0x7f) = 2", "[pid 2] munmap(0x10000, 8192) = 0",
      "[pid 1] +++ exited with 0 +++", StraceTests.map("20000", 8), "+++ exited with 0 +++",
    ]
    let conversion = try StraceTests.conversion(lines)
    #expect(conversion.counts.unknownLines == 0)
    #expect(conversion.processes.map(\.number) == [1, 2])
    #expect(StraceTests.events(conversion.processes[1]) == ["a 0 1 0", "f 0 0 1 0", "a 1 4 0"])
  }
}
