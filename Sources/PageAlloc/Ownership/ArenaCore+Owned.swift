import SysMem

// The two doors through which every owner comes and goes. They are those of the raw calls but for
// the count of owners, which is kept under the same lock.

extension ArenaCore {
  /// Puts a run of an owner's into the thread's cache, which counts that it went.
  ///
  /// Nothing of the arena may be looked at after it: another thread may have ended it.
  /// - Returns: `false`, with nothing changed, where it is no such run or the cache has no room.
  @inlinable @inline(__always)
  func putOwnedHot(_ address: UInt, _ pages: Int) -> Bool {
    // The cache lives as long as the core, and that as long as this owner is counted.
    guard ownersUseCaches, let cache = cacheInLastSlot() else { return false }
    return cache.deallocate(address, pages, as: .owned)
  }

  /// Takes a run for an owner, who is counted.
  func allocateOwned(
    _ pages: Int, alignment: Int, zeroed: Bool
  ) throws(PageArenaError) -> UnsafeMutableRawPointer {
    try requireOutside()
    let cache = cacheInLastSlot()
    if alignment != Geometry.pageSize || zeroed, ownersUseCaches, let cache,
      let run = unsafe takeCached(pages, alignment, zeroed, cache, as: .owned)
    {
      return unsafe run
    }
    let taken: UnsafeMutableRawPointer
    if let cache, let run = unsafe takeCached(pages, alignment, zeroed, cache, as: .raw) {
      // One that was at hand for callers without an owner.
      unsafe taken = run
    } else {
      unsafe taken = try allocateSlowly(pages, alignment, zeroed: zeroed, by: nil)
    }
    // Between the two the caller's reference keeps the arena.
    countOwner()
    return unsafe taken
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
  func giveBackOwned(_ base: UnsafeMutableRawPointer, pages: Int, isZero: Bool = false) {
    // Only the address is looked at.
    let address = UInt(bitPattern: base)
    if isZero || !putOwnedHot(address, pages) {
      giveBackOwnedSlowly(address, pages, isZero: isZero)
    }
  }

  @usableFromInline @inline(never)
  func giveBackOwnedSlowly(_ address: UInt, _ pages: Int, isZero: Bool) {
    if isInside { reentered() }
    let page = page(of: address)
    let run = page..<(page &+ pages)
    // This owner is counted until the end: the core lives.
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
      if uncounted > 0 { withHeap { $0.countAgain(uncounted) } }
      giveBackOwnedChecked(run, isZero: isZero)
      return discountOwner()
    }
    let (wakes, isLast) = withHeap { heap in
      if uncounted > 0 { heap.countAgain(uncounted) }
      heap.requireRun(run.lowerBound, run.count)
      if isZero { heap.giveBackEmpty(run) } else { heap.giveBack(run, of: run) }
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
  func offset(of base: UnsafeMutableRawPointer) -> UInt32 {
    // The arena spans 32 bits.
    UInt32(truncatingIfNeeded: UInt(bitPattern: base) &- self.base)
  }

  /// The page at an address that the arena handed out.
  @inline(__always)
  func page(of base: UnsafeMutableRawPointer) -> PageNumber { page(of: UInt(bitPattern: base)) }
}
