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
// The kernel is called outside of the heap lock; meanwhile a run is in no list, so that nobody else
// has it. What does not become plain again goes to limbo, as that of owners does.

extension ArenaCore {
  /// Puts a run that was withheld into quarantine, and lets the oldest go for it.
  ///
  /// - Parameters:
  ///   - number: its note's; 0 for none: it is free at once, then.
  ///   - isZero: the kernel has the contents already.
  func quarantine(
    _ run: Range<PageNumber>, _ number: UInt32, isZero: Bool, _ checks: CheckedRuns
  ) {
    if number == 0 {
      forbid(run)
      restore(run, isZero: isZero)
    } else {
      // The kernel may be asked whether it can read there.
      permit(run, hasContents: true)
      let fence = fence(range(of: run))
      forbid(run)
      withHeap { _ in checks.enqueue(number, behind: fence, isZero: isZero) }
    }
    emptyQuarantine(to: checkedMode.quarantinePages)
  }

  /// Frees the oldest runs in quarantine for good, until it holds so many pages at the most.
  ///
  /// - Returns: how many pages.
  @discardableResult
  func emptyQuarantine(to pageLimit: Int = 0) -> Int {
    guard let checks else { return 0 }
    var freed = 0
    while let note = withHeap({ _ in checks.dequeue(beyond: pageLimit) }) {
      if unfence(range(of: note.pages), note.fence) {
        restore(note.pages, isZero: note.isZero || note.fence != .none)
        freed += note.pages.count
      } else {
        withHeap { $0.keepWithheldInLimbo(note.pages) }
      }
    }
    return freed
  }

  /// Gives a withheld run to the allocator.
  private func restore(_ run: Range<PageNumber>, isZero: Bool) {
    let wakes = withHeap { heap in
      // Until now it counted as a run that may hold something.
      heap.returnToSight(run)
      if isZero { giveBackEmpty(run, to: &heap) } else { heap.giveBack(run, of: run) }
      return heap.wakesScavenger()
    }
    if wakes { ScavengerThread.wake(self) }
  }

  /// Mappings that a fence of access rights costs at the most.
  private static var mappingsOfFence: Int { 2 }

  /// Makes every access to a run fault, as far as the kernel can, and gives its contents back.
  private func fence(_ run: AdvisedRange) -> RunNote.Fence {
    guard (run.address | run.byteCount) & UInt(physicalPageSize - 1) == 0 else {
      return .none
    }
    if system.calls.canMarkGuards {
      do throws(SysMemError) {
        if try setMarker(run) { return .markers }
      } catch {}
      // Perhaps there are markers in a part of it: what ends a fence of access rights ends them.
      MappingBudget.note(Self.mappingsOfFence)
    } else {
      do throws(PageArenaError) {
        try addMappings(Self.mappingsOfFence)
      } catch { return .none }
    }
    // Refused, it is undone all the same.
    try? system.protect(run.address, run.byteCount, .none)
    try? system.advise(run.address, run.byteCount, .dontNeed)
    return .access
  }

  /// Makes a run plain, empty memory again.
  ///
  /// - Returns: `false` where the kernel refused.
  private func unfence(_ run: AdvisedRange, _ fence: RunNote.Fence) -> Bool {
    switch fence {
    case .none: return true
    case .markers:
      return (try? system.advise(run.address, run.byteCount, .removeGuard)) != nil
    case .access:
      MappingBudget.note(Self.mappingsOfFence)
      return (try? renew(run)) != nil
    }
  }
}
