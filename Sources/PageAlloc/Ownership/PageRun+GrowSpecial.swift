import SysMem

// A run of which something is special grows where it lies: what follows it becomes alike.

extension PageRun {
  /// Takes the pages that follow, with a guard behind them or not.
  mutating func growSpecial(to pages: Int, zeroed: Bool) -> Bool {
    let old = self.pages
    // What the kernel treats by itself consists of whole pages of its own.
    guard !traits.contains(.closed), (old | pages) % core.guardPages == 0 else { return false }
    let hasGrown: Bool
    if traits.contains(.guardAfter) {
      if !traits.isDisjoint(with: [.locked, .undumped]) { return false }
      hasGrown = core.growGuarded(start, from: old, to: pages, traits, zeroed: zeroed)
    } else {
      hasGrown =
        core.extendOwned(start, from: old, to: pages, zeroed: zeroed)
        && core.makeAlike(core.page(of: start), from: old, to: pages, traits)
    }
    if hasGrown { self.pages = pages }
    return hasGrown
  }
}

extension ArenaCore {
  /// Has the kernel treat the new pages of a run as the others, or gives them back.
  @inline(never)
  fileprivate func makeAlike(
    _ start: PageNumber, from old: Int, to pages: Int, _ traits: RunTraits
  ) -> Bool {
    let new = (start + old)..<(start + pages)
    let memory = range(of: new)
    do throws(PageArenaError) {
      try attempt { system throws(SysMemError) in
        if traits.contains(.undumped) {
          try system.advise(memory.address, memory.byteCount, .excludeFromDumps)
        }
        if traits.contains(.locked) {
          try system.setLocked(memory.address, memory.byteCount, true)
        }
      }
      return true
    } catch {
      // Fresh memory is neither, whatever came of it.
      let isPlain = (try? renew(memory)) != nil
      cutOff(new, of: start, isPlain: isPlain)
      return false
    }
  }

  /// Grows a run with a guard behind it, which moves.
  @inline(never)
  fileprivate func growGuarded(
    _ address: UInt, from old: Int, to pages: Int, _ traits: RunTraits, zeroed: Bool
  ) -> Bool {
    let start = page(of: address)
    let oldGuard = (start + old)..<(start + old + guardPages)
    // The guard becomes a part of the run, and so do the pages behind it.
    guard
      (try? takePages(
        at: oldGuard.upperBound, pages - old, zeroed: zeroed, joining: start)) ?? false
    else { return false }
    let newGuard = (start + pages)..<(start + pages + guardPages)
    let isMapped = traits.contains(.mappedGuards)
    guard setGuard(newGuard, isMapped) else {
      return keepGuard(oldGuard, of: start, upTo: newGuard.upperBound)
    }
    guard removeGuard(oldGuard, isMapped) else {
      let isPlain = (try? renew(range(of: newGuard))) != nil
      cutOff(newGuard, of: start, isPlain: isPlain)
      return keepGuard(oldGuard, of: start, upTo: newGuard.lowerBound)
    }
    withHeap { heap in
      heap.divide(start, at: newGuard.lowerBound)
      heap.runs.setGuard(newGuard.lowerBound, guardPages)
    }
    // Of access rights: what lies behind them is as it was before.
    if zeroed, isMapped { clear(oldGuard) }
    return true
  }

  /// The run has its guard where it was: what is behind goes back.
  private func keepGuard(
    _ guardRange: Range<PageNumber>, of start: PageNumber, upTo end: PageNumber
  ) -> Bool {
    if end > guardRange.upperBound {
      cutOff(guardRange.upperBound..<end, of: start, isPlain: true)
    }
    withHeap { heap in
      heap.divide(start, at: guardRange.lowerBound)
      heap.runs.setGuard(guardRange.lowerBound, guardRange.count)
    }
    return false
  }

  /// Frees the end of a run, or keeps it from everybody as long as the kernel will not make it
  /// plain memory.
  private func cutOff(_ part: Range<PageNumber>, of start: PageNumber, isPlain: Bool) {
    record(.free, part.lowerBound, part.count)
    let wakes = withHeap { heap in
      if isPlain {
        heap.giveBack(part, of: start..<part.upperBound)
      } else {
        heap.divide(start, at: part.lowerBound)
        heap.putInLimbo(part)
      }
      return heap.wakesScavenger()
    }
    wakeScavenger(if: wakes)
  }

  private func setGuard(_ pages: Range<PageNumber>, _ isMapped: Bool) -> Bool {
    let memory = range(of: pages)
    do throws(SysMemError) {
      if !isMapped { return try setMarker(memory) }
      try system.protect(memory.address, memory.byteCount, .none)
      return true
    } catch { return false }
  }

  private func removeGuard(_ pages: Range<PageNumber>, _ isMapped: Bool) -> Bool {
    let memory = range(of: pages)
    do throws(SysMemError) {
      if isMapped {
        try system.protect(memory.address, memory.byteCount, .readWrite)
      } else {
        try system.advise(memory.address, memory.byteCount, .removeGuard)
      }
      return true
    } catch { return false }
  }
}
