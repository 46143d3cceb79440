import SysMem

extension ArenaCore {
  /// From so many pages on, page tables are moved rather than contents copied, to where at least
  /// half is not backed: 4 MiB.
  ///
  /// What lies where the pages go is lost, and so is in the end what was moved there, since the
  /// kernel does not join such a mapping to its neighbours: whoever comes next faults, twice a
  /// page. In microseconds, on Linux 6.18 with 4 KiB pages; in parentheses with all that follows,
  /// the writes to a new half, the free, and the next one's writes to the old place:
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
  /// So copying never takes longer, all in all, and is 25 times faster where memory is used again.
  /// What moving saves is the wait, and the memory of the copy: from here on that is 2 ms and 4
  /// MiB.
  static var moveThreshold: Int { 512 }

  /// Takes the pages that follow an owned run.
  func extendOwned(
    _ address: UInt, from old: Int, to pages: Int, zeroed: Bool
  ) -> Bool {
    let page = page(of: address)
    // A limit that is in the way is one reason of many.
    return (try? takePages(at: page + old, pages - old, zeroed: zeroed, joining: page)) ?? false
  }

  /// Takes pages at a given place, if they are free.
  ///
  /// - Parameter start: of the run right before them, which they become a part of; `nil` for a run
  ///   of their own.
  /// - Returns: whether they were free.
  /// - Throws: ``PageArenaError/limitReached(pages:inUseBytes:limitBytes:)``.
  func takePages(
    at page: PageNumber, _ pages: Int, zeroed: Bool, joining start: PageNumber? = nil
  ) throws(PageArenaError) -> Bool {
    var dirt = DirtMap()
    lookAhead(pages)
    var taken = takeNext(page, pages, zeroed, &dirt)
    if taken == nil, reaches(page, pages) { taken = takeNext(page, pages, zeroed, &dirt) }
    if taken == nil {
      if isBlocked(page, pages) { return false }
      // They may be nobody's but in a cache.
      drainCaches(own: cacheInItsSlot())
      taken = takeNext(page, pages, zeroed, &dirt)
    }
    guard let taken else { return false }
    let clean = taken.scavengedPages
    noteUsed(clean, draining: cacheInItsSlot())
    // Where it is refused, the pages go back as the run that they are until they join the other.
    try keepLimits(taken, pages, asks: false)
    withHeap { heap in
      if let start { heap.join(start..<(page + pages)) } else { heap.counters.allocations &+= 1 }
    }
    if let start {
      record(.resize, start, page + pages - start)
    } else {
      record(.allocate, page, pages)
      countTaken(page, pages, by: nil)
    }
    if checks != nil { noteAllocation(page, pages, isZero: zeroed) }
    if zeroed, clean < pages { clear(page, pages, dirt, isAllDirty: clean == 0) }
    return true
  }

  /// Grows for pages beyond the frontier, where none before it is in use.
  private func reaches(_ page: PageNumber, _ pages: Int) -> Bool {
    switch growToReach(page, pages) {
    case .yes: return true
    case .no: return false
    case .cached: return drainCaches(own: cacheInItsSlot()) > 0 && growToReach(page, pages) == .yes
    }
  }

  /// Whether what the caches hold cannot help to get pages: the arena has not grown so far, or the
  /// first that is not free is where somebody's run or a guard starts.
  ///
  /// - Complexity: O(`pageCount` / 512).
  private func isBlocked(_ page: PageNumber, _ pageCount: Int) -> Bool {
    guard pageCount <= Geometry.pageCount - page else { return true }
    return withHeap { heap in
      guard heap.allocator.isGrown(page, pageCount) else { return true }
      guard let inUse = heap.allocator.firstInUse(page, pageCount) else { return false }
      return heap.runs.extent(inUse) != 0
    }
  }

  /// Takes free pages at a given place, and copies before which of them are clean.
  private func takeNext(
    _ page: PageNumber, _ pageCount: Int, _ wantsZero: Bool, _ dirt: inout DirtMap
  ) -> TakenRun? {
    guard pageCount <= Geometry.pageCount - page else { return nil }
    return withHeap { heap in
      if wantsZero, heap.allocator.isFree(page, pageCount) {
        dirt.read(page, pageCount, heap.allocator)
      }
      let taken = heap.takeExactly(page, pageCount)
      if let taken { makeReady(taken.scavengedPages) }
      return taken
    }
  }

  /// Takes a run of another size, moves the contents there and frees the old one.
  ///
  /// - Parameter mayMoveTables: by page tables, where that pays. A run that came about so is
  ///   copied, since it is several mappings: the kernel may refuse to move the second of them after
  ///   the first has moved.
  /// - Throws: the run is as before.
  @inline(never)
  func moveOwned(
    _ source: UInt, from old: Int, to pages: Int, _ traits: RunTraits,
    zeroed: Bool, mayMoveTables: Bool
  ) throws(PageArenaError) -> MovedRun {
    let (target, isBacked) = try takeTarget(old, pages, zeroed: zeroed)
    var newTraits = traits.subtracting([.moved, .discarded])
    countOwner()
    if mayMoveTables, !traits.contains(.moved), old >= Self.moveThreshold, !isBacked,
      canMovePageTables
    {
      do throws(SysMemError) {
        if try movePageTables(source, target, Self.byteCount(old)) { newTraits.insert(.moved) }
      } catch {
        let run = page(of: target)
        endSpecial(run..<(run + pages), mappings: mappings(of: .moved))
        throw .system(error)
      }
    } else {
      copy(source, to: target, Self.byteCount(old))
    }
    if newTraits.contains(.moved) {
      let run = page(of: source)
      endSpecial(run..<(run + old), mappings: mappings(of: traits))
    } else if traits.isEmpty {
      giveBackOwned(source, pages: old)
    } else {
      giveBackSpecial(source, pages: old, traits)
    }
    return MovedRun(address: target, traits: newTraits)
  }

  /// Takes a run to move another to, of which only what follows the contents is to read as zero.
  ///
  /// - Returns: its address, and whether more than half of it is backed.
  private func takeTarget(
    _ old: Int, _ pages: Int, zeroed: Bool
  ) throws(PageArenaError) -> (UInt, isBacked: Bool) {
    let more = pages - old
    var dirt = DirtMap()
    // What caches held may have gone back, since the run tried to grow where it is: not by way of
    // one.
    let plain = PageAllocator.Alignment(pages: 1, phase: 0)
    let taken = try takeFromAllocator(pages, plain, draining: try ownCache(nil).0) {
      if zeroed { dirt.read($1 + old, more, $0) }
    }
    record(.allocate, taken.page, pages)
    if checks != nil { noteAllocation(taken.page, pages, isZero: zeroed) }
    if zeroed, taken.scavengedPages < pages {
      clear(taken.page + old, more, dirt, isAllDirty: taken.scavengedPages == 0)
    }
    return (address(ofTaken: taken.page), taken.scavengedPages * 2 < pages)
  }

  /// Whether a run can be moved by the entries of its pages in the page table.
  private var canMovePageTables: Bool {
    // Where the kernel's pages are larger, runs lie across them.
    guard physicalPageSize <= Geometry.pageSize else { return false }
    return (try? countMappings(from: [], to: .moved)) != nil
  }

  /// Moves a run's contents by the entries of its pages in the page table, and copies what the
  /// kernel does not move.
  ///
  /// The kernel moves one mapping as a whole or not at all. Advice about huge pages makes several
  /// of a run, at the edges of huge pages or of chunks: what lies between two edges is moved by
  /// itself.
  /// - Returns: whether anything was moved so.
  /// - Throws: the kernel refused twice. The source has its contents, the target is to be renewed.
  private func movePageTables(
    _ source: UInt, _ target: UInt, _ byteCount: UInt
  ) throws(SysMemError) -> Bool {
    let chunk = Self.byteCount(1 << Geometry.chunkPagesLog)
    let hugePage = UInt(system.calls.hugePageSize)
    let unit = hugePage == 0 ? chunk : min(hugePage, chunk)
    var done: UInt = 0
    while done < byteCount {
      let piece = min(unit - (source + done) % unit, byteCount - done)
      if !withSystem({ (try? $0.move(source + done, piece, to: target + done)) != nil }) { break }
      done += piece
    }
    if done == byteCount { return true }
    do throws(SysMemError) {
      // The refusal may have left nothing mapped there.
      try renew(AdvisedRange(address: target + done, byteCount: byteCount - done))
    } catch {
      // What was moved left a mapping behind, to which it can be written.
      copy(target, to: source, done)
      throw error
    }
    copy(source + done, to: target + done, byteCount - done)
    return done > 0
  }

  /// Copies between two runs of one owner's, which do not overlap.
  private func copy(_ source: UInt, to target: UInt, _ byteCount: UInt) {
    unsafe PageSpace.memory(at: target).copyMemory(
      from: PageSpace.memory(at: source), byteCount: Int(byteCount))
  }
}
