import CThreadSlots
import SysMem

// The two doors through which every owner comes and goes. They are those of the raw calls but for the
// count of owners, which is kept under the same lock.

extension PageArena {
  /// Puts a run of an owner's into the thread's cache, which counts that it went.
  ///
  /// Nothing of the arena may be looked at after it: another thread may have ended it.
  /// - Returns: `false`, with nothing changed, where it is no such run or the cache has no room.
  @inlinable @inline(__always)
  func putOwnedHot(_ address: UInt, _ pages: Int) -> Bool {
    // The cache lives as long as the arena's state, and that as long as this owner is counted.
    guard ownersUseCaches, let cache = unsafe cacheInFirstSlot() else { return false }
    return unsafe cache.deallocate(address, pages, by: .owner)
  }

  /// Takes a run for an owner, who is counted.
  @usableFromInline @inline(never)
  func takeOwnedSlowly(
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
    let page = Geometry.page(at: address, from: base)
    if checks != nil { return giveBackOwnedChecked(page..<(page &+ pages), isEmpty) }
    // This owner is counted until the end: the state lives.
    if !isEmpty, ownersUseCaches, runs.length(page) == pages, let cache = unsafe cacheOfThread() {
      if unsafe cache.deallocate(address, pages, by: .owner) { return }
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
    Geometry.page(at: UInt(bitPattern: base), from: self.base)
  }

  /// The offset of an address that the arena handed out.
  @inline(__always)
  func offset(of base: UnsafeMutableRawPointer) -> UInt32 {
    // The arena spans 32 bits.
    UInt32(truncatingIfNeeded: UInt(bitPattern: base) &- self.base)
  }
}
