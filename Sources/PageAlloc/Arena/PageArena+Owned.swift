import SysMem

// The two doors through which every owner comes and goes. They are those of the raw calls but for the
// count of owners, which is kept under the same lock.

extension PageArena {
  /// Takes a run for an owner: as ``allocate(pages:alignment:zeroed:)``, which throws for it.
  @inline(__always)
  func takeOwned(
    _ pages: Int, alignment: Int, zeroed: Bool
  ) throws(PageArenaError) -> UnsafeMutableRawPointer {
    // A limit has to be looked at where the pages are taken.
    if pages > 0, alignment == Self.pageSize, !zeroed, !hasLimit {
      // The state lives as long as the arena.
      unsafe state.locks.pointee.heap.lock()
      let taken = unsafe state.pointee.take(
        pages, PageAllocator.Alignment(pages: 1, phase: 0), steps: 0
      ) { _, _ in }
      if let taken {
        unsafe state.pointee.owned.live &+= 1
        unsafe state.locks.pointee.heap.unlock()
        noteUsed(taken.scavengedPages)
        return unsafe pointer(to: taken.page)
      }
      unsafe state.locks.pointee.heap.unlock()
    }
    // A pointer is handed on, not used.
    return unsafe try takeOwnedSlowly(pages, alignment: alignment, zeroed: zeroed)
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
    let isLast = unsafe state.pointee.owned.isOrphan && state.pointee.owned.live == 0
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
    let page = unsafe self.page(of: base)
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
    let isLast = unsafe state.pointee.owned.isOrphan && state.pointee.owned.live == 0
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
