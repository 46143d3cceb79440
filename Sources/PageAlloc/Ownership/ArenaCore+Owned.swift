import SysMem

// The two doors through which every owner comes and goes. They are those of the raw calls but for the
// count of owners, which is kept under the same lock.

extension ArenaCore {
  /// Puts a run of an owner's into the thread's cache, which counts that it went.
  ///
  /// Nothing of the arena may be looked at after it: another thread may have ended it.
  /// - Returns: `false`, with nothing changed, where it is no such run or the cache has no room.
  @inlinable @inline(__always)
  func putOwnedHot(_ address: UInt, _ pages: Int) -> Bool {
    // The cache lives as long as the core, and that as long as this owner is counted.
    guard ownersUseCaches, let cache = unsafe cacheInLastSlot() else { return false }
    return unsafe cache.deallocate(address, pages, by: .owner)
  }

  /// Takes a run for an owner, who is counted.
  func allocateOwned(
    _ pages: Int, alignment: Int, zeroed: Bool
  ) throws(PageArenaError) -> UnsafeMutableRawPointer {
    if alignment != Geometry.pageSize || zeroed, ownersUseCaches, let cache = unsafe cacheInLastSlot(),
      let run = unsafe takeCached(pages, alignment, zeroed, cache, by: .owner)
    {
      return unsafe run
    }
    let run = unsafe try allocate(pages, alignment, zeroed: zeroed)
    // Between the two the caller's reference keeps the arena.
    countOwner()
    return unsafe run
  }

  /// Notes one more owner: of a run that was taken as a raw one, or of a part of an owned one.
  func countOwner() { withHeap { $0.owners.live &+= 1 } }

  /// Notes one owner less, whose run stays in use. Ends an orphan.
  func discountOwner() {
    if withHeap({ $0.owners.removeOne() }) { end() }
  }

  /// Takes a run back from its owner, and ends an orphan with its last.
  ///
  /// A run that is not in use, since somebody freed it as a raw one, is the program's mistake that no
  /// type can see: it traps, and says so.
  /// - Parameter isEmpty: the kernel has the contents already.
  @inlinable @inline(__always)
  func giveBackOwned(_ base: UnsafeMutableRawPointer, pages: Int, isEmpty: Bool = false) {
    // Only the address is looked at.
    let address = UInt(bitPattern: base)
    if isEmpty || !putOwnedHot(address, pages) {
      giveBackOwnedSlowly(address, pages, isEmpty: isEmpty)
    }
  }

  @usableFromInline @inline(never)
  func giveBackOwnedSlowly(_ address: UInt, _ pages: Int, isEmpty: Bool) {
    let page = page(of: address)
    let run = page..<(page &+ pages)
    if checks != nil {
      giveBackOwnedChecked(run, isEmpty: isEmpty)
      return discountOwner()
    }
    // This owner is counted until the end: the core lives.
    if !isEmpty, ownersUseCaches, runs.length(page) == pages, let cache = unsafe cacheOfThread() {
      if unsafe cache.deallocate(address, pages, by: .owner) { return }
      if unsafe relieveAndPut(page, pages, cache) { return discountOwner() }
    }
    let (wakes, isLast) = withHeap { heap in
      heap.requireRun(page, pages)
      if isEmpty { heap.giveBackEmpty(run) } else { heap.giveBack(run, of: run) }
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
