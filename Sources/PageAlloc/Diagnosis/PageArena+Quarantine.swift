import SysMem

// Quarantine
// ==========
//
//   freed -> withheld: nobody's, but in use to the allocator
//         -> fenced: any access faults; the contents go back to the kernel
//         -> in quarantine, the newest of many
//         -> ... more is freed than the quarantine may hold ...
//         -> plain, empty memory again, and free
//
// The kernel is called outside of the heap lock; meanwhile a run is in no list, so that nobody else has it.
// What does not become plain again goes to limbo, as that of owners does.

extension PageArena {
  /// Puts a run that was withheld into quarantine, and lets the oldest go for it.
  ///
  /// - Parameters:
  ///   - number: its note's; 0 for none: it is free at once, then.
  ///   - isEmpty: the kernel has the contents already.
  func quarantine(
    _ run: Range<PageNumber>, _ number: UInt32, isEmpty: Bool, _ checks: CheckedRuns
  ) {
    // Until it is free, it counts as a run that may hold something.
    if isEmpty { system.sysUsed(byteCount: byteCount(run)) }
    if number == 0 {
      forbid(run)
      restore(run, isEmpty: isEmpty)
    } else {
      // The kernel may be asked whether it can read there.
      permit(run, hasContents: true)
      let fence = fence(run)
      forbid(run)
      unsafe state.locks.pointee.heap.lock()
      checks.enqueue(number, behind: fence, isEmpty: isEmpty)
      unsafe state.locks.pointee.heap.unlock()
    }
    emptyQuarantine(to: checkedMode.quarantinePages)
  }

  /// Frees the oldest runs in quarantine for good, until it holds so many pages at the most.
  ///
  /// - Returns: how many pages.
  @discardableResult
  package func emptyQuarantine(to pageLimit: Int = 0) -> Int {
    guard let checks else { return 0 }
    var freed = 0
    while true {
      unsafe state.locks.pointee.heap.lock()
      let note = checks.dequeue(beyond: pageLimit)
      unsafe state.locks.pointee.heap.unlock()
      guard let note else { return freed }
      if unfence(note.pages, note.fence) {
        restore(note.pages, isEmpty: note.isEmpty || note.fence != .none)
        freed += note.pages.count
      } else {
        unsafe state.locks.pointee.heap.lock()
        unsafe state.pointee.keepWithheldInLimbo(note.pages)
        unsafe state.locks.pointee.heap.unlock()
      }
    }
  }

  /// Gives a withheld run to the allocator.
  private func restore(_ run: Range<PageNumber>, isEmpty: Bool) {
    if isEmpty { system.sysUnused(byteCount: byteCount(run)) }
    unsafe state.locks.pointee.heap.lock()
    unsafe state.pointee.restore(run, isEmpty: isEmpty)
    let call = unsafe state.pointee.scavengerCall()
    unsafe state.locks.pointee.heap.unlock()
    perform(call)
  }

  /// Makes every access to a run fault, as far as the kernel can, and gives its contents back.
  private func fence(_ run: Range<PageNumber>) -> RunNote.Fence {
    let address = address(of: run.lowerBound)
    let bytes = byteCount(run)
    guard (address | bytes) & UInt(system.physicalPageSize - 1) == 0 else { return .none }
    do throws(SysMemError) {
      try findGuardKind(address, bytes)
      if hasMarkers {
        try setGuard(address, bytes)
        return .markers
      }
    } catch {
      // Perhaps there are guards in a part of it.
      unsafe state.locks.pointee.heap.lock()
      unsafe state.pointee.owned.mappings += mappings(of: .protected)
      unsafe state.locks.pointee.heap.unlock()
      return .access
    }
    do throws(PageArenaError) {
      try countMappings(from: [], to: .protected)
    } catch { return .none }
    // Refused, it is undone all the same.
    try? system.protect(address, bytes, .none)
    try? system.advise(address, bytes, .dontNeed)
    return .access
  }

  /// Makes a run plain, empty memory again.
  ///
  /// - Returns: `false` where the kernel refused.
  private func unfence(_ run: Range<PageNumber>, _ fence: RunNote.Fence) -> Bool {
    let address = address(of: run.lowerBound)
    switch fence {
    case .none: return true
    case .markers: return (try? system.advise(address, byteCount(run), .removeGuard)) != nil
    case .access:
      unsafe state.locks.pointee.heap.lock()
      unsafe state.pointee.owned.mappings -= mappings(of: .protected)
      unsafe state.locks.pointee.heap.unlock()
      return (try? system.replace(address, byteCount(run))) != nil
    }
  }

  private func byteCount(_ run: Range<PageNumber>) -> UInt {
    UInt(run.count) << UInt(Geometry.pageShift)
  }
}

// MARK: - Call with `heap` held

extension ArenaState {
  /// Gives a withheld run to the allocator.
  fileprivate mutating func restore(_ run: Range<PageNumber>, isEmpty: Bool) {
    returnToSight(run)
    if isEmpty { giveBackEmpty(run) } else { giveBack(run, of: run) }
  }

  /// The kernel will not make a withheld run plain memory now.
  fileprivate mutating func keepWithheldInLimbo(_ run: Range<PageNumber>) {
    returnToSight(run)
    putInLimbo(run)
  }

  /// A withheld run is a run in use again, as whoever gives it back expects.
  private mutating func returnToSight(_ run: Range<PageNumber>) {
    runs.setLength(run.lowerBound, run.count)
    checks?.figures.withheldPages -= run.count
  }
}
