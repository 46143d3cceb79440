import PageTrace
import Strace

/// What came of an strace. Unless there is a failure, the conversion is there, and what was chosen
/// of it if a trace was written.
struct ConvertResult {
  let file: String
  var conversion: StraceConversion?
  var chosen: ConvertedProcess?
  /// The file that the trace was written to.
  var trace: String?
  var failure: FileFailure?
}

// MARK: - Text

extension ConvertResult {
  /// The figures, for people.
  var text: String {
    guard let conversion else { return "" }
    let counts = conversion.counts
    var text = "\(baseName(file)): \(grouped(counts.lines)) lines, "
    text += "\(grouped(counts.memoryCalls)) calls about memory"
    for (label, value) in rows(conversion) where !value.isEmpty {
      text += "\n  \(padded(right: label, 11))\(value)"
    }
    return text
  }

  private func rows(_ conversion: StraceConversion) -> [(String, String)] {
    var rows: [(String, String)] = []
    if let chosen {
      let writer = chosen.writer
      rows += [
        ("process", cut(chosen.name)),
        (
          "trace",
          "\(counted(writer.eventCount, "event")), "
            + "\(counted(writer.allocationCount, "allocation")), "
            + counted(writer.threadCount, "thread")
        ),
        (
          "live",
          "\(counted(writer.peakLivePages, "page")) "
            + "(\(bytes(UInt64(writer.peakLivePages) * 8192))) at most, "
            + "\(grouped(writer.livePages)) at the end"
        ),
      ]
      rows += leftOutRows(chosen.leftOut)
    }
    rows += countRows(conversion)
    if chosen == nil {
      rows.append(("processes", "process     events  most memory  program"))
      rows += conversion.processes.map(row)
    } else if conversion.processes.count > 1 {
      rows.append(
        (
          "processes", "\(grouped(conversion.processes.count)) had memory: --list names them"
        ))
    }
    return rows
  }

  private func row(_ process: ConvertedProcess) -> (String, String) {
    let columns = [
      padded(left: "\(process.number)", 7), padded(left: grouped(process.writer.eventCount), 9),
      padded(left: bytes(UInt64(process.writer.peakLivePages) * 8192), 11),
      cut(process.program, to: 34),
    ]
    return ("", columns.joined(separator: "  "))
  }

  private func leftOutRows(_ leftOut: LeftOut) -> [(String, String)] {
    let amounts = [
      (leftOut.fileMappings, "of files"), (leftOut.sharedMappings, "shared"),
      (leftOut.reservations, "without access"),
    ]
    var rows = [("left out", list(amounts, "mappings: "))]
    if leftOut.tooLargeMappings > 0 {
      rows.append(
        (
          "too large",
          "\(counted(leftOut.tooLargeMappings, "mapping")) of \(bytes(leftOut.tooLargeBytes)), "
            + "for which 4 GiB have no room"
        ))
    }
    let calls = [
      (leftOut.otherAdvice, "of other advice"), (leftOut.refusedBreaks, "of brk refused"),
      (leftOut.callsBeforeExec, "before an exec"), (leftOut.callsElsewhere, "elsewhere"),
    ]
    return rows + [("", list(calls, "calls: "))]
  }

  private func countRows(_ conversion: StraceConversion) -> [(String, String)] {
    let counts = conversion.counts
    let calls = [
      (counts.failedCalls, "failed"), (counts.unfinishedCalls, "never returned"),
      (counts.otherCalls, "of other names"),
    ]
    var rows = [("no effect", list(calls, "calls: "))]
    if counts.unknownLines > 0 {
      rows.append(
        (
          "not read",
          "\(counted(counts.unknownLines, "line")), not strace's or cut; the first is line "
            + "\(grouped(counts.firstUnknownLine ?? 0))"
        ))
    }
    if !conversion.tellsProcesses, conversion.processes.count > 1 {
      rows.append(("guessed", "which thread is of which process: trace=memory,process tells"))
    }
    return rows
  }

  /// `mappings: 3 of files, 1 shared`; empty where all are zero.
  private func list(_ amounts: [(Int, String)], _ title: String) -> String {
    let parts = amounts.filter { $0.0 > 0 }.map { "\(grouped($0.0)) \($0.1)" }
    return parts.isEmpty ? "" : title + parts.joined(separator: ", ")
  }
}

extension ConvertedProcess {
  /// Its number and program, as far as they are known.
  fileprivate var name: String {
    let program = program == "unknown" ? "a program that was not told" : self.program
    return number == 0 ? program : "\(number), \(program)"
  }
}

/// `1 page`, `2 pages`.
func counted(_ count: Int, _ thing: String) -> String {
  "\(grouped(count)) \(thing)\(count == 1 ? "" : "s")"
}

/// The end of a text that is too long for a line.
private func cut(_ text: String, to width: Int = 66) -> String {
  text.count <= width ? text : "…" + text.suffix(width - 1)
}

// MARK: - JSON

extension ConvertResult: Encodable {
  private enum Key: String, CodingKey {
    case file, error, lines, memoryCalls, tellsProcesses, failedCalls, unfinishedCalls, otherCalls
    case unknownLines, firstUnknownLine, processes, process, trace, events, allocations, threads
    case peakLivePages, endLivePages, leftOut
  }

  private struct Process: Encodable {
    let process: UInt64
    let program: String
    let command: String
    let arch: String
    let events: Int
    let peakLivePages: Int
    let endLivePages: Int

    init(_ process: ConvertedProcess) {
      self.process = process.number
      program = process.program
      command = process.command
      arch = process.arch
      events = process.writer.eventCount
      peakLivePages = process.writer.peakLivePages
      endLivePages = process.writer.livePages
    }
  }

  private struct Left: Encodable {
    let fileMappings: Int
    let sharedMappings: Int
    let reservations: Int
    let tooLargeMappings: Int
    let tooLargeBytes: UInt64
    let otherAdvice: Int
    let refusedBreaks: Int
    let callsBeforeExec: Int
    let callsElsewhere: Int

    init(_ leftOut: LeftOut) {
      fileMappings = leftOut.fileMappings
      sharedMappings = leftOut.sharedMappings
      reservations = leftOut.reservations
      tooLargeMappings = leftOut.tooLargeMappings
      tooLargeBytes = leftOut.tooLargeBytes
      otherAdvice = leftOut.otherAdvice
      refusedBreaks = leftOut.refusedBreaks
      callsBeforeExec = leftOut.callsBeforeExec
      callsElsewhere = leftOut.callsElsewhere
    }
  }

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try object.encode(file, forKey: .file)
    if let failure { return try object.encode(failure, forKey: .error) }
    guard let conversion else { return }
    let counts = conversion.counts
    try object.encode(counts.lines, forKey: .lines)
    try object.encode(counts.memoryCalls, forKey: .memoryCalls)
    try object.encode(conversion.tellsProcesses, forKey: .tellsProcesses)
    try object.encode(counts.failedCalls, forKey: .failedCalls)
    try object.encode(counts.unfinishedCalls, forKey: .unfinishedCalls)
    try object.encode(counts.otherCalls, forKey: .otherCalls)
    try object.encode(counts.unknownLines, forKey: .unknownLines)
    try object.encode(counts.firstUnknownLine, forKey: .firstUnknownLine)
    try object.encode(conversion.processes.map(Process.init), forKey: .processes)
    guard let chosen else { return }
    try object.encode(chosen.number, forKey: .process)
    try object.encodeIfPresent(trace, forKey: .trace)
    try object.encode(chosen.writer.eventCount, forKey: .events)
    try object.encode(chosen.writer.allocationCount, forKey: .allocations)
    try object.encode(chosen.writer.threadCount, forKey: .threads)
    try object.encode(chosen.writer.peakLivePages, forKey: .peakLivePages)
    try object.encode(chosen.writer.livePages, forKey: .endLivePages)
    try object.encode(Left(chosen.leftOut), forKey: .leftOut)
  }
}
