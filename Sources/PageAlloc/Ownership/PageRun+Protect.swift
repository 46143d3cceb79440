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
  /// now counts for the limits from here on, and so does what was decommitted of any. One that is
  /// made inaccessible goes on counting as long as it may hold something: until ``discard()`` is
  /// called after that, or it is freed.
  ///
  /// ```swift
  /// run.copyBytes(from: [1, 2, 3].span)
  /// try run.protect(.readOnly)  // a write faults from here on
  /// ```
  ///
  /// - Throws: ``PageArenaError/writableCode`` without the arena's permission;
  ///   ``PageArenaError/limitReached(pages:inUseBytes:limitBytes:)`` where what did not count does
  ///   not fit: the run is as before;
  ///   ``PageArenaError/tooManyMappings(limit:)``;
  ///   ``PageArenaError/partOfPhysicalPage(base:physicalPageSize:)``;
  ///   ``PageArenaError/system(_:)``. The access is as before then, but where the run consists of
  ///   several mappings: a part of it may have changed.
  /// - Complexity: a call to the kernel; O(pages) for code, on machines with separate caches.
  public mutating func protect(_ access: PageAccess) throws(PageArenaError) {
    try protect(access, in: 0..<pages)
  }

  /// Changes what some of the run's pages may be used for; else as ``protect(_:)``. Where the
  /// kernel's pages are larger, the run itself must consist of whole ones, too.
  ///
  /// - Parameters:
  ///   - access: what may be done.
  ///   - range: of pages, from 0 on.
  /// - Throws: as that, and ``PageArenaError/outOfBounds(lowerBound:upperBound:limit:)``.
  /// - Complexity: as there.
  public mutating func protect(
    _ access: PageAccess, in range: Range<Int>
  ) throws(PageArenaError) {
    try protect(access, in: range, isCounted: false)
  }

  /// The same.
  ///
  /// - Parameter isCounted: what is decommitted of the pages counts already, as
  ///   `PageArena.countDecommitted` says; where this throws it counts no more.
  mutating func protect(
    _ access: PageAccess, in range: Range<Int>, isCounted: Bool
  ) throws(PageArenaError) {
    if access == .readWriteExecute, !core.allowsWritableCode { throw .writableCode }
    try core.requireOutside()
    try check(range)
    if range.isEmpty { return }
    if access == .none {
      try becomeSpecial(.protected, in: range) { system, part throws(SysMemError) in
        try system.allow(access, part.address, part.byteCount)
      }
      if range == 0..<pages { traits.insert(.closed) }
    } else {
      try open(access, in: range, isCounted: isCounted)
    }
  }

  /// Makes pages accessible, which count from now on.
  private mutating func open(
    _ access: PageAccess, in range: Range<Int>, isCounted: Bool
  ) throws(PageArenaError) {
    try core.checkWholePhysicalPages(memory)
    try core.checkWholePhysicalPages(memory(of: range))
    let opened = numbers(of: range)
    if traits.contains(.decommitted), !isCounted { try core.countDecommitted(opened) }
    do throws(PageArenaError) {
      try becomeSpecial(.protected, in: range) { system, part throws(SysMemError) in
        try system.allow(access, part.address, part.byteCount)
      }
    } catch {
      // A part of it may be accessible.
      if traits.contains(.closed), !core.close(opened) { traits.remove(.closed) }
      if traits.contains(.decommitted) { core.recommit(opened) }
      throw error
    }
    if traits.contains(.decommitted) { core.noteCommitted(opened) }
    traits.remove(.closed)
  }

  /// Keeps the run in memory: it is backed now, and never swapped out.
  ///
  /// - Throws: ``PageArenaError/system(_:)``, where the process may not lock so much as a rule;
  ///   ``PageArenaError/notCommitted(lowerBound:upperBound:)``; the others as ``protect(_:)``.
  /// - Complexity: a call to the kernel; O(pages).
  public mutating func lock() throws(PageArenaError) { try lock(in: 0..<pages) }

  /// The same with some of its pages.
  ///
  /// - Parameter range: of pages, from 0 on.
  /// - Throws: as ``lock()``, and ``PageArenaError/outOfBounds(lowerBound:upperBound:limit:)``.
  /// - Complexity: as there.
  public mutating func lock(in range: Range<Int>) throws(PageArenaError) {
    try check(range)
    try requireCommitted(range)
    try becomeSpecial(.locked, in: range) { system, part throws(SysMemError) in
      try system.setLocked(part.address, part.byteCount, true)
    }
  }

  /// Leaves the run out of core dumps.
  ///
  /// - Throws: as ``protect(_:)``.
  /// - Complexity: a call to the kernel.
  public mutating func excludeFromCoreDumps() throws(PageArenaError) {
    try becomeSpecial(.undumped, in: 0..<pages) { system, run throws(SysMemError) in
      try system.advise(run.address, run.byteCount, .excludeFromDumps)
    }
  }

  /// Has the contents overwritten when the run is freed, before anybody else can get the memory.
  ///
  /// - Complexity: O(1); the run's end is O(pages) then.
  public mutating func wipeOnFree() { traits.insert(.wiped) }

  /// Backs the whole run now, so that the first writes do not fault.
  ///
  /// - Throws: ``PageArenaError/system(_:)`` where there is no memory, or the run cannot be written
  ///   to; ``PageArenaError/notCommitted(lowerBound:upperBound:)``.
  /// - Complexity: a call to the kernel; O(pages).
  public mutating func prefault() throws(PageArenaError) { try prefault(in: 0..<pages) }

  /// The same with some of its pages.
  ///
  /// - Parameter range: of pages, from 0 on.
  /// - Throws: as ``prefault()``, and ``PageArenaError/outOfBounds(lowerBound:upperBound:limit:)``;
  ///   of a run that was protected, ``PageArenaError/partOfPhysicalPage(base:physicalPageSize:)``.
  /// - Complexity: as there.
  public mutating func prefault(in range: Range<Int>) throws(PageArenaError) {
    try check(range)
    try requireCommitted(range)
    let part = memory(of: range)
    // By hand nothing is written to that may be protected.
    if traits.contains(.protected) { try core.checkWholePhysicalPages(part) }
    let mask = UInt(physicalPageSize - 1)
    let address = part.address
    let end = address + part.byteCount
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
    for place in stride(from: address, to: end, by: Geometry.pageSize / 2)
    where !written.contains(place) {
      // A byte of the run's.
      unsafe csm_touch(base + Int(place - self.address))
    }
  }

  /// Gives the contents back to the kernel; the run stays, and reads as zero.
  ///
  /// The end of the run gives back what was written since, so that its pages are free and empty.
  /// A run that was made inaccessible before does not count as resident any more, nor for the
  /// limits, until it is made accessible again.
  /// - Throws: ``PageArenaError/system(_:)``: the run is locked in memory, as a rule, and the
  ///   kernel older than Linux 5.18; ``PageArenaError/partOfPhysicalPage(base:physicalPageSize:)``.
  /// - Complexity: a call to the kernel, O(what is present).
  public mutating func discard() throws(PageArenaError) {
    try discard(in: 0..<pages)
    if traits.contains(.closed) {
      core.noteDecommitted(numbers(of: 0..<pages))
      traits.insert(.decommitted)
    }
  }

  /// The same with some of its pages. What was made inaccessible by ``protect(_:)`` goes on
  /// counting; ``decommit(in:)`` has it count no more.
  ///
  /// - Parameter range: of pages, from 0 on.
  /// - Throws: as ``discard()``, and ``PageArenaError/outOfBounds(lowerBound:upperBound:limit:)``.
  /// - Complexity: as there.
  public mutating func discard(in range: Range<Int>) throws(PageArenaError) {
    try core.requireOutside()
    try check(range)
    let part = memory(of: range)
    if range.isEmpty { return }
    try core.checkWholePhysicalPages(part)
    try core.attempt { system throws(SysMemError) in
      try system.advise(part.address, part.byteCount, .dontNeed)
    }
    traits.insert(.discarded)
    core.record(.discard, core.page(of: address) + range.lowerBound, range.count)
    core.withHeap { $0.scavenger.counters.discardedBytes += UInt64(part.byteCount) }
  }

  /// Does something to pages of the run that its end must undo.
  ///
  /// The trait stays when `change` throws, since it may have happened in part.
  mutating func becomeSpecial(
    _ trait: RunTraits, in range: Range<Int>,
    _ change: (SysMem, AdvisedRange) throws(SysMemError) -> Void
  ) throws(PageArenaError) {
    try core.requireOutside()
    try check(range)
    let part = memory(of: range)
    if range.isEmpty { return }
    let after = traits.union(trait)
    // The run's end undoes it for the whole run.
    try core.checkWholePhysicalPages(memory)
    try core.checkWholePhysicalPages(part)
    // Those that the run's end takes away again; a part of it has its own.
    let more = try core.countMappings(from: traits, to: after)
    if more == 0, range.count < pages { try core.addMappings(2) }
    traits = after
    try core.attempt { system throws(SysMemError) in try change(system, part) }
  }

  /// Makes sure that a range is one of the run's pages.
  func check(_ range: Range<Int>) throws(PageArenaError) {
    guard range.lowerBound >= 0, range.upperBound <= pages else {
      throw .outOfBounds(
        lowerBound: range.lowerBound, upperBound: range.upperBound, limit: pages)
    }
  }

  /// Some of the run's pages, as the kernel sees them.
  func memory(of range: Range<Int>) -> AdvisedRange {
    AdvisedRange(
      address: address + ArenaCore.byteCount(range.lowerBound),
      byteCount: ArenaCore.byteCount(range.count))
  }

  /// The run's memory, as the kernel sees it.
  private var memory: AdvisedRange {
    AdvisedRange(address: address, byteCount: ArenaCore.byteCount(pages))
  }

  /// Makes a run plain that is to go on without an owner, but for what was advised about huge
  /// pages: that goes with the memory alone.
  ///
  /// - Returns: what the kernel refused; `nil` where the run is plain.
  mutating func makePlain() -> PageArenaError? {
    let advice = traits.intersection(.advised)
    if traits == advice { return nil }
    let run = numbers(of: 0..<pages)
    if traits.contains(.decommitted) {
      do throws(PageArenaError) { try core.countDecommitted(run) } catch { return error }
    }
    if let refusal = core.makePlain(start, pages: pages, traits) {
      if traits.contains(.closed), !core.close(run) { traits.remove(.closed) }
      if traits.contains(.decommitted) { core.recommit(run) }
      return refusal
    }
    if traits.contains(.decommitted) { core.noteCommitted(run) }
    traits = advice
    return nil
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
