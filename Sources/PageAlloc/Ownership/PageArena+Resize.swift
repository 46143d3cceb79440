import SysMem

// A run changes its size where it lies when it can. Else it moves: by copying, or, where that would have the
// kernel back much memory first, by page tables.

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
  /// From so many pages on, page tables are moved rather than contents copied, to where at least half is
  /// not backed: 4 MiB.
  ///
  /// What lies where the pages go is lost, and so is in the end what was moved there, since the kernel does not
  /// join such a mapping to its neighbours: whoever comes next faults, twice a page. In microseconds, on
  /// Linux 6.18 with 4 KiB pages; in parentheses with all that follows, the writes to a new half, the free,
  /// and the next one's writes to the old place:
  ///
  ///     pages     target backed               target not backed
  ///               copy          move          copy           move
  ///     4         1.7 (1.8)     13 (47)       14 (31)        10 (48)
  ///     16        3.2 (3.7)     14 (140)      59 (114)       11 (139)
  ///     64        12 (16)       40 (480)      230 (460)      13 (510)
  ///     256       56 (71)       150 (2,300)   880 (1,800)    22 (2,100)
  ///     512       140 (170)     260 (4,100)   2,200 (4,400)  46 (4,700)
  ///     2,048     940 (1,100)   1,100 (19,000)  9,100 (18,000)  86 (22,000)
  ///
  /// So copying never takes longer, all in all, and is 25 times faster where memory is used again. What
  /// moving saves is the wait, and the memory of the copy: from here on that is 2 ms and 4 MiB.
  package static var moveThreshold: Int { 512 }

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
    unsafe noteUsed(clean, relieving: cacheInFirstSlot())
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
    let (target, isBacked) = unsafe try takeTarget(old, pages, zeroed: zeroed)
    var newTraits = traits.subtracting(.moved)
    var isEmpty = false
    if old >= Self.moveThreshold, !isBacked, unsafe movePageTables(base, target, pages: old) {
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

  /// Takes a run to move another to, of which only what follows the contents is to read as zero.
  ///
  /// - Returns: its address, and whether more than half of it is backed.
  private func takeTarget(
    _ old: Int, _ pages: Int, zeroed: Bool
  ) throws(PageArenaError) -> (UnsafeMutableRawPointer, isBacked: Bool) {
    let more = pages - old
    var dirt = DirtMap()
    // What caches held may have gone back, since the run tried to grow where it is: not by way of one.
    let plain = PageAllocator.Alignment(pages: 1, phase: 0)
    let taken = unsafe try takeFromAllocator(pages, plain, relieving: ownCache(nil).0) {
      if zeroed { dirt.read($1 + old, more, $0) }
    }
    if checks != nil { noteAllocation(taken.page, pages, isZero: zeroed) }
    if zeroed, taken.scavengedPages < pages {
      clear(taken.page + old, more, dirt, isAllDirty: taken.scavengedPages == 0)
    }
    return unsafe (pointer(to: taken.page), taken.scavengedPages * 2 < pages)
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
