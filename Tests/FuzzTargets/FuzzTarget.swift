import Gzip
import PageChecks
import PageTrace
import Strace

/// What can be fed with any bytes. Each has a folder of that name in Tests/Corpus.
package enum FuzzTarget: String, CaseIterable, Sendable {
  /// A storm of operations on an arena, beside the model.
  case operations
  /// The same on a pool, a region and frames.
  case pools
  /// Conformance files.
  case conformance
  /// Recorded programs.
  case programs
  /// Compressed files.
  case gzip
  /// What strace writes.
  case straces

  /// Runs one input. What must never happen traps.
  ///
  /// - Returns: what is wrong; empty where nothing is. That an input is no valid file is not wrong.
  package func run(_ bytes: [UInt8]) -> [String] {
    switch self {
    case .operations: Check("storm") { runStorm(bytes: bytes, &$0) }.run()
    case .pools: Check("pool storm") { runPoolStorm(bytes: bytes, &$0) }.run()
    case .conformance: runConformance(bytes)
    case .programs: runProgram(bytes)
    case .gzip: runGzip(bytes)
    case .straces: [false, true].flatMap { runStrace(bytes, isMerged: $0) }
    }
  }
}

/// A file that is checked to its end has operations; any other has an error with its line.
private func runConformance(_ bytes: [UInt8]) -> [String] {
  if saysToRunLong(bytes) { return [] }
  do throws(CheckError) {
    let report = try check(name: "fuzz", bytes: bytes)
    return report.mismatches <= report.operations
      ? [] : ["\(report.mismatches) mismatches in \(report.operations) operations"]
  } catch {
    if case .format(let error) = error { return flaws(of: error, bytes) }
    return [error.description]
  }
}

/// Whether a procedural file asks for a thousand steps or more: a few bytes that take long.
private func saysToRunLong(_ bytes: [UInt8]) -> Bool {
  let key = Array("ops=".utf8)
  var place = 0
  while place + key.count + 3 < bytes.count {
    if bytes[place..<place + key.count].elementsEqual(key),
      bytes[place + key.count..<place + key.count + 4].allSatisfy({ 48...57 ~= $0 })
    {
      return true
    }
    place += 1
  }
  return false
}

/// A program that is read has events that add up to what its header says.
private func runProgram(_ bytes: [UInt8]) -> [String] {
  do throws(TraceFormatError) {
    let trace = try ProgramTrace(parsing: bytes)
    var live = 0
    for event in trace.events where event.kind == .allocate { live += Int(event.pageCount) }
    let freed = trace.events.reduce(0) { $0 + ($1.kind == .free ? Int($1.pageCount) : 0) }
    let closing = trace.closingFrees.reduce(0) { $0 + Int($1.pageCount) }
    let isResized = trace.events.contains { $0.kind == .resize }
    return isResized || live - freed == closing
      ? [] : ["\(live) pages allocated, \(freed) freed, \(closing) at the end"]
  } catch { return flaws(of: error, bytes) }
}

/// An error names a line that the file has, and why.
private func flaws(of error: TraceFormatError, _ bytes: [UInt8]) -> [String] {
  let lines = bytes.reduce(1) { $1 == 10 ? $0 + 1 : $0 }
  return 1...lines ~= error.line && !error.reason.isEmpty
    ? [] : ["an error in line \(error.line) of \(lines): \(error.reason)"]
}

/// What is unpacked keeps to the limit, and is the same when it is allowed to be longer.
private func runGzip(_ bytes: [UInt8]) -> [String] {
  let limit = 1 << 16
  do throws(GzipError) {
    let short = try gunzip(bytes, limit: limit)
    if short.count > limit { return ["\(short.count) bytes, beyond the limit"] }
    return try gunzip(bytes, limit: 2 * limit) == short ? [] : ["other bytes with another limit"]
  } catch { return error.description.isEmpty ? ["an error without a reason"] : [] }
}

/// Whatever is converted is a trace that can be read, and has the figures that its writer counted.
private func runStrace(_ bytes: [UInt8], isMerged: Bool) -> [String] {
  let conversion: StraceConversion
  do throws(TraceFormatError) {
    conversion = try StraceConversion(bytes, isMerged: isMerged)
  } catch { return flaws(of: error, bytes) }
  let labels = TraceWriter.Labels(
    name: "", program: "", version: "", command: "", arch: "", note: "")
  return conversion.processes.compactMap { process in
    do throws(TraceFormatError) {
      let trace = try ProgramTrace(parsing: process.writer.file(labels))
      let closing = trace.closingFrees.reduce(0) { $0 + Int($1.pageCount) }
      return closing == process.writer.livePages ? nil : "\(closing) pages are live at the end"
    } catch { return "process \(process.number): \(error.description)" }
  }
}
