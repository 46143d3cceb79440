import CDiagnosis
import SysMem

extension ArenaCore {
  /// What is known of the run that an address lies in, or lay in last.
  func diagnose(_ address: UInt) -> RunRecord? {
    guard let checks, let page = anyPage(at: address) else { return nil }
    cdg_note_modules()
    let note = withHeap { _ in checks.note(of: page) }
    return note.map { RunRecord(note: $0, base: base) }
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
    defer { if checkedMode.endsProcess { CheckedMode.endProcess() } }
    guard let page = anyPage(at: address) else { return }
    let note = withHeap { _ in
      checks.culprit(from: page, min(pages, Geometry.pageCount - page))
    }
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
  /// The note that tells of a page; `nil` where none does.
  func note(of page: PageNumber) -> RunNote? {
    let number = number(of: page)
    return number == 0 ? nil : self[number]
  }

  /// The note that explains why pages cannot be freed: of the first that is not in use; else of the
  /// first.
  fileprivate func culprit(from page: PageNumber, _ pages: Int) -> RunNote? {
    for other in page..<(page + max(pages, 0)) {
      if let note = note(of: other), note.state != .inUse { return note }
    }
    return note(of: page)
  }
}
