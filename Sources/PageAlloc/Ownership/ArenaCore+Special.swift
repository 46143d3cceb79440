import SysMem

// Whatever was special about a run ends with it: its next owner finds plain memory.
//
// One call makes anything plain: fresh memory mapped over the run. It takes guards, locks, access
// rights and contents with it, and joins the mapping to its neighbours'. Guards made of markers
// alone are removed as what they are, which is cheaper.

extension ArenaCore {
  /// Takes a run back of which something was special, its guards included.
  @inline(never)
  func giveBackSpecial(_ address: UInt, pages: Int, _ traits: RunTraits) {
    if isInside { reentered() }
    emptyLimbo()
    let run = page(of: address)
    let whole = withGuards(run..<(run + pages), traits)
    let mappings = mappings(of: traits)
    guard traits.isDisjoint(with: .mapped), removeMarkers(run..<(run + pages), traits) else {
      let uncounted = traits.contains(.decommitted) ? decommittedPages(in: whole) : 0
      return endSpecial(whole, mappings: mappings, uncounted: uncounted)
    }
    let isZero = traits.contains(.discarded) && discard(whole)
    if traits.contains(.wiped), !isZero { wipe(run..<(run + pages)) }
    forgetSpecial(whole, mappings: mappings)
    giveBackOwned(self.address(of: whole.lowerBound), pages: whole.count, isZero: isZero)
  }

  /// Gives the kernel what an owner wrote to a run since it was discarded: little or nothing as a
  /// rule, and only the kernel knows.
  ///
  /// - Returns: whether nothing backs the run now.
  private func discard(_ run: Range<PageNumber>) -> Bool {
    let memory = range(of: run)
    return empty(memory.address, memory.byteCount)
  }

  /// Makes a run plain memory, guards included, and takes it back from its owner.
  ///
  /// - Parameter uncounted: how many of its pages are inaccessible to the bookkeeping.
  func endSpecial(_ whole: Range<PageNumber>, mappings: Int, uncounted: Int = 0) {
    record(.free, whole.lowerBound, whole.count)
    if (try? renew(range(of: whole))) != nil {
      endReplaced(whole, mappings: mappings, uncounted: uncounted)
    } else {
      forgetSpecial(whole, mappings: mappings)
      keepInLimbo(whole, uncounted: uncounted)
    }
  }

  /// Takes a run back over which its owner mapped fresh memory.
  @inline(never)
  func giveBackReplaced(_ whole: Range<PageNumber>, _ traits: RunTraits) {
    record(.free, whole.lowerBound, whole.count)
    endReplaced(
      whole, mappings: mappings(of: traits),
      uncounted: traits.contains(.decommitted) ? decommittedPages(in: whole) : 0)
  }

  /// Takes a run back from its owner, over which fresh memory was mapped, guards included.
  private func endReplaced(_ whole: Range<PageNumber>, mappings: Int, uncounted: Int) {
    forgetSpecial(whole, mappings: mappings)
    giveBackOwnedByLock(whole, isZero: true, uncounted: uncounted)
  }

  private func forgetSpecial(_ whole: Range<PageNumber>, mappings: Int) {
    // To join one mapping's middle to others is to split that.
    MappingBudget.note(mappings)
    withHeap { $0.join(whole) }
  }

  /// A run's pages and those of its guards.
  func withGuards(_ run: Range<PageNumber>, _ traits: RunTraits) -> Range<PageNumber> {
    let before = traits.contains(.guardBefore) ? guardPages : 0
    let after = traits.contains(.guardAfter) ? guardPages : 0
    return (run.lowerBound - before)..<(run.upperBound + after)
  }

  /// How many mappings a run that becomes so, or ends so, can add to the process at the most.
  func mappings(of traits: RunTraits) -> Int {
    var count = traits.isDisjoint(with: .mapped) ? 0 : 2
    if traits.contains(.mappedGuards) {
      if traits.contains(.guardBefore) { count += 2 }
      if traits.contains(.guardAfter) { count += 2 }
    }
    return count
  }

  /// Makes sure that a run may need more mappings than before.
  ///
  /// - Returns: how many more.
  /// - Throws: ``PageArenaError/tooManyMappings(limit:)``; nothing has changed.
  @discardableResult
  func countMappings(from before: RunTraits, to after: RunTraits) throws(PageArenaError) -> Int {
    let more = mappings(of: after) - mappings(of: before)
    try addMappings(more)
    return more
  }

  /// Makes sure that the kernel can treat a run by itself.
  func checkWholePhysicalPages(_ memory: AdvisedRange) throws(PageArenaError) {
    let size = physicalPageSize
    if (memory.address | memory.byteCount) & UInt(size - 1) != 0 {
      throw .partOfPhysicalPage(base: memory.address, physicalPageSize: size)
    }
  }

  /// Takes guards away that are markers, or are none.
  ///
  /// - Returns: `false` where they are something else, or the kernel refused.
  private func removeMarkers(_ run: Range<PageNumber>, _ traits: RunTraits) -> Bool {
    if traits.isDisjoint(with: [.guardBefore, .guardAfter]) { return true }
    if traits.contains(.mappedGuards) { return false }
    let size = Self.byteCount(guardPages)
    do throws(SysMemError) {
      if traits.contains(.guardBefore) {
        try system.advise(address(of: run.lowerBound - guardPages), size, .removeGuard)
      }
      if traits.contains(.guardAfter) {
        try system.advise(address(of: run.upperBound), size, .removeGuard)
      }
      return true
    } catch { return false }
  }

  /// Makes sure that nobody can read the contents of plain memory any more.
  private func wipe(_ run: Range<PageNumber>) {
    // The run is still its owner's.
    unsafe memory(of: run.lowerBound).initializeMemory(
      as: UInt8.self, repeating: 0, count: run.count << Geometry.pageShift)
  }

  /// Undoes what is special about a run that goes on without an owner; its guards are freed.
  ///
  /// - Returns: what the kernel refused; `nil` where all is done.
  func makePlain(_ address: UInt, pages: Int, _ traits: RunTraits) -> PageArenaError? {
    let run = page(of: address)
    let bytes = Self.byteCount(pages)
    do throws(SysMemError) {
      if traits.contains(.locked) { try system.setLocked(address, bytes, false) }
      if traits.contains(.undumped) { try system.advise(address, bytes, .includeInDumps) }
      if traits.contains(.protected) { try system.protect(address, bytes, .readWrite) }
      if traits.contains(.guardBefore) { try renew(range(of: (run - guardPages)..<run)) }
      if traits.contains(.guardAfter) {
        try renew(range(of: (run + pages)..<(run + pages + guardPages)))
      }
    } catch { return .system(error) }
    let mappings = mappings(of: traits)
    MappingBudget.note(mappings)
    if traits.contains(.guardBefore) { record(.free, run - guardPages, guardPages) }
    if traits.contains(.guardAfter) { record(.free, run + pages, guardPages) }
    withHeap { heap in
      if traits.contains(.guardBefore) { giveBackEmpty((run - guardPages)..<run, to: &heap) }
      if traits.contains(.guardAfter) {
        giveBackEmpty((run + pages)..<(run + pages + guardPages), to: &heap)
      }
    }
    return nil
  }
}

// MARK: - Limbo

extension ArenaCore {
  /// The kernel will not make a freed run plain memory now: keeps it from everybody, to try again
  /// later.
  private func keepInLimbo(_ whole: Range<PageNumber>, uncounted: Int) {
    withHeap { heap in
      heap.countAgain(uncounted, of: whole)
      heap.counters.frees &+= 1
      heap.putInLimbo(whole)
    }
    discountOwner()
  }

  /// Tries again to make plain what the kernel refused to, and frees it.
  ///
  /// The end of every special run does it by itself.
  /// - Returns: the bytes that are free again.
  @discardableResult
  func emptyLimbo() -> Int {
    var freed = 0
    // Nobody else has a run that was taken out.
    while let run = withHeap({ $0.limbo.take() }) {
      let memory = range(of: run)
      guard (try? renew(memory)) != nil else {
        withHeap { $0.limbo.put(run) }
        return freed
      }
      withHeap { heap in
        heap.join(run)
        giveBackEmpty(run, to: &heap)
      }
      freed += Int(memory.byteCount)
    }
    return freed
  }
}
