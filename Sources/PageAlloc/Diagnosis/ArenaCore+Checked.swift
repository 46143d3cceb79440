import CDiagnosis
import SysMem

// The checked mode: what is done besides when a run is handed out or freed. None of this runs where
// the mode is off.

extension ArenaCore {
  /// The arena was made.
  func startChecks() {
    // The first trace may have to load what unwinds.
    _ = Trace.here()
    cdg_note_modules()
    if checkedMode.reportsFaults { FaultReports.start() }
    if checkedMode.reportsMistakes { LastReports.start() }
  }

  /// The arena is about to end: tells of what is still in use.
  func endChecks() {
    if checkedMode.reportsMistakes, leaks().write(end: "the arena"), checkedMode.endsProcess {
      CheckedMode.endProcess()
    }
    if checkedMode.tools == 0 { return }
    // The addresses will be somebody else's.
    withHeap { heap in
      for index in 0..<heap.allocator.ranges.count {
        let range = heap.allocator.ranges[index]
        permit(Int(range.lowerBound)..<Int(range.upperBound), hasContents: true)
      }
    }
  }

  /// Notes who took a run that was just handed out.
  @inline(never)
  func noteAllocation(_ page: PageNumber, _ pages: Int, isZero: Bool = false) {
    guard let checks else { return }
    let run = page..<(page &+ pages)
    permit(run, hasContents: isZero)
    let trace = Trace.here()
    let (isNoted, quarantinedPages) = withHeap { _ in
      (checks.noteAllocation(run, trace), checks.figures.quarantinedPages)
    }
    if isNoted { return }
    // Half of the quarantine goes, for its notes. Without any left the run goes unnoted.
    emptyQuarantine(to: quarantinedPages / 2)
    withHeap { _ in _ = checks.noteAllocation(run, trace) }
  }

  /// Frees a run or a part of one, as ``PageArena/deallocate(_:pages:)`` says.
  @inline(never)
  func deallocateChecked(_ address: UInt, _ pages: Int) throws(PageArenaError) {
    guard let checks else { return }
    let trace = Trace.here()
    do throws(PageArenaError) {
      let page = try page(at: address, pages)
      let part = page..<(page + pages)
      let number = try withHeap { heap throws(PageArenaError) in
        heap.withhold(part, of: try heap.run(around: part, at: address), trace, checks)
      }
      quarantine(part, number, isZero: false, checks)
    } catch {
      reportMistake(error, at: address, pages, trace, checks)
      throw error
    }
  }

  /// Takes a run back from its owner, who stays counted.
  @inline(never)
  func giveBackOwnedChecked(_ run: Range<PageNumber>, isZero: Bool) {
    guard let checks else { return }
    let trace = Trace.here()
    let number = withHeap { heap in
      heap.runs.length(run.lowerBound) == run.count
        ? heap.withhold(run, of: run, trace, checks) : nil
    }
    guard let number else {
      let address = address(of: run.lowerBound)
      reportMistake(
        .notInUse(base: address, pages: run.count), at: address, run.count, trace, checks)
      withHeap { $0.runFreedElsewhere(run.lowerBound, run.count) }
    }
    quarantine(run, number, isZero: isZero, checks)
  }

  // MARK: Tools

  /// Pages may be accessed from now on, as far as the tools that the program runs under go.
  func permit(_ pages: Range<PageNumber>, hasContents: Bool) {
    if checkedMode.tools == 0 { return }
    cdg_permit(
      checkedMode.tools, address(of: pages.lowerBound), Self.byteCount(pages.count),
      hasContents ? 1 : 0)
  }

  /// Pages may not be accessed from now on.
  func forbid(_ pages: Range<PageNumber>) {
    if checkedMode.tools == 0 { return }
    cdg_forbid(checkedMode.tools, address(of: pages.lowerBound), Self.byteCount(pages.count))
  }
}
