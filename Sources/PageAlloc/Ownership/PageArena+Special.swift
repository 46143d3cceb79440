import SysMem

// Whatever was special about a run ends with it: its next owner finds plain memory.
//
// One call makes anything plain: fresh memory mapped over the run. It takes guards, locks, access rights
// and contents with it, and joins the mapping to its neighbours'. Guards made of markers alone are
// removed as what they are, which is cheaper.

extension PageArena {
  /// Takes a run back of which something was special, its guards included.
  @inline(never)
  func giveBackSpecial(_ base: UnsafeMutableRawPointer, pages: Int, _ traits: RunTraits) {
    emptyLimbo()
    let run = unsafe page(of: base)
    let whole = withGuards(run..<(run + pages), traits)
    let mappings = mappings(of: traits)
    guard traits.isDisjoint(with: .mapped), removeMarkers(run..<(run + pages), traits) else {
      endSpecial(whole, mappings: mappings)
      return
    }
    if traits.contains(.wiped) { wipe(run..<(run + pages)) }
    forgetSpecial(whole, mappings: mappings)
    unsafe giveBackOwned(pointer(to: whole.lowerBound), pages: whole.count)
  }

  /// Makes a run plain memory, guards included, and takes it back from its owner.
  func endSpecial(_ whole: Range<PageNumber>, mappings: Int) {
    let bytes = UInt(whole.count) << UInt(Geometry.pageShift)
    let isPlain = (try? system.replace(address(of: whole.lowerBound), bytes)) != nil
    forgetSpecial(whole, mappings: mappings)
    if isPlain {
      system.sysUnused(byteCount: bytes)
      unsafe giveBackOwned(
        pointer(to: whole.lowerBound), pages: whole.count, isEmpty: true)
    } else {
      keepInLimbo(whole)
    }
  }

  private func forgetSpecial(_ whole: Range<PageNumber>, mappings: Int) {
    unsafe state.locks.pointee.heap.lock()
    unsafe state.pointee.owned.mappings -= mappings
    unsafe state.pointee.join(whole)
    unsafe state.locks.pointee.heap.unlock()
  }

  /// A run's pages and those of its guards.
  func withGuards(_ run: Range<PageNumber>, _ traits: RunTraits) -> Range<PageNumber> {
    let before = traits.contains(.guardBefore) ? guardPages : 0
    let after = traits.contains(.guardAfter) ? guardPages : 0
    return (run.lowerBound - before)..<(run.upperBound + after)
  }

  /// Pages in a guard: one, or as many as the kernel's page has.
  var guardPages: Int { max(1, system.physicalPageSize >> Geometry.pageShift) }

  /// How many mappings such a run costs the process at the most.
  func mappings(of traits: RunTraits) -> Int {
    var count = traits.isDisjoint(with: .mapped) ? 0 : 2
    // What guards are made of is known, and does not change, once there are any.
    if !traits.isDisjoint(with: [.guardBefore, .guardAfter]),
      unsafe state.pointee.owned.guardKind == .mappings
    {
      if traits.contains(.guardBefore) { count += 1 }
      if traits.contains(.guardAfter) { count += 1 }
    }
    return count
  }

  /// Notes that a run needs more mappings than before.
  ///
  /// - Returns: how many more.
  /// - Throws: ``PageArenaError/tooManyMappings(limit:)``; nothing has changed.
  @discardableResult
  func countMappings(from before: RunTraits, to after: RunTraits) throws(PageArenaError) -> Int {
    let more = mappings(of: after) - mappings(of: before)
    if more == 0 { return 0 }
    unsafe state.locks.pointee.heap.lock()
    let count = unsafe state.pointee.owned.mappings + more
    let isWithin = count <= OwnedRuns.mappingLimit
    if isWithin { unsafe state.pointee.owned.mappings = count }
    unsafe state.locks.pointee.heap.unlock()
    if !isWithin { throw .tooManyMappings(limit: OwnedRuns.mappingLimit) }
    return more
  }

  /// Does what the system may refuse.
  @inline(__always)
  func attempt(_ body: (SysMem) throws(SysMemError) -> Void) throws(PageArenaError) {
    do throws(SysMemError) { try body(system) } catch { throw .system(error) }
  }

  /// Makes sure that the kernel can treat a run by itself.
  func checkWholePhysicalPages(
    _ address: UInt, _ byteCount: UInt
  ) throws(PageArenaError) {
    let size = system.physicalPageSize
    if (address | byteCount) & UInt(size - 1) != 0 {
      throw .partOfPhysicalPage(base: address, physicalPageSize: size)
    }
  }

  /// Takes guards away that are markers, or are none.
  ///
  /// - Returns: `false` where they are something else, or the kernel refused.
  private func removeMarkers(_ run: Range<PageNumber>, _ traits: RunTraits) -> Bool {
    if traits.isDisjoint(with: [.guardBefore, .guardAfter]) { return true }
    guard unsafe state.pointee.owned.guardKind == .markers else { return false }
    let size = UInt(guardPages) << UInt(Geometry.pageShift)
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
    unsafe pointer(to: run.lowerBound).initializeMemory(
      as: UInt8.self, repeating: 0, count: run.count << Geometry.pageShift)
  }

  /// Undoes what is special about a run that goes on without an owner; its guards are freed.
  ///
  /// - Returns: what the kernel refused; `nil` where all is done.
  func makePlain(
    _ base: UnsafeMutableRawPointer, pages: Int, _ traits: RunTraits
  ) -> PageArenaError? {
    let run = unsafe page(of: base)
    let address = address(of: run)
    let bytes = UInt(pages) << UInt(Geometry.pageShift)
    let guardSize = UInt(guardPages) << UInt(Geometry.pageShift)
    do throws(SysMemError) {
      if traits.contains(.locked) { try system.setLocked(address, bytes, false) }
      if traits.contains(.undumped) { try system.advise(address, bytes, .includeInDumps) }
      if traits.contains(.protected) { try system.protect(address, bytes, .readWrite) }
      if traits.contains(.guardBefore) { try system.replace(address - guardSize, guardSize) }
      if traits.contains(.guardAfter) { try system.replace(address + bytes, guardSize) }
    } catch { return .system(error) }
    let mappings = mappings(of: traits)
    unsafe state.locks.pointee.heap.lock()
    unsafe state.pointee.owned.mappings -= mappings
    if traits.contains(.guardBefore) {
      unsafe state.pointee.giveBackEmpty((run - guardPages)..<run)
    }
    if traits.contains(.guardAfter) {
      unsafe state.pointee.giveBackEmpty((run + pages)..<(run + pages + guardPages))
    }
    unsafe state.locks.pointee.heap.unlock()
    if traits.contains(.guardBefore) { system.sysUnused(byteCount: guardSize) }
    if traits.contains(.guardAfter) { system.sysUnused(byteCount: guardSize) }
    return nil
  }
}

// MARK: - Limbo

extension PageArena {
  /// The kernel will not make a freed run plain memory now: keeps it from everybody, to try again later.
  private func keepInLimbo(_ whole: Range<PageNumber>) {
    unsafe state.locks.pointee.heap.lock()
    unsafe state.pointee.owned.live &-= 1
    unsafe state.pointee.putInLimbo(whole)
    let isLast = unsafe state.pointee.isWithoutOwners
    unsafe state.locks.pointee.heap.unlock()
    if isLast { end() }
  }

  /// Tries again to make plain what the kernel refused to, and frees it.
  ///
  /// The end of every special run does it by itself.
  /// - Returns: the bytes that are free again.
  @discardableResult
  package func emptyLimbo() -> Int {
    var freed = 0
    while true {
      unsafe state.locks.pointee.heap.lock()
      let count = unsafe state.pointee.owned.limboCount
      if count == 0 {
        unsafe state.locks.pointee.heap.unlock()
        return freed
      }
      // Nobody else has it from here on.
      let run = unsafe state.pointee.owned.limbo[count - 1]
      unsafe state.pointee.owned.limboCount = count - 1
      unsafe state.locks.pointee.heap.unlock()

      let bytes = UInt(run.count) << UInt(Geometry.pageShift)
      let isPlain = (try? system.replace(address(of: run.lowerBound), bytes)) != nil
      if isPlain { system.sysUnused(byteCount: bytes) }

      unsafe state.locks.pointee.heap.lock()
      defer { unsafe state.locks.pointee.heap.unlock() }
      if isPlain {
        unsafe state.pointee.giveBackEmpty(run)
        freed += Int(bytes)
      } else {
        unsafe state.pointee.putInLimbo(run)
        return freed
      }
    }
  }
}

extension ArenaState {
  mutating func putInLimbo(_ run: Range<PageNumber>) {
    if owned.limboCount < owned.limbo.count {
      owned.limbo[owned.limboCount] = run
      owned.limboCount += 1
    } else {
      owned.strandedPages += run.count
    }
  }
}
