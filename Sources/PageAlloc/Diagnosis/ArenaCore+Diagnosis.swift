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
    let end = page + max(0, min(pages, Geometry.pageCount - page))
    culprit(in: page..<end, checks)?.report(base: base, isReadable: true) { $0.write() }
  }

  /// The note that explains why pages cannot be freed: of the first that is not in use; else of the
  /// first. The lock is taken for each chunk.
  private func culprit(in pages: Range<PageNumber>, _ checks: CheckedRuns) -> RunNote? {
    var next = pages.lowerBound
    while next < pages.upperBound {
      let end = min(next + Geometry.pagesPerChunk, pages.upperBound)
      let freed = withHeap { _ in checks.firstNote(of: next..<end) { $0.state != .inUse } }
      if let freed { return freed }
      next = end
    }
    return withHeap { _ in checks.note(of: pages.lowerBound) }
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
}
