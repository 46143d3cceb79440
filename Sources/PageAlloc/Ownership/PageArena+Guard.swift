import SysMem

//   whole run as the bookkeeping sees it
//   | guard | run .................. | guard |
//           ^ what the owner gets
//
// A guard is a page of the arena, or as many as the kernel's page has, that faults at any access. Where
// the kernel has markers (MADV_GUARD_INSTALL, Linux 6.13) it is an entry in the page table and costs no
// mapping; elsewhere it is access rights, of which a process can have only so many.

extension PageArena {
  /// Takes a run that frees itself, between two guards: an access just before or after it ends the program.
  ///
  /// - Parameters: as for ``allocateRun(pages:alignment:zeroed:)``.
  /// - Throws: as that, and ``PageArenaError/tooManyMappings(limit:)``;
  ///   ``PageArenaError/partOfPhysicalPage(base:physicalPageSize:)`` where the kernel's pages are larger and
  ///   `pages` are not whole ones; ``PageArenaError/system(_:)`` where a guard was refused.
  public func allocateGuardedRun(
    pages: Int, alignment: Int = PageArena.pageSize, zeroed: Bool = false
  ) throws(PageArenaError) -> PageRun {
    let limit = Geometry.growableChunks.count << Geometry.chunkPagesLog
    let guardPages = self.guardPages
    guard pages > 0, pages <= limit - 2 * guardPages else {
      throw .badPageCount(pages: pages, limit: limit - 2 * guardPages)
    }
    guard pages % guardPages == 0 else {
      throw .partOfPhysicalPage(base: 0, physicalPageSize: system.physicalPageSize)
    }
    guard Geometry.isAlignment(alignment) else { throw .badAlignment(alignment: alignment) }
    // An aligned run has room in front for the guard; what is too much there goes back.
    let aligned = max(alignment, guardPages << Geometry.pageShift)
    let front = aligned >> Geometry.pageShift
    guard front <= limit - pages - guardPages else {
      throw .outOfMemory(pages: pages, largestFreeRun: statistics.largestFreeRun)
    }
    let all = unsafe try takeOwnedSlowly(
      front + pages + guardPages, alignment: aligned, zeroed: zeroed)
    let first = unsafe page(of: all)
    let run = (first + front)..<(first + front + pages)
    unsafe state.locks.pointee.heap.lock()
    if front > guardPages {
      let whole = first..<(run.upperBound + guardPages)
      unsafe state.pointee.giveBack(first..<(run.lowerBound - guardPages), of: whole)
    }
    unsafe state.pointee.divide(run.lowerBound - guardPages, at: run.lowerBound)
    unsafe state.pointee.divide(run.lowerBound, at: run.upperBound)
    // What nobody may free but the run's end is no run to anybody else.
    unsafe state.pointee.runs.setGuard(run.lowerBound - guardPages, guardPages)
    unsafe state.pointee.runs.setGuard(run.upperBound, guardPages)
    unsafe state.locks.pointee.heap.unlock()
    return try guarded(run)
  }

  /// Puts guards around a run that was just taken, or gives all of it back.
  private func guarded(_ run: Range<PageNumber>) throws(PageArenaError) -> PageRun {
    let traits: RunTraits = [.guardBefore, .guardAfter]
    let size = UInt(guardPages) << UInt(Geometry.pageShift)
    let before = address(of: run.lowerBound - guardPages)
    let after = address(of: run.upperBound)
    var counted = 0
    do throws(PageArenaError) {
      try attempt { _ throws(SysMemError) in try findGuardKind(before, size) }
      counted = try countMappings(from: [], to: traits)
      try attempt { _ throws(SysMemError) in
        try setGuard(before, size)
        try setGuard(after, size)
      }
    } catch {
      endSpecial(withGuards(run, traits), mappings: counted)
      throw error
    }
    return unsafe PageRun(
      base: pointer(to: run.lowerBound), pages: run.count, arena: core, traits: traits)
  }

  /// Finds out, once an arena, what guards are made of: where markers are promised, one is tried.
  func findGuardKind(_ address: UInt, _ byteCount: UInt) throws(SysMemError) {
    unsafe state.locks.pointee.heap.lock()
    let known = unsafe state.pointee.owned.guardKind
    unsafe state.locks.pointee.heap.unlock()
    if known != .unknown { return }
    var kind = GuardKind.mappings
    do throws(SysMemError) {
      try system.advise(address, byteCount, .installGuard)
      // An emulator may say yes and do nothing.
      if system.calls.isReadable(address) == false { kind = .markers }
    } catch {
      // EINVAL is the answer of a kernel without markers; anything else says nothing about it.
      if error.errno != .invalidArgument { throw error }
    }
    unsafe state.locks.pointee.heap.lock()
    if unsafe state.pointee.owned.guardKind == .unknown {
      unsafe state.pointee.owned.guardKind = kind
    }
    unsafe state.locks.pointee.heap.unlock()
  }

  func setGuard(_ address: UInt, _ byteCount: UInt) throws(SysMemError) {
    if unsafe state.pointee.owned.guardKind == .markers {
      try system.advise(address, byteCount, .installGuard)
    } else {
      try system.protect(address, byteCount, .none)
    }
  }

  /// Whether guards are markers here, as far as is known.
  package var hasMarkers: Bool {
    unsafe state.locks.pointee.heap.lock()
    defer { unsafe state.locks.pointee.heap.unlock() }
    return unsafe state.pointee.owned.guardKind == .markers
  }
}
