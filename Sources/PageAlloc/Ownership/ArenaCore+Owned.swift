import SysMem

// The two doors through which every owner comes and goes. They are those of the raw calls but for
// the count of owners, which is kept under the same lock.

extension ArenaCore {
  /// Takes a run for an owner by way of a cache that the caller is inside of, where the hot run did
  /// not help.
  @usableFromInline @inline(never)
  func allocateRunInside(
    _ pages: Int, _ cache: CacheReference
  ) throws(PageArenaError) -> PageRun {
    let run = cache.handOut(pages, as: .owned)
    if run != 0 { return unsafe PageRun(at: run, pages: pages, core: self) }
    return try allocateRunOrCut(pages, cache)
  }

  /// The same where no run is just as long.
  @inline(never)
  private func allocateRunOrCut(
    _ pages: Int, _ cache: CacheReference
  ) throws(PageArenaError) -> PageRun {
    let run = cache.handOutOrCut(pages, as: .owned)
    if run != 0 { return unsafe PageRun(at: run, pages: pages, core: self) }
    return try allocateRunColdly(pages, Geometry.pageSize, zeroed: false)
  }

  /// Everything else of `PageArena.allocateRun`.
  @usableFromInline @inline(never)
  func allocateRunColdly(
    _ pages: Int, _ alignment: Int, zeroed: Bool
  ) throws(PageArenaError) -> PageRun {
    let run = try allocateOwned(pages, alignment: alignment, zeroed: zeroed)
    return unsafe PageRun(at: run, pages: pages, core: self)
  }

  /// Takes a run for an owner, who is counted.
  ///
  /// - Returns: its address.
  func allocateOwned(
    _ pages: Int, alignment: Int, zeroed: Bool
  ) throws(PageArenaError) -> UInt {
    try requireOutside()
    var run: UInt = 0
    var isCounted = false
    if let cache = cacheInLastSlot() {
      if ownersUseCaches {
        run = takeCached(pages, alignment, zeroed, cache, as: .owned)
        isCounted = run != 0
      }
      // One that is at hand for callers without an owner.
      if run == 0 { run = takeCached(pages, alignment, zeroed, cache, as: .raw) }
    }
    if run == 0 { run = try allocateSlowly(pages, alignment, zeroed: zeroed, by: nil) }
    if isRecorded { record(.allocate, page(of: run), pages) }
    // Between the two the caller's reference keeps the arena.
    if !isCounted { countOwner() }
    return run
  }

  /// Notes one more owner: of a run that was taken as a raw one, or of a part of an owned one.
  func countOwner() { withHeap { $0.owners.live &+= 1 } }

  /// Notes one owner less, whose run stays in use. Ends an orphan.
  func discountOwner() {
    if withHeap({ $0.owners.removeOne() }) { end() }
  }

  /// Takes a run back from its owner, and ends an orphan with its last.
  ///
  /// A run that is not in use, since somebody freed it as a raw one, is the program's mistake that
  /// no type can see: it traps, and says so.
  /// - Parameter isZero: the kernel has the contents already.
  @inlinable @inline(__always)
  func giveBackOwned(_ address: UInt, pages: Int, isZero: Bool = false) {
    // The cache lives as long as the core, and that as long as this
    // owner is counted. Nothing of the arena may be looked at once it is not: another thread may
    // have ended it.
    if !isZero, ownersUseCaches, let cache = cacheInLastSlot(),
      let run = cache.front.run(at: address, of: pages), cache.front.enter()
    {
      if cache.front.takeBackHot(run, address, pages, as: .owned) { return }
      return giveBackOwnedInside(address, run.page, pages, cache)
    }
    giveBackOwnedSlowly(address, pages, isZero: isZero)
  }

  /// Takes a run back from its owner by way of a cache that the caller is inside of, where the hot
  /// run's place did not do.
  @usableFromInline @inline(never)
  func giveBackOwnedInside(
    _ address: UInt, _ page: PageNumber, _ pages: Int, _ cache: CacheReference
  ) {
    if cache.putBack(page, pages, as: .owned) { return }
    giveBackOwnedByTelling(address, page, pages, cache)
  }

  /// The same where the cache is to tell first what it holds.
  @inline(never)
  private func giveBackOwnedByTelling(
    _ address: UInt, _ page: PageNumber, _ pages: Int, _ cache: CacheReference
  ) {
    if cache.tellAndPutBack(page, pages, as: .owned) { return }
    giveBackOwnedSlowly(address, pages, isZero: false)
  }

  @usableFromInline @inline(never)
  func giveBackOwnedSlowly(_ address: UInt, _ pages: Int, isZero: Bool) {
    if isRecorded { record(.free, page(of: address), pages) }
    // This owner is counted until the end: the core lives.
    if !isZero, ownersUseCaches, let cache = cacheInLastSlot(),
      cache.putBackLong(address, pages, as: .owned)
    {
      return
    }
    if isInside { reentered() }
    let page = page(of: address)
    let run = page..<(page &+ pages)
    if checks == nil, !isZero, ownersUseCaches, runs.length(page) == pages,
      let cache = cacheOfThread()
    {
      if cache.deallocate(address, pages, as: .owned) { return }
      if !cache.front.isOutside { reentered() }
      if makeRoomAndPut(page, pages, cache) { return discountOwner() }
    }
    giveBackOwnedByLock(run, isZero: isZero)
  }

  /// Takes a run back from its owner, not by way of a cache.
  ///
  /// - Parameter uncounted: how many of its pages are inaccessible to the bookkeeping.
  func giveBackOwnedByLock(_ run: Range<PageNumber>, isZero: Bool, uncounted: Int = 0) {
    if checks != nil {
      if uncounted > 0 { withHeap { $0.countAgain(uncounted, of: run) } }
      giveBackOwnedChecked(run, isZero: isZero)
      return discountOwner()
    }
    let (wakes, isLast) = withHeap { heap in
      if uncounted > 0 { heap.countAgain(uncounted, of: run) }
      heap.requireRun(run.lowerBound, run.count)
      heap.counters.frees &+= 1
      if isZero { giveBackEmpty(run, to: &heap) } else { heap.giveBack(run, of: run) }
      // Until this owner is no longer counted, the core lives.
      return heap.wakesScavenger() ? (true, false) : (false, heap.owners.removeOne())
    }
    if wakes {
      ScavengerThread.wake(self)
      discountOwner()
    } else if isLast {
      end()
    }
  }

  /// The offset of an address that the arena handed out.
  @inline(__always)
  func offset(of address: UInt) -> UInt32 {
    // The arena spans 32 bits.
    UInt32(truncatingIfNeeded: address &- base)
  }
}
