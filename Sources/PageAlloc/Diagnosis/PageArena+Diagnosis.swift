import CDiagnosis
import SysMem

extension PageArena {
  /// What is known of the run that an address lies in, or lay in last.
  ///
  /// - Returns: `nil` where the arena is not checked, the address is not in it or was never handed out, or the
  ///   record went: there are 65,536, of which those of the runs freed longest ago go first.
  /// - Complexity: O(1).
  public func diagnose(_ address: UInt) -> RunRecord? {
    guard let checks, let page = grownPage(at: address) else { return nil }
    cdg_note_modules()
    unsafe state.locks.pointee.heap.lock()
    defer { unsafe state.locks.pointee.heap.unlock() }
    let number = checks.number(of: page)
    return number == 0 ? nil : RunRecord(note: checks[number], base: base)
  }

  /// The page at an address, if it is one that the arena has.
  func grownPage(at address: UInt) -> PageNumber? {
    let page = (address &- base) >> UInt(Geometry.pageShift)
    return address >= base && page < UInt(Geometry.pageCount) ? Int(page) : nil
  }

  /// Says on standard error what was wrong with a free, and what is known of the run.
  @inline(never)
  func reportMistake(
    _ error: PageArenaError, at address: UInt, _ pages: Int, _ trace: Trace, _ checks: CheckedRuns
  ) {
    if !checkedMode.reportsMistakes { return }
    cdg_note_modules()
    writeReport("PageAlloc: \(error.description)")
    trace.report("freed", isReadable: true) { $0.write() }
    guard let page = grownPage(at: address) else { return }
    unsafe state.locks.pointee.heap.lock()
    let number = checks.culprit(from: page, min(pages, Geometry.pageCount - page))
    let note = number == 0 ? nil : checks[number]
    unsafe state.locks.pointee.heap.unlock()
    note?.report(base: base, isReadable: true) { $0.write() }
  }
}

/// Writes a line to standard error.
func writeReport(_ text: String) {
  var line = DumpLine()
  line.append(text: text)
  line.write()
}

extension CheckedRuns {
  /// The note that explains why pages cannot be freed: of the first that is not in use; else of the first.
  fileprivate func culprit(from page: PageNumber, _ pages: Int) -> UInt32 {
    for other in page..<(page + max(pages, 0)) {
      let number = number(of: other)
      if number != 0, self[number].state != .inUse { return number }
    }
    return number(of: page)
  }
}
