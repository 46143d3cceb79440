import CDiagnosis

extension ArenaCore {
  /// The runs of a checked arena that are in use.
  ///
  /// - Complexity: O(records); runs that come or go meanwhile may be in it or not.
  func leaks() -> LeakReport {
    guard let checks else { return LeakReport(base: base, isChecked: false) }
    cdg_note_modules()
    var report = LeakReport(base: base, isChecked: true)
    var number: UInt32 = 1
    var isMore = true
    // A few at a time, so that the lock is free again soon, and nothing is allocated under it.
    while isMore {
      var found = InlineArray<8, RunNote>(repeating: RunNote())
      var count = 0
      isMore = withHeap { _ in checks.collectLive(from: &number, into: &found, &count) }
      for index in 0..<count { report.add(found[index]) }
    }
    let (allPages, livePages) = withHeap { ($0.pagesOfOwners, checks.figures.livePages) }
    report.note(allPages: allPages, livePages)
    return report
  }
}

/// Runs in use, by who allocated them: see ``PageArena/leaks``.
///
/// Its description is text for people, with the names of functions.
public struct LeakReport: Sendable {
  /// Runs that were allocated from the same place, by whatever thread.
  public struct Group: Sendable {
    /// How many runs.
    public internal(set) var runs: Int
    /// Their pages of 8 KiB in use; guards count.
    public internal(set) var pages: Int
    /// One of the runs.
    public let example: RunRecord
  }

  /// Whether the arena is in the checked mode; else nobody knows of any run.
  public let isChecked: Bool
  /// The groups, that with the most pages first.
  public private(set) var groups: [Group] = []
  /// Pages in use for which there was no record left.
  public private(set) var unknownPages = 0
  private let base: UInt
  /// The groups' traces as numbers, in order, to find a group by.
  private var order: [(hash: UInt64, group: Int)] = []

  /// How many runs there are records of.
  public var runs: Int { groups.reduce(0) { $0 + $1.runs } }
  /// Pages in use.
  public var pages: Int { groups.reduce(unknownPages) { $0 + $1.pages } }

  fileprivate init(base: UInt, isChecked: Bool) {
    self.base = base
    self.isChecked = isChecked
  }

  fileprivate mutating func add(_ note: RunNote) {
    let hash = note.allocation.hash
    var low = 0
    var high = order.count
    while low < high {
      let middle = (low + high) / 2
      if order[middle].hash < hash { low = middle + 1 } else { high = middle }
    }
    if low < order.count, order[low].hash == hash {
      groups[order[low].group].runs += 1
      groups[order[low].group].pages += Int(note.livePages)
      return
    }
    order.insert((hash, groups.count), at: low)
    groups.append(
      Group(runs: 1, pages: Int(note.livePages), example: RunRecord(note: note, base: base)))
  }

  fileprivate mutating func note(allPages: Int, _ knownPages: Int) {
    unknownPages = max(0, allPages - knownPages)
    groups.sort { $0.pages > $1.pages }
    order = []
  }
}

extension LeakReport: CustomStringConvertible {
  /// A line with the totals, then each group: its size, and the calls, a line each.
  public var description: String {
    var text = ""
    report(nil) { text += $0.text }
    return text
  }

  /// Writes the text to standard error, where there is anything to tell.
  ///
  /// - Parameter end: what ended before the runs did.
  /// - Returns: whether there was anything to be written.
  func write(end: StaticString) -> Bool {
    if pages == 0 { return false }
    report(end) { $0.write() }
    return true
  }

  private func report(_ end: StaticString?, to sink: LineSink) {
    var line = DumpLine()
    line.append("PageAlloc: ")
    if !isChecked {
      line.append("not checked: nobody knows which runs are in use")
      return sink(&line)
    }
    line.append(sizeOf: pages)
    line.append(" in ")
    line.append(runs, " run", " runs")
    line.append(" in use")
    if let end {
      line.append(" when ")
      line.append(end)
      line.append(" ended")
    }
    sink(&line)
    for group in groups {
      line = DumpLine()
      line.append("  ")
      line.append(sizeOf: group.pages)
      line.append(" in ")
      line.append(group.runs, " run at ", " runs, one at ")
      line.append(address: group.example.address)
      sink(&line)
      group.example.note.allocation.report("allocated", isReadable: true, to: sink)
    }
    if unknownPages > 0 {
      line = DumpLine()
      line.append("  ")
      line.append(sizeOf: unknownPages)
      line.append(" without a record")
      sink(&line)
    }
  }
}

/// Reports of the arenas that live as long as the process: permanent ones, and those that something
/// global refers to.
package enum LastReports {
  private static let wish = LastWish()

  /// Has them written when the process ends.
  static func start() { wish.make { LastReports.write() } }

  /// Writes them.
  package static func write() {
    var endsProcess = false
    ArenaRegistry.forEachAtLast { core in
      // Nobody died with the lock of an arena; who holds it from now on lets it go.
      guard core.checks != nil, core.checkedMode.reportsMistakes,
        core.withHeapIfFree({ _ in true }) != nil
      else { return }
      if core.leaks().write(end: "the process") {
        endsProcess = endsProcess || core.checkedMode.endsProcess
      }
    }
    if endsProcess { CheckedMode.endProcess() }
  }
}

extension Trace {
  /// A number for the calls, whatever the thread.
  fileprivate var hash: UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for index in 0..<count {
      hash = (hash ^ UInt64(self[index])) &* 0x9e37_79b9_7f4a_7c15
      hash ^= hash &>> 29
    }
    return hash
  }
}

extension Heap {
  /// Pages that are in use, but for those in limbo, which nobody leaked.
  fileprivate var pagesOfOwners: Int {
    counts.inaccessible + inUsePages - withheldPages - limbo.strandedPages - limbo.pageCount
  }
}

extension CheckedRuns {
  /// Copies some notes of runs in use.
  ///
  /// - Parameter number: where to look first; afterwards, next.
  /// - Returns: whether there may be more.
  fileprivate func collectLive(
    from number: inout UInt32, into found: inout InlineArray<8, RunNote>, _ count: inout Int
  ) -> Bool {
    var looked = 0
    while number <= figures.usedNotes, count < found.count, looked < 512 {
      if self[number].state == .inUse {
        // Below the count of the array; the checked subscript would copy all of it.
        unsafe found[unchecked: count] = self[number]
        count += 1
      }
      number += 1
      looked += 1
    }
    return number <= figures.usedNotes
  }
}

#if !hasFeature(Embedded)
  extension LeakReport: CustomReflectable {
    /// The report's properties.
    public var customMirror: Mirror {
      Mirror(
        self,
        children: [
          "runs": runs, "pages": pages, "groups": groups, "unknownPages": unknownPages,
          "isChecked": isChecked,
        ], displayStyle: .struct)
    }
  }
#endif
