import ArgumentParser
import PageTrace
import Strace

/// `pagetool convert`: makes a page trace of what `strace` wrote.
struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes a page trace of an strace, so that any program's memory can be replayed.",
    usage: """
      pagetool convert [-o <trace>] [--name <name>] [--json]
                       [--process <number> | --all] <strace>
      pagetool convert --list [--all] [--json] <strace>
      """,
    discussion: """
      STRACE is what `strace -f -e trace=memory,process` wrote of a program. With memory alone \
      it works, too; but which thread belongs to which process is then guessed. Without -f a \
      program's threads are missing; with -ff each is in a file of its own, and their order is \
      lost. The trace goes to a file with -o, and is packed if its name \
      ends in .gz; else to the standard output. What was converted and what was left out is told.

      RECORDING
        strace -f -e trace=memory,process -o ls.strace ls -l
        pagetool convert ls.strace -o ls.trace.gz
        pagetool replay ls.trace.gz

      MEANING
        Memory is what is private, anonymous and accessible. Sizes are rounded up
        to pages of 8 KiB, counted from where a mapping begins; a page is freed
        when nothing of it is mapped any more.

        mmap        anonymous, with access: an allocation. Over memory (MAP_FIXED):
                    what was there is freed. Without access (PROT_NONE): address
                    space, no memory. Files, shared memory: left out, counted.
        mprotect    makes reserved address space accessible: an allocation of each
                    stretch. Takes all access away: a free.
        munmap      frees all, a part, or parts of several allocations.
        mremap      of a whole allocation: resizes it. Of a part: a new allocation,
                    and what moved away or was cut off is freed.
        madvise     MADV_DONTNEED, MADV_FREE: a purge. Other advice: left out.
        brk         growth is an allocation, shrinking a free.
        fork        the child begins with a copy of its parent's allocations. A
                    vfork or a thread shares them.
        execve      frees all. Where it was not recorded, a new end of the heap
                    tells of it (brk).
        the end     what is mapped stays live, and a replay frees it at its end.
                    With --all a process that ends frees what it has.

        A call that failed changes nothing, nor does one that never returned. An
        allocation for which 4 GiB have no room is left out, and told. A line that
        is not of strace's is counted; a call about memory that makes no sense ends
        the conversion.

      EXAMPLES
        pagetool convert python.strace -o python.trace.gz
        pagetool convert make.strace --list
        pagetool convert make.strace --process 4711 -o cc1.trace
        pagetool convert --all make.strace > make.trace
        strace -f -e trace=memory -o '|pagetool convert - -o a.trace' ls

      JSON
        An array with one object; with --list "events" and what follows are left
        away.
          file, lines, memoryCalls
          tellsProcesses    whether calls that make processes were recorded
          failedCalls, unfinishedCalls, otherCalls
          unknownLines, firstUnknownLine
          processes         an array of objects: process, program, command, arch,
                            events, peakLivePages, endLivePages
          process           the one converted; 0 for all, and if strace names none
          trace             the file written
          events, allocations, threads, peakLivePages, endLivePages
          leftOut           object: fileMappings, sharedMappings, reservations,
                            tooLargeMappings, tooLargeBytes, otherAdvice,
                            refusedBreaks, callsBeforeExec, callsElsewhere
          error             object: message, line (if known); instead of all the
                            above but file

      EXIT STATUS
        0   the trace was written
        1   STRACE cannot be read, has no such process or no call about memory, or
            one that makes no sense; or the trace cannot be written
        64  the command line makes no sense
      """)

  @Argument(
    help: "What strace wrote, plain or packed with gzip; - is the standard input.",
    completion: .file())
  var strace: String

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Write the trace to a file.", valueName: "trace"),
    completion: .file(extensions: ["trace", "gz"]))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "Convert this process. (default: the one with the most memory at once)",
      valueName: "number"))
  var process: UInt64?

  @Flag(help: "Convert all processes into one trace, each with allocations of its own.")
  var all = false

  @Flag(help: "List the processes, and write no trace.")
  var list = false

  @Option(help: "The trace's name. (default: from the name of the file)")
  var name: String?

  @Flag(help: "Print JSON instead of text.")
  var json = false

  func validate() throws {
    if all, process != nil { throw ValidationError("--all and --process exclude each other.") }
    if list, output != nil || process != nil {
      throw ValidationError("--list writes no trace: neither -o nor --process goes with it.")
    }
    if json, !list, output == nil || output == "-" {
      throw ValidationError("--json and the trace both want the standard output: give -o a file.")
    }
  }

  func run() throws {
    var result = ConvertResult(file: strace)
    do throws(FileFailure) {
      try convert(&result)
    } catch {
      result.failure = error
      complain(error.path ?? strace, error)
    }
    if json {
      print(try jsonText([result]))
    } else if result.failure == nil {
      // The trace itself may have the standard output.
      if list || (output != nil && output != "-") {
        print(result.text)
      } else {
        writeToStandardError(result.text + "\n")
      }
    }
    if result.failure != nil { throw ExitCode.failure }
  }

  private func convert(_ result: inout ConvertResult) throws(FileFailure) {
    let bytes = try readInput(strace)
    if bytes.starts(with: "#pagetrace ".utf8) {
      throw FileFailure("this is a page trace, or a recording of an arena, already")
    }
    let conversion = try conversion(of: bytes)
    result.conversion = conversion
    if list { return }
    let chosen = try choose(conversion)
    let traceName = name ?? Self.name(of: output ?? strace)
    let trace = chosen.writer.file(labels(traceName, chosen))
    do {
      _ = try ProgramTrace(parsing: trace)
    } catch {
      throw FileFailure("the trace that came of it is wrong, which is our mistake: \(error.reason)")
    }
    try writeOutput(packed(trace), to: output ?? "-")
    result.chosen = chosen
    result.trace = output
  }

  private func conversion(of bytes: [UInt8]) throws(FileFailure) -> StraceConversion {
    let progress = ProgressLine(strace)
    defer { progress.erase() }
    do {
      return try StraceConversion(bytes, isMerged: all, progress: progress.update)
    } catch {
      throw FileFailure(error)
    }
  }

  private func choose(_ conversion: StraceConversion) throws(FileFailure) -> ConvertedProcess {
    guard let process else {
      guard let largest = conversion.largest else {
        throw FileFailure("no process had memory of its own")
      }
      return largest
    }
    guard let chosen = conversion.processes.first(where: { $0.number == process }) else {
      let others = conversion.processes.prefix(20).map { "\($0.number)" }
      throw FileFailure(
        "no process \(process) had memory of its own; these had: "
          + others.joined(separator: ", "))
    }
    return chosen
  }

  private func labels(_ name: String, _ process: ConvertedProcess) -> TraceWriter.Labels {
    TraceWriter.Labels(
      name: name, program: all ? "several processes" : process.program, version: "unknown",
      command: all ? "unknown" : process.command, arch: process.arch,
      note: "private anonymous memory by the calls that strace wrote")
  }

  private func packed(_ trace: [UInt8]) throws(FileFailure) -> [UInt8] {
    guard output?.hasSuffix(".gz") == true else { return trace }
    return try gzipped(trace)
  }

  /// `ls` for `traces/ls.trace.gz` and for `ls.strace`.
  private static func name(of path: String) -> String {
    if path == "-" { return "standard-input" }
    var name = baseName(path)
    for suffix in [".gz", ".trace", ".strace", ".txt"] where name.hasSuffix(suffix) {
      name.removeLast(suffix.count)
    }
    return name.isEmpty ? "strace" : name
  }
}
