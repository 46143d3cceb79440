import CDiagnosis

// How reports look. They are made line by line, without an allocation, since a signal handler
// writes some of them; whoever wants text adds the lines up.
//
//   16 KiB in 2 pages at 0x00007f12a4c06000, freed, in quarantine
//     allocated by thread 4711:
//       makeBuffer() + 52 (server+0x1b3c4)
//       main + 18 (server+0x1aa10)
//     freed by thread 4712:
//       ...

/// Takes the lines of a report.
package typealias LineSink = (inout DumpLine) -> Void

extension DumpLine {
  /// An address.
  mutating func append(address: UInt) {
    append("0x")
    append(hex: UInt64(address))
  }

  /// So many pages, in bytes.
  mutating func append(sizeOf pages: Int) {
    append(PageSpace.byteCount(of: pages) / 1024)
    append(" KiB")
  }

  /// A number, and what it counts.
  mutating func append(_ count: Int, _ one: StaticString, _ many: StaticString) {
    append(UInt(bitPattern: count))
    append(count == 1 ? one : many)
  }

  /// A place in the code.
  fileprivate mutating func append(code address: UInt, isReadable: Bool) {
    // It writes no more than there is room.
    unsafe append {
      unsafe cdg_describe(
        address, $0.assumingMemoryBound(to: CChar.self), $1, isReadable ? 1 : 0)
    }
  }
}

extension Trace {
  /// Whether anybody did it that is known of.
  package var isKnown: Bool { thread != 0 }

  /// Who did it, in a line, and the calls, the library's own left out.
  ///
  /// - Parameter isReadable: names are to be as they were written, which allocates.
  package func report(_ what: StaticString, isReadable: Bool, to sink: LineSink) {
    var line = DumpLine()
    line.append("  ")
    line.append(what)
    line.append(" by thread ")
    line.append(UInt(thread))
    line.append(count == 0 ? " (no back-trace here)" : ":")
    sink(&line)
    reportCalls(isReadable: isReadable, to: sink)
  }

  /// The calls, the library's own left out.
  package func reportCalls(isReadable: Bool, to sink: LineSink) {
    var first = 0
    while first < count, isOwn(self[first]) { first += 1 }
    if first == count { first = 0 }
    for index in first..<count {
      var line = DumpLine()
      line.append("    ")
      line.append(code: self[index], isReadable: isReadable)
      sink(&line)
    }
  }

  /// Whether a call is inside the library, or what it calls, by the name of its module.
  private func isOwn(_ address: UInt) -> Bool {
    var line = DumpLine()
    line.append(code: address, isReadable: false)
    // The second letter is another in Embedded Swift; the third stands for the standard library.
    return line.has("$s9PageAlloc", at: 0) || line.has("$e9PageAlloc", at: 0)
      || line.has("$s6SysMem", at: 0) || line.has("$e6SysMem", at: 0)
      || line.has("$ss", at: 0) || line.has("$es", at: 0)
  }
}

extension RunNote {
  /// What is known of the run.
  ///
  /// - Parameter base: the arena's.
  package func report(base: UInt, isReadable: Bool, to sink: LineSink) {
    var line = DumpLine()
    line.append("  ")
    line.append(sizeOf: pages.count)
    line.append(" in ")
    line.append(pages.count, " page at ", " pages at ")
    line.append(address: PageSpace(base: base).address(of: pages.lowerBound))
    switch state {
    case .none: line.append(", unknown")
    case .inUse:
      line.append(", in use")
      if livePages < pageCount {
        line.append(" but for ")
        line.append(Int(pageCount - livePages), " page", " pages")
      }
    case .leaving, .quarantined: line.append(", freed, in quarantine")
    case .free: line.append(", freed")
    }
    sink(&line)
    if allocation.isKnown { allocation.report("allocated", isReadable: isReadable, to: sink) }
    if end.isKnown { end.report("freed", isReadable: isReadable, to: sink) }
  }
}
