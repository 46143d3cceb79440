import CThreadSlots
import SysMem
import Synchronization

extension PageArena {
  /// Takes a run of pages.
  ///
  /// - Parameters:
  ///   - pages: how many, at least 1.
  ///   - alignment: what the address is to be a multiple of, in bytes; a power of two. Up to the page
  ///     size it is given.
  ///   - zeroed: the memory is to read as zero. Pages that the kernel has not backed yet, or has got
  ///     back since, are zero as they are; the others are cleared.
  /// - Returns: the address of `pages` × 8,192 bytes, readable and writable. Not zeroed, the contents are
  ///   arbitrary.
  /// - Throws: ``PageArenaError/badPageCount(pages:limit:)``, ``PageArenaError/badAlignment(alignment:)``;
  ///   ``PageArenaError/outOfMemory(pages:largestFreeRun:)``,
  ///   ``PageArenaError/limitReached(pages:inUseBytes:limitBytes:)``; ``PageArenaError/system(_:)``
  ///   where the kernel refused to commit more memory.
  /// - Complexity: O(1) in the heap; O(`pages` / 512). A run of memory that nothing backs may first have about as
  ///   much free memory given back, as ``Scavenging/background(headroom:cpuShare:)`` says.
  @inlinable
  public func allocate(
    pages: Int, alignment: Int = PageArena.pageSize, zeroed: Bool = false
  ) throws(PageArenaError) -> UnsafeMutableRawPointer {
    // No alignment beyond the page, and nothing to clear: perhaps the thread has them at hand.
    if alignment == Self.pageSize, !zeroed {
      // Where there is one, it is the address of pages that were just taken for the caller.
      if let run = unsafe UnsafeMutableRawPointer(bitPattern: takeHot(pages)) { return unsafe run }
    }
    return unsafe try allocateColdly(pages, alignment, zeroed)
  }

  /// Takes a run of the size asked for out of the thread's cache.
  ///
  /// - Returns: its address; 0 where the cache has none, whatever was asked for.
  @inlinable @inline(__always)
  func takeHot(_ pages: Int) -> UInt {
    // The cache lives as long as the arena.
    guard let cache = unsafe cacheInFirstSlot() else { return 0 }
    return unsafe cache.allocate(pages, by: .caller)
  }

  /// Everything but a run at hand that may lie anywhere and need not be zeroed.
  @usableFromInline @inline(never)
  func allocateColdly(
    _ pages: Int, _ alignment: Int, _ zeroed: Bool
  ) throws(PageArenaError) -> UnsafeMutableRawPointer {
    if alignment != Self.pageSize || zeroed, let cache = unsafe cacheInFirstSlot(),
      let run = unsafe takeCached(pages, alignment, zeroed, cache, by: .caller)
    {
      return unsafe run
    }
    return unsafe try allocateSlowly(pages, alignment, zeroed: zeroed, by: nil)
  }

  /// Takes a run that lies as asked for out of a cache that the caller owns, without a lock, and clears it
  /// if it is to be zeroed.
  ///
  /// - Returns: `nil` where the cache has none, whatever was asked for.
  @inline(__always)
  func takeCached(
    _ pages: Int, _ alignment: Int, _ zeroed: Bool, _ cache: UnsafeMutablePointer<RunCache>,
    by hand: Hand
  ) -> UnsafeMutableRawPointer? {
    // The cache lives as long as the arena.
    guard let run = unsafe cache.allocate(pages, alignment: alignment, by: hand) else {
      return nil
    }
    if zeroed, !run.isClean { clear(run.page..<(run.page &+ pages)) }
    return unsafe pointer(to: run.page)
  }

  /// Everything but a run at hand.
  ///
  /// - Parameter handle: the cache of a handle; `nil` for the thread's.
  @usableFromInline @inline(never)
  func allocateSlowly(
    _ pages: Int, _ alignment: Int, zeroed: Bool, by handle: UnsafeMutablePointer<RunCache>?
  ) throws(PageArenaError) -> UnsafeMutableRawPointer {
    let limit = Geometry.growableChunks.count << Geometry.chunkPagesLog
    guard pages > 0, pages <= limit else { throw .badPageCount(pages: pages, limit: limit) }
    let aligned = try check(alignment)
    let (cache, wasTried) = unsafe ownCache(handle)
    if let cache = unsafe cache,
      let run = unsafe refillAndTake(pages, alignment, cache, wasTried: wasTried)
    {
      if zeroed, !run.isClean { clear(run.page..<(run.page &+ pages)) }
      return unsafe pointer(to: run.page)
    }
    // A pointer is handed on, not used.
    if zeroed { return unsafe try allocateZeroed(pages, aligned, relieving: cache) }

    let taken = unsafe try takeFromAllocator(pages, aligned, relieving: cache) { _, _ in }
    if checks != nil { noteAllocation(taken.page, pages) }
    return unsafe pointer(to: taken.page)
  }

  @inline(never)
  private func allocateZeroed(
    _ pages: Int, _ aligned: PageAllocator.Alignment,
    relieving cache: UnsafeMutablePointer<RunCache>?
  ) throws(PageArenaError) -> UnsafeMutableRawPointer {
    // The scavenged bits go when the run is taken, so they are copied before.
    var dirt = DirtMap()
    let taken = unsafe try takeFromAllocator(pages, aligned, relieving: cache) {
      dirt.read($1, pages, $0)
    }
    if taken.scavengedPages < pages {
      clear(taken.page, pages, dirt, isAllDirty: taken.scavengedPages == 0)
    }
    if checks != nil { noteAllocation(taken.page, pages, isZero: true) }
    return unsafe pointer(to: taken.page)
  }

  /// Takes a run by the lock, and grows for it where there is none.
  ///
  /// - Parameters:
  ///   - cache: the caller's own, which gives way before the arena grows.
  ///   - look: is shown where the run will be before it is taken.
  @inline(__always)
  func takeFromAllocator(
    _ pages: Int, _ alignment: PageAllocator.Alignment,
    relieving cache: UnsafeMutablePointer<RunCache>?,
    look: (borrowing PageAllocator, PageNumber) -> Void
  ) throws(PageArenaError) -> Taken {
    // The state lives as long as the arena.
    unsafe state.locks.pointee.heap.lock()
    let fast = unsafe state.pointee.take(pages, alignment, steps: Self.alignedSteps, look: look)
    unsafe state.locks.pointee.heap.unlock()
    let taken =
      if let fast { fast } else {
        unsafe try growAndTake(pages, alignment, relieving: cache, look: look)
      }
    unsafe noteUsed(taken.scavengedPages, relieving: cache)
    if hasLimit, taken.scavengedPages != 0 { try enforceLimit(taken, pages) }
    return taken
  }

  /// So many pages that cost nothing until now will be written to.
  ///
  /// - Parameter cache: the caller's own.
  @inline(__always)
  func noteUsed(_ scavengedPages: Int, relieving cache: UnsafeMutablePointer<RunCache>?) {
    if scavengedPages != 0 {
      system.sysUsed(byteCount: UInt(scavengedPages) << UInt(Geometry.pageShift))
      // The state lives as long as the arena.
      if unsafe state.pointee.isHeadroomDue.load(ordering: .relaxed) {
        unsafe keepHeadroom(relieving: cache)
      }
    }
  }

  /// How many runs an aligned search walks over before the arena grows instead.
  static var alignedSteps: Int { 64 }

  private func check(_ alignment: Int) throws(PageArenaError) -> PageAllocator.Alignment {
    guard Geometry.isAlignment(alignment) else { throw .badAlignment(alignment: alignment) }
    return PageAllocator.Alignment(
      pages: max(1, alignment >> Geometry.pageShift),
      phase: Int(truncatingIfNeeded: base >> UInt(Geometry.pageShift)))
  }
}
