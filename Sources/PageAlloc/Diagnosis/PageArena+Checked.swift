import CDiagnosis
import SysMem

// The checked mode: what is done besides when a run is handed out or freed. None of this runs where the
// mode is off.

extension PageArena {
  /// Whether the arena is in the checked mode: see ``Diagnosis``.
  public var isChecked: Bool { checks != nil }

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
    if checkedMode.reportsMistakes { leaks.write(end: "the arena") }
    if checkedMode.tools == 0 { return }
    // The addresses will be somebody else's.
    for index in 0..<(unsafe state.pointee.allocator.ranges.count) {
      let range = unsafe state.pointee.allocator.ranges[index]
      permit(Int(range.lowerBound)..<Int(range.upperBound), hasContents: true)
    }
  }

  /// Notes who took a run that was just handed out.
  @inline(never)
  func noteAllocation(
    _ page: PageNumber, _ pages: Int, isZero: Bool = false
  ) {
    guard let checks else { return }
    let run = page..<(page &+ pages)
    permit(run, hasContents: isZero)
    let trace = Trace.here()
    // The state lives as long as the arena; so below.
    unsafe state.locks.pointee.heap.lock()
    let isNoted = checks.noteAllocation(run, trace)
    let quarantinedPages = checks.figures.quarantinedPages
    unsafe state.locks.pointee.heap.unlock()
    if isNoted { return }
    // Half of the quarantine goes, for its notes. Without any left the run goes unnoted.
    emptyQuarantine(to: quarantinedPages / 2)
    unsafe state.locks.pointee.heap.lock()
    _ = checks.noteAllocation(run, trace)
    unsafe state.locks.pointee.heap.unlock()
  }

  /// Frees a run or a part of one, as ``deallocate(_:pages:)`` says.
  @inline(never)
  func deallocateChecked(_ address: UInt, _ pages: Int) throws(PageArenaError) {
    guard let checks else { return }
    let trace = Trace.here()
    do throws(PageArenaError) {
      let page = try page(at: address, pages)
      let part = page..<(page + pages)
      let number = try withhold(part, address, trace, checks)
      quarantine(part, number, isEmpty: false, checks)
    } catch {
      reportMistake(error, at: address, pages, trace, checks)
      throw error
    }
  }

  /// Takes a run back from its owner.
  @inline(never)
  func giveBackOwnedChecked(_ run: Range<PageNumber>, _ isEmpty: Bool) {
    guard let checks else { return }
    let trace = Trace.here()
    // This owner is counted until the end: the state lives.
    unsafe state.locks.pointee.heap.lock()
    let isWhole = unsafe state.pointee.runs.length(run.lowerBound) == run.count
    var number: UInt32 = 0
    if isWhole { number = unsafe state.pointee.withhold(run, of: run, trace, checks) }
    unsafe state.locks.pointee.heap.unlock()
    if !isWhole {
      let address = address(of: run.lowerBound)
      reportMistake(
        .notInUse(base: address, pages: run.count), at: address, run.count, trace, checks)
      unsafe state.pointee.runFreedElsewhere(run.lowerBound, run.count)
    }
    quarantine(run, number, isEmpty: isEmpty, checks)
    discountOwner()
  }

  /// Takes a part of a run from its owner, but leaves it out of the allocator.
  private func withhold(
    _ part: Range<PageNumber>, _ address: UInt, _ trace: Trace, _ checks: CheckedRuns
  ) throws(PageArenaError) -> UInt32 {
    unsafe state.locks.pointee.heap.lock()
    defer { unsafe state.locks.pointee.heap.unlock() }
    let run = unsafe try state.pointee.run(around: part, base: address)
    return unsafe state.pointee.withhold(part, of: run, trace, checks)
  }

  // MARK: Tools

  /// Pages may be accessed from now on, as far as the tools that the program runs under go.
  func permit(_ pages: Range<PageNumber>, hasContents: Bool) {
    if checkedMode.tools == 0 { return }
    cdg_permit(
      checkedMode.tools, address(of: pages.lowerBound),
      UInt(pages.count) << UInt(Geometry.pageShift), hasContents ? 1 : 0)
  }

  /// Pages may not be accessed from now on.
  func forbid(_ pages: Range<PageNumber>) {
    if checkedMode.tools == 0 { return }
    cdg_forbid(
      checkedMode.tools, address(of: pages.lowerBound),
      UInt(pages.count) << UInt(Geometry.pageShift))
  }
}

// MARK: - Call with `heap` held

extension ArenaState {
  /// Freed pages that the allocator does not have back: those in quarantine, and on their way.
  var withheldPages: Int { checks?.figures.withheldPages ?? 0 }

  /// Takes a part of a run from its owner, but leaves it out of the allocator.
  ///
  /// - Returns: the number of its note; 0 where there is none left.
  mutating func withhold(
    _ part: Range<PageNumber>, of run: Range<PageNumber>, _ trace: Trace, _ checks: CheckedRuns
  ) -> UInt32 {
    cut(part, outOf: run)
    return checks.noteFree(part, trace)
  }
}
