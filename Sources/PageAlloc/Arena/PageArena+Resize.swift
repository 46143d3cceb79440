import SysMem

// A run changes its size where it lies when it can. Else it moves: by page tables, which costs two calls
// to the kernel however long the run is, or by copying, which is cheaper for a short one.

extension PageRun {
  /// Gives pages at the end back.
  ///
  /// - Parameter pages: how many stay.
  /// - Precondition: `pages` is in 1 ... the pages it has; where the kernel's pages are larger, a run that is
  ///   protected, guarded or the like is cut between two of them.
  /// - Complexity: O(1) in the heap.
  public mutating func shrink(to pages: Int) {
    precondition(pages > 0 && pages <= self.pages, "shrink(to:): pages is not in 1 ... the run's")
    if pages == self.pages { return }
    // The rest ends as any run does, whatever is special about it; a guard after it goes with it.
    let whole = unsafe PageRun(
      base: base, pages: self.pages, arena: arena, traits: traits)
    let halves = whole.split(at: pages)
    self.pages = pages
    traits.remove(.guardAfter)
    halves.upper.deallocate()
    halves.lower.forget()
  }

  /// Takes the pages that follow the run, if they are free.
  ///
  /// - Parameters:
  ///   - pages: how many the run is to have; fewer than it has change nothing.
  ///   - zeroed: the new pages are to read as zero.
  /// - Returns: whether the run has so many now.
  /// - Complexity: O(1) in the heap; O(new pages / 512).
  public mutating func grow(to pages: Int, zeroed: Bool = false) -> Bool {
    if pages <= self.pages { return true }
    // New pages would be plain beside special ones.
    if !traits.isDisjoint(with: [.guardAfter, .protected, .locked, .undumped]) { return false }
    // The core lives: this owner was counted.
    let hasGrown = unsafe arena._withUnsafeGuaranteedRef {
      unsafe $0.extendOwned(base, from: self.pages, to: pages, zeroed: zeroed)
    }
    if hasGrown { self.pages = pages }
    return hasGrown
  }

  /// Changes the size, moving the run where it must. The contents stay, up to the smaller size.
  ///
  /// A run of which more is special than that it is wiped in the end is not moved, and does not grow.
  /// - Parameters:
  ///   - pages: how many it is to have, at least 1.
  ///   - zeroed: the new pages are to read as zero.
  /// - Returns: whether the run has moved: its address is another then.
  /// - Throws: what ``PageArena/allocate(pages:alignment:zeroed:)`` throws;
  ///   ``PageArenaError/notPlain(base:)``. The run is as before.
  /// - Complexity: in place O(1); else O(pages), by copying or by page tables.
  @discardableResult
  public mutating func resize(
    to pages: Int, zeroed: Bool = false
  ) throws(PageArenaError) -> Bool {
    let limit = Geometry.growableChunks.count << Geometry.chunkPagesLog
    guard pages > 0, pages <= limit else { throw .badPageCount(pages: pages, limit: limit) }
    if pages <= self.pages {
      guard canSplit(at: pages) else {
        throw .partOfPhysicalPage(base: address, physicalPageSize: physicalPageSize)
      }
      shrink(to: pages)
      return false
    }
    guard traits.isSubset(of: [.wiped, .moved]) else { throw .notPlain(base: address) }
    if grow(to: pages, zeroed: zeroed) { return false }

    let (base, old, traits) = unsafe (self.base, self.pages, self.traits)
    let result = unsafe arena._withUnsafeGuaranteedRef {
      arena -> Result<Moved, PageArenaError> in
      do throws(PageArenaError) {
        let moved = unsafe try arena.moveOwned(
          base, from: old, to: pages, traits, zeroed: zeroed)
        return unsafe .success(moved)
      } catch { return unsafe .failure(error) }
    }
    let moved = unsafe try result.get()
    unsafe self.base = moved.base
    self.pages = pages
    unsafe self.traits = moved.traits
    return true
  }

  /// Leaves the run as it is, with an owner less to be counted elsewhere.
  fileprivate consuming func forget() { discard self }
}

/// Where a run went.
@unsafe
private struct Moved {
  let base: UnsafeMutableRawPointer
  let traits: RunTraits
}

extension PageArena {
  /// From so many pages on, page tables are moved rather than contents copied.
  static var moveThreshold: Int { 16 }

  /// Takes the pages that follow an owned run.
  fileprivate func extendOwned(
    _ base: UnsafeMutableRawPointer, from old: Int, to pages: Int, zeroed: Bool
  ) -> Bool {
    let page = unsafe page(of: base)
    let next = page + old
    let more = pages - old
    var dirt = DirtMap()
    var clean = takeNext(next, more, zeroed, &dirt)
    if clean == nil {
      // They may be nobody's but in a cache.
      drainCaches()
      clean = takeNext(next, more, zeroed, &dirt)
    }
    guard let clean else { return false }
    noteUsed(clean)
    if hasLimit, clean != 0 {
      // Where it is refused, the pages go back as the run that they are until they join the other.
      let taken = Taken(page: next, scavengedPages: clean)
      guard (try? enforceLimit(taken, more)) != nil else { return false }
    }
    unsafe state.locks.pointee.heap.lock()
    unsafe state.pointee.join(page..<(page + pages))
    unsafe state.locks.pointee.heap.unlock()
    if checks != nil { noteAllocation(next, more, isZero: zeroed) }
    if zeroed, clean < more { clear(next, more, dirt, isAllDirty: clean == 0) }
    return true
  }

  /// Takes free pages at a given place, and copies before which of them are clean.
  private func takeNext(
    _ page: PageNumber, _ pageCount: Int, _ isLooked: Bool, _ dirt: inout DirtMap
  ) -> Int? {
    unsafe state.locks.pointee.heap.lock()
    defer { unsafe state.locks.pointee.heap.unlock() }
    guard pageCount <= Geometry.pageCount - page else { return nil }
    if isLooked, unsafe state.pointee.allocator.isFree(page, pageCount) {
      unsafe dirt.read(page, pageCount, state.pointee.allocator)
    }
    return unsafe state.pointee.takeExactly(page, pageCount)
  }

  /// Takes a run of another size, moves the contents there and frees the old one.
  fileprivate func moveOwned(
    _ base: UnsafeMutableRawPointer, from old: Int, to pages: Int, _ traits: RunTraits,
    zeroed: Bool
  ) throws(PageArenaError) -> Moved {
    let target = unsafe try allocate(pages: pages, zeroed: zeroed)
    var newTraits = traits.subtracting(.moved)
    var isEmpty = false
    if old >= Self.moveThreshold, unsafe movePageTables(base, target, pages: old) {
      newTraits.insert(.moved)
      isEmpty = true
    } else {
      // Two runs of the owner's, which do not overlap.
      unsafe target.copyMemory(from: base, byteCount: old << Geometry.pageShift)
    }
    countOwner()
    if isEmpty {
      let run = unsafe page(of: base)
      endSpecial(run..<(run + old), mappings: mappings(of: traits))
    } else if traits.isEmpty {
      unsafe giveBackOwned(base, pages: old)
    } else {
      unsafe giveBackSpecial(base, pages: old, traits)
    }
    return unsafe Moved(base: target, traits: newTraits)
  }

  /// Moves pages by their entries in the page table.
  ///
  /// - Returns: `false` where it cannot be, and nothing has changed.
  private func movePageTables(
    _ source: UnsafeMutableRawPointer, _ target: UnsafeMutableRawPointer, pages: Int
  ) -> Bool {
    // Where the kernel's pages are larger, runs lie across them.
    guard system.physicalPageSize <= Self.pageSize else { return false }
    let from = UInt(bitPattern: source)
    let to = UInt(bitPattern: target)
    let bytes = UInt(pages) << UInt(Geometry.pageShift)
    do throws(PageArenaError) {
      try countMappings(from: [], to: .moved)
    } catch { return false }
    if (try? system.move(from, bytes, to: to)) != nil { return true }
    unsafe state.locks.pointee.heap.lock()
    unsafe state.pointee.owned.mappings -= mappings(of: .moved)
    unsafe state.locks.pointee.heap.unlock()
    return false
  }
}
