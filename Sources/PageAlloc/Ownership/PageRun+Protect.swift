import CSysMem
import SysMem

// Access is checked by the processor, not by the compiler: a write to a run that is read-only ends
// the program, at that instruction.

extension PageRun {
  /// Changes what the run may be used for, until it is changed again or the run ends.
  ///
  /// Code that was written is ready to be executed afterwards, also on machines with separate
  /// caches.
  ///
  /// A run from ``PageArena/allocateRun(pages:alignment:access:)`` that could not be accessed until
  /// now counts for the limits from here on. One that is made inaccessible goes on counting as long
  /// as it may hold something: until ``discard()`` is called after that, or it is freed.
  /// - Throws: ``PageArenaError/writableCode`` without the arena's permission;
  ///   ``PageArenaError/limitReached(pages:inUseBytes:limitBytes:)`` where a run that did not count
  ///   does not fit: it is as before;
  ///   ``PageArenaError/tooManyMappings(limit:)``;
  ///   ``PageArenaError/partOfPhysicalPage(base:physicalPageSize:)``;
  ///   ``PageArenaError/system(_:)``. The access is as before then, but where the run consists of
  ///   several mappings: a part of it may have changed.
  public mutating func protect(_ access: PageAccess) throws(PageArenaError) {
    if access == .readWriteExecute, !core.allowsWritableCode { throw .writableCode }
    try core.requireOutside()
    let isOpened = access != .none && traits.contains(.uncounted)
    if isOpened { try count() }
    do throws(PageArenaError) {
      try becomeSpecial(.protected) { system, run throws(SysMemError) in
        try system.allow(access, run.address, run.byteCount)
      }
    } catch {
      if access != .none, traits.contains(.closed) { reclose(isEmpty: isOpened) }
      throw error
    }
    if access == .none { traits.insert(.closed) } else { traits.remove(.closed) }
  }

  /// The run counts from now on, since it is about to be accessible.
  private mutating func count() throws(PageArenaError) {
    try core.countAccessible(pages)
    traits.remove(.uncounted)
  }

  /// A part of a closed run may have become accessible: closes all of it again, or takes notice.
  private mutating func reclose(isEmpty: Bool) {
    let closing = memory
    let isClosed =
      (try? core.attempt { system throws(SysMemError) in
        try system.protect(closing.address, closing.byteCount, .none)
      }) != nil
    if !isClosed {
      traits.remove(.closed)
    } else if isEmpty {
      core.setAside(pages)
      traits.insert(.uncounted)
    }
  }

  /// Keeps the run in memory: it is backed now, and never swapped out.
  ///
  /// - Throws: ``PageArenaError/system(_:)``, where the process may not lock so much as a rule; the
  ///   others as ``protect(_:)``.
  public mutating func lock() throws(PageArenaError) {
    try becomeSpecial(.locked) { system, run throws(SysMemError) in
      try system.setLocked(run.address, run.byteCount, true)
    }
  }

  /// Leaves the run out of core dumps.
  ///
  /// - Throws: as ``protect(_:)``.
  public mutating func excludeFromCoreDumps() throws(PageArenaError) {
    try becomeSpecial(.undumped) { system, run throws(SysMemError) in
      try system.advise(run.address, run.byteCount, .excludeFromDumps)
    }
  }

  /// Has the contents overwritten when the run is freed, before anybody else can get the memory.
  public mutating func wipeOnFree() { traits.insert(.wiped) }

  /// Backs the whole run now, so that the first writes do not fault.
  ///
  /// - Throws: ``PageArenaError/system(_:)`` where there is no memory, or the run cannot be written
  ///   to.
  public mutating func prefault() throws(PageArenaError) {
    let mask = UInt(physicalPageSize - 1)
    let end = address + UInt(byteCount)
    // Whole pages of the kernel's; what lies outside of them is written to by hand.
    let start = (address + mask) & ~mask
    let stop = max(start, end & ~mask)
    let refusal = core.populate(start..<stop)
    // A kernel before 5.14 does not know the advice: all of it by hand, then, if that is possible.
    if let refusal, refusal.errno != .invalidArgument || traits.contains(.protected) {
      throw .system(refusal)
    }
    let written = refusal == nil ? start..<stop : end..<end
    // Half a page is the smallest that the kernel may have.
    for offset in stride(from: 0, to: byteCount, by: Geometry.pageSize / 2)
    where !written.contains(address + UInt(offset)) {
      // A byte of the run's.
      unsafe csm_touch(base + offset)
    }
  }

  /// Gives the contents back to the kernel; the run stays, and reads as zero.
  ///
  /// The end of the run gives back what was written since, so that its pages are free and empty.
  /// A run that was made inaccessible before does not count as resident any more, nor for the
  /// limits, until it is made accessible again.
  /// - Throws: ``PageArenaError/system(_:)``: the run is locked in memory, as a rule, and the
  ///   kernel older than Linux 5.18; ``PageArenaError/partOfPhysicalPage(base:physicalPageSize:)``.
  public mutating func discard() throws(PageArenaError) {
    try core.requireOutside()
    try core.checkWholePhysicalPages(memory)
    try core.attempt { system throws(SysMemError) in
      try system.advise(memory.address, memory.byteCount, .dontNeed)
    }
    traits.insert(.discarded)
    if traits.contains(.closed), !traits.contains(.uncounted) {
      core.setAside(pages)
      traits.insert(.uncounted)
    }
    let byteCount = UInt64(byteCount)
    core.withHeap { $0.scavenger.counters.discardedBytes += byteCount }
  }

  /// Does something to the run that its end must undo.
  ///
  /// The trait stays when `change` throws, since it may have happened in part.
  private mutating func becomeSpecial(
    _ trait: RunTraits, _ change: (SysMem, AdvisedRange) throws(SysMemError) -> Void
  ) throws(PageArenaError) {
    try core.requireOutside()
    let memory = memory
    let after = traits.union(trait)
    try core.checkWholePhysicalPages(memory)
    try core.countMappings(from: traits, to: after)
    traits = after
    try core.attempt { system throws(SysMemError) in try change(system, memory) }
  }

  /// The run's memory, as the kernel sees it.
  private var memory: AdvisedRange {
    AdvisedRange(address: address, byteCount: UInt(byteCount))
  }

  /// Makes a run plain that is to go on without an owner.
  ///
  /// - Returns: what the kernel refused; `nil` where the run is plain.
  mutating func makePlain() -> PageArenaError? {
    if traits.isEmpty { return nil }
    if traits.contains(.uncounted) {
      do throws(PageArenaError) { try count() } catch { return error }
    }
    let refusal = unsafe core.makePlain(base, pages: pages, traits)
    if refusal == nil { self.traits = [] }
    return refusal
  }
}

extension ArenaCore {
  /// Backs whole pages of the kernel's.
  ///
  /// - Returns: what the kernel said, where it refused.
  fileprivate func populate(_ range: Range<UInt>) -> SysMemError? {
    if range.isEmpty { return nil }
    return withSystem { system -> SysMemError? in
      do throws(SysMemError) {
        try system.advise(range.lowerBound, range.upperBound - range.lowerBound, .populateWrite)
        return nil
      } catch { return error }
    }
  }
}
