import Foundation
import Gzip
import PageAlloc
import PageTrace
import Testing

@testable import Strace

/// Straces of real programs: converted, and replayed with every byte checked.
@Suite struct StraceSampleTests {
  static func bytes(_ name: String) throws -> [UInt8] {
    try gunzip(try Repository.bytes("Tests/Data/strace/\(name).gz"))
  }

  static let names = [
    "ls", "python", "gcc", "gcc-process", "sqlite", "redis", "node", "swift", "pipeline",
    "java", "server",
  ]

  @Test(arguments: names, [false, true])
  func replays(name: String, isMerged: Bool) throws {
    let conversion = try StraceConversion(try Self.bytes("\(name).strace"), isMerged: isMerged)
    #expect(conversion.counts.unknownLines == 0 && !conversion.processes.isEmpty)
    for process in conversion.processes {
      let labels = TraceWriter.Labels(
        name: name, program: process.program, version: "", command: process.command,
        arch: process.arch, note: "")
      let trace = try ProgramTrace(parsing: process.writer.file(labels))
      let report = try replay(
        trace, on: { () throws(PageArenaError) -> PageArena in try PageArena() })
      #expect(report.eventCount == process.writer.eventCount)
      #expect(report.usageAfter.inUseBytes == 0 && process.arch == "64-bit")
      if isMerged { #expect(process.writer.livePages == 0, "all processes have ended") }
    }
  }

  /// What is mapped when a program ends is what the kernel's table says: the program wrote it then.
  @Test(arguments: ["python", "java"])
  func mapIsTheKernels(name: String) throws {
    let events = try StraceEvents(try Self.bytes("\(name).strace"))
    var run = ConversionRun(events, forked: [], isMerged: false)
    #expect(run.run() == nil)
    let map = try #require(run.maps.last)
    let ours = map.segments.filter { if case .run = $0.use { true } else { false } }.map(\.range)

    var theirs: [Range<UInt64>] = []
    let lines = String(decoding: try Self.bytes("\(name).maps"), as: UTF8.self).split(
      separator: "\n")
    for line in lines {
      let fields = line.split(separator: " ", omittingEmptySubsequences: true)
      let isHeap = fields.count == 6 && fields[5] == "[heap]"
      // Of no file, private, with some access.
      guard fields[4] == "0", fields[1].last == "p", !fields[1].hasPrefix("---"),
        fields.count == 5 || isHeap
      else { continue }
      let ends = fields[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
      theirs.append(ends[0]..<ends[1])
    }
    // The program's own zeroes, which the kernel maps as the program starts.
    if name == "python" { #expect(theirs.removeFirst() == 0xa85000..<0xaca000) }
    #expect(Self.merged(ours) == Self.merged(theirs))
  }

  private static func merged(_ ranges: [Range<UInt64>]) -> [Range<UInt64>] {
    var merged: [Range<UInt64>] = []
    for range in ranges {
      if let last = merged.last, last.upperBound == range.lowerBound {
        merged[merged.count - 1] = last.lowerBound..<range.upperBound
      } else {
        merged.append(range)
      }
    }
    return merged
  }

  /// The compiler, recorded with the calls that make processes, and without: the same comes of it.
  @Test func guessesAreRight() throws {
    let told = try StraceConversion(try Self.bytes("gcc-process.strace"))
    let guessed = try StraceConversion(try Self.bytes("gcc.strace"))
    #expect(told.tellsProcesses && !guessed.tellsProcesses)
    #expect(told.processes.map(\.program).map(baseOf) == ["gcc", "cc1", "as"])
    #expect(
      told.processes.map(\.writer.peakLivePages) == guessed.processes.map(\.writer.peakLivePages))
    let events = told.processes.map(StraceTests.events)
    #expect(events == guessed.processes.map(StraceTests.events))
  }

  private func baseOf(_ path: String) -> String { String(path.split(separator: "/").last ?? "") }

  @Test func figuresOfPrograms() throws {
    let redis = try StraceConversion(try Self.bytes("redis.strace"))
    // It saves in a child, which has a copy of all.
    #expect(redis.processes.count == 2)
    #expect(
      redis.processes[1].writer.peakLivePages >= redis.processes[0].writer.peakLivePages)
    let node = try StraceConversion(try Self.bytes("node.strace"))
    #expect(node.processes.count == 1 && node.processes[0].writer.threadCount == 6)
    #expect(node.processes[0].leftOut.reservations > 200)
    let pipeline = try StraceConversion(try Self.bytes("pipeline.strace"))
    #expect(pipeline.processes.map(\.program).map(baseOf) == ["sh", "ls", "sort"])
  }
}
