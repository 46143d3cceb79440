import SysMem

//   whole run as the bookkeeping sees it
//   | guard | run .................. | guard |
//           ^ what the owner gets
//
// A guard is a page of the arena, or as many as the kernel's page has.

extension ArenaCore {
  /// Takes a run between two guards, as ``PageArena/allocateGuardedRun(pages:alignment:zeroed:)``
  /// says.
  func allocateGuarded(
    _ pages: Int, alignment: Int, zeroed: Bool
  ) throws(PageArenaError) -> PageRun {
    let limit = Geometry.growableChunks.count << Geometry.chunkPagesLog
    let guardPages = self.guardPages
    try requireOutside()
    guard pages > 0, pages <= limit - 2 * guardPages else {
      throw .badPageCount(pages: pages, limit: limit - 2 * guardPages)
    }
    guard pages % guardPages == 0 else {
      throw .partOfPhysicalPage(base: 0, physicalPageSize: physicalPageSize)
    }
    guard Geometry.isAlignment(alignment) else { throw .badAlignment(alignment: alignment) }
    // An aligned run has room in front for the guard; what is too much there goes back.
    let aligned = max(alignment, guardPages << Geometry.pageShift)
    let front = aligned >> Geometry.pageShift
    guard front <= limit - pages - guardPages else {
      throw withHeap { heap in
        heap.counters.refusals &+= 1
        return .outOfMemory(pages: pages, largestFreeRun: heap.largestFreeRun)
      }
    }
    let all = try allocateOwned(
      front + pages + guardPages, alignment: aligned, zeroed: zeroed)
    let first = page(of: all)
    let run = (first + front)..<(first + front + pages)
    if front > guardPages { record(.free, first, front - guardPages) }
    withHeap { heap in
      if front > guardPages {
        let whole = first..<(run.upperBound + guardPages)
        heap.giveBack(first..<(run.lowerBound - guardPages), of: whole)
      }
      heap.divide(run.lowerBound - guardPages, at: run.lowerBound)
      heap.divide(run.lowerBound, at: run.upperBound)
      // What nobody may free but the run's end is no run to anybody else.
      heap.runs.setGuard(run.lowerBound - guardPages, guardPages)
      heap.runs.setGuard(run.upperBound, guardPages)
    }
    return try guarded(run)
  }

  /// Puts guards around a run that was just taken, or gives all of it back.
  private func guarded(_ run: Range<PageNumber>) throws(PageArenaError) -> PageRun {
    var traits: RunTraits = [.guardBefore, .guardAfter]
    let size = Self.byteCount(guardPages)
    let before = AdvisedRange(address: address(of: run.lowerBound - guardPages), byteCount: size)
    let after = AdvisedRange(address: address(of: run.upperBound), byteCount: size)
    var counted = 0
    do throws(PageArenaError) {
      var areMarked = false
      try attempt { _ throws(SysMemError) in
        areMarked = try setMarker(before)
        if areMarked { areMarked = try setMarker(after) }
      }
      if !areMarked {
        counted = try countMappings(from: [], to: traits.union(.mappedGuards))
        traits.insert(.mappedGuards)
        try attempt { system throws(SysMemError) in
          try system.protect(before.address, size, .none)
          try system.protect(after.address, size, .none)
        }
      }
    } catch {
      endSpecial(withGuards(run, traits), mappings: counted)
      throw error
    }
    return unsafe PageRun(
      at: address(of: run.lowerBound), pages: run.count, core: self, traits: traits)
  }
}
