import CThreadSlots
import SysMem

// The two doors through which every owner comes and goes. They are those of the raw calls but for the
// count of owners, which is kept under the same lock.

extension PageArena {
  /// Takes a run for an owner: as ``allocate(pages:alignment:zeroed:)``, which throws for it.
  @inline(__always)
  func takeOwned(
    _ pages: Int, alignment: Int, zeroed: Bool
  ) throws(PageArenaError) -> UnsafeMutableRawPointer {
    if alignment == Self.pageSize, !zeroed {
      // Where there is one, it is the address of pages that were just taken for the caller.
      if let run = unsafe UnsafeMutableRawPointer(bitPattern: takeOwnedHot(pages)) {
        return unsafe run
      }
    }
    // A pointer is handed on, not used.
    return unsafe try takeOwnedSlowly(pages, alignment: alignment, zeroed: zeroed)
  }

  /// Takes a run of the size asked for out of the thread's cache, which counts its owner.
  ///
  /// - Returns: its address; 0 where the cache has none, whatever was asked for.
  @inline(never)
  private func takeOwnedHot(_ pages: Int) -> UInt {
    // The cache lives as long as the arena's state.
    guard ownersUseCaches, let cache = unsafe cacheInFirstSlot() else { return 0 }
    return unsafe cache.allocate(pages, by: .owner)
  }

  /// Puts a run of an owner's into the thread's cache, which counts that it went.
  ///
  /// Nothing of the arena may be looked at after it: another thread may have ended it.
  /// - Returns: `false`, with nothing changed, where it is no such run or the cache has no room.
  @inline(never)
  private func putOwnedHot(_ address: UInt, _ pages: Int) -> Bool {
    // The cache lives as long as the arena's state, and that as long as this owner is counted.
    guard ownersUseCaches, let cache = unsafe cacheInFirstSlot() else { return false }
    return unsafe cache.deallocate(address, pages, by: .owner)
  }

  @inline(never)
  private func takeOwnedSlowly(
    _ pages: Int, alignment: Int, zeroed: Bool
  ) throws(PageArenaError) -> UnsafeMutableRawPointer {
    let base = unsafe try allocate(pages: pages, alignment: alignment, zeroed: zeroed)
    // Between the two the caller's reference keeps the arena.
    countOwner()
    return unsafe base
  }

  /// Notes one more owner: of a run that was taken as a raw one, or of a part of an owned one.
  func countOwner() {
    unsafe state.locks.pointee.heap.lock()
    unsafe state.pointee.owned.live &+= 1
    unsafe state.locks.pointee.heap.unlock()
  }

  /// Notes one owner less, whose run stays in use. Ends an orphan.
  func discountOwner() {
    unsafe state.locks.pointee.heap.lock()
    unsafe state.pointee.owned.live &-= 1
    let isLast = unsafe state.pointee.isWithoutOwners
    unsafe state.locks.pointee.heap.unlock()
    if isLast { end() }
  }

  /// Takes a run back from its owner, and ends an orphan with its last.
  ///
  /// A run that is not in use, since somebody freed it as a raw one, is the program's mistake that no
  /// type can see: it traps, and says so.
  /// - Parameter isEmpty: the kernel has the contents already.
  @inline(__always)
  func giveBackOwned(_ base: UnsafeMutableRawPointer, pages: Int, isEmpty: Bool = false) {
    // Only the address is looked at.
    if isEmpty || !putOwnedHot(UInt(bitPattern: base), pages) {
      unsafe giveBackOwned(page(of: base), pages, isEmpty)
    }
  }

  @inline(never)
  private func giveBackOwned(_ page: PageNumber, _ pages: Int, _ isEmpty: Bool) {
    if checks != nil { return giveBackOwnedChecked(page..<(page &+ pages), isEmpty) }
    // This owner is counted until the end: the state lives.
    if !isEmpty, ownersUseCaches, runs.length(page) == pages, let cache = unsafe cacheOfThread() {
      if unsafe cache.deallocate(address(of: page), pages, by: .owner) { return }
      if unsafe relieveAndPut(page, pages, cache) { return discountOwner() }
    }
    unsafe state.locks.pointee.heap.lock()
    if unsafe state.pointee.runs.length(page) != pages {
      unsafe state.pointee.runFreedElsewhere(page, pages)
    }
    let run = page..<(page &+ pages)
    if isEmpty {
      unsafe state.pointee.giveBackEmpty(run)
    } else {
      unsafe state.pointee.giveBack(run, of: run)
    }
    let call = unsafe state.pointee.scavengerCall()
    if call != .none {
      // Until this owner is no longer counted, the state lives.
      unsafe state.locks.pointee.heap.unlock()
      perform(call)
      unsafe state.locks.pointee.heap.lock()
    }
    unsafe state.pointee.owned.live &-= 1
    let isLast = unsafe state.pointee.isWithoutOwners
    unsafe state.locks.pointee.heap.unlock()
    if isLast { end() }
  }

  /// The page at an address that the arena handed out.
  @inline(__always)
  func page(of base: UnsafeMutableRawPointer) -> PageNumber {
    Int(bitPattern: (UInt(bitPattern: base) &- self.base) >> UInt(Geometry.pageShift))
  }

  /// The offset of an address that the arena handed out.
  @inline(__always)
  func offset(of base: UnsafeMutableRawPointer) -> UInt32 {
    // The arena spans 32 bits.
    UInt32(truncatingIfNeeded: UInt(bitPattern: base) &- self.base)
  }
}
