import ArgumentParser
import Foundation
import PageBench
import PageRivals
import PageTrace

/// `pagetool compare`: replays recordings on several allocators.
struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Replays recordings on several allocators, and compares time and memory.",
    usage: """
      pagetool compare [--runs <n>] [--allocator <name>] ...
                       [--library <file>] ... [--json] <files> ...
      """,
    discussion: """
      Each FILE is a page trace ("#pagetrace 1"). It is replayed on one thread, on PageArena and \
      on mmap, glibc, jemalloc, mimalloc and tcmalloc, as far as their libraries are here: \
      libjemalloc.so.2, libmimalloc.so, libtcmalloc_minimal.so.4 and their like, looked for where \
      the system looks for libraries. Which are missing is told. Every run is a process of its \
      own, and the allocators take turns.

      All do the same: a word is written to each of the kernel's pages that is handed out. A run \
      that changes its size moves; a purged page is written again; an allocator that cannot take \
      back a part of a run keeps it until all its parts are freed. Contents are not checked: \
      `pagetool replay` does that.

      TIME is that of the whole replay, page faults among it: the median of the runs, and the \
      least. MEMORY is the anonymous resident memory of the process beyond what it had before: the \
      most that was seen; what stays when all was freed, before an allocator gives it back as \
      time goes by; and what stays when it was asked to. It is the median of the runs.

      EXAMPLES
        pagetool compare mmap-node.trace.gz
        pagetool compare --runs 11 --allocator glibc ls.trace.gz
        pagetool compare --library ./libmine.so *.trace.gz
        pagetool compare --json a.trace.gz > a.json

      JSON
        An array with one object a file, in the order of the arguments. Times are
        in nanoseconds, memory is in bytes; null is what is not known.
          file, name        the FILE as given; the trace's own name
          operations        events, and the frees of what is live at the end
          peakLiveBytes     what is live at most, in whole pages
          runs              how often each allocator ran
          allocators        an array of objects: name, origin, and
                            medianNanoseconds, leastNanoseconds,
                            residentPeakBytes, residentFreedBytes,
                            residentReleasedBytes; or failure, in words
          missing           an array of objects: name, reason
          error             object: message, line (if known); of a file that
                            cannot be used, instead of all the above but file

      EXIT STATUS
        0   all allocators that are here replayed all files
        1   an allocator refused memory, died or took over a minute for a run; one
            asked for by --allocator or --library is missing; or a file cannot be
            read or is malformed
        64  the command line makes no sense
      """)

  @Argument(help: "The traces to replay, plain or packed with gzip.", completion: .file())
  var files: [String]

  @Option(help: ArgumentHelp("How often each allocator replays a file.", valueName: "n"))
  var runs = 5

  @Option(
    help: ArgumentHelp(
      "Beside PageArena only this one. May be given more than once.", valueName: "name"),
    completion: .list(["mmap", "glibc"] + KnownLibrary.all.map(\.name)))
  var allocator: [String] = []

  @Option(
    help: ArgumentHelp(
      "A shared library with posix_memalign, calloc and free takes part, too.", valueName: "file"),
    completion: .file(extensions: ["so"]))
  var library: [String] = []

  @Flag(help: "Print JSON instead of text.")
  var json = false

  func validate() throws {
    if runs < 1 || runs > 10_000 { throw ValidationError("--runs must be in 1...10000.") }
    let names = ["mmap", "glibc"] + KnownLibrary.all.map(\.name)
    for name in allocator where !names.contains(name) {
      throw ValidationError("there is no allocator \(name), only \(names.joined(separator: ", ")).")
    }
  }

  func run() throws {
    guard Surroundings(hugePages: false).enter() else {
      complain("compare", FileFailure("the program cannot start itself again"))
      throw ExitCode.failure
    }
    let rivals = Rivals(named: allocator, libraries: library)
    for missing in rivals.wanted { complain(missing.name, FileFailure(missing.reason)) }
    var isGood = rivals.wanted.isEmpty
    var results: [CompareResult] = []
    for path in files {
      var result = CompareResult(file: path, runs: runs, missing: rivals.missing)
      do throws(FileFailure) {
        try compare(path, rivals.present, &result)
      } catch {
        result.failure = error
        complain(path, error)
      }
      if !json, result.failure == nil { print((results.isEmpty ? "" : "\n") + result.text) }
      isGood = isGood && result.isGood
      results.append(result)
    }
    if json { print(try jsonText(results)) }
    if !isGood { throw ExitCode.failure }
  }

  private func compare(
    _ path: String, _ peers: [Peer], _ result: inout CompareResult
  ) throws(FileFailure) {
    let recording = Recording(try readTrace(path))
    result.recording = recording
    result.peers = peers.map { PeerResult($0) }
    let progress = ProgressLine(path)
    defer { progress.erase() }
    for run in 0..<runs {
      for offset in peers.indices {
        // Another one goes first each time.
        let index = (offset + run) % peers.count
        progress.update(run * peers.count + offset, runs * peers.count)
        if result.peers[index].failure != nil { continue }
        result.peers[index].add(
          isolated { peers[index].rival().map { measure(recording, on: $0) } ?? .refused })
      }
    }
  }
}

/// Who takes part, and who does not.
private struct Rivals {
  var present: [Peer] = [.ours()]
  /// Not here, and not asked for by name.
  var missing: [MissingPeer] = []
  /// Not here, though asked for.
  var wanted: [MissingPeer] = []

  init(named names: [String], libraries: [String]) {
    for peer in [Peer.mmap, .glibc] where names.isEmpty || names.contains(peer.name) {
      present.append(peer)
    }
    for known in KnownLibrary.all where names.isEmpty || names.contains(known.name) {
      let (library, reason) = known.find()
      if let library {
        present.append(Peer(known.name, library))
      } else if names.isEmpty {
        missing.append(MissingPeer(name: known.name, reason: reason))
      } else {
        wanted.append(MissingPeer(name: known.name, reason: reason))
      }
    }
    for path in libraries {
      let library = Library(path: path)
      if let reason = library.reasonToLeaveOut() {
        wanted.append(MissingPeer(name: path, reason: reason))
      } else {
        let isTaken = present.contains { $0.name == library.name }
        present.append(Peer(isTaken ? "\(library.name)*" : library.name, library))
      }
    }
  }
}
