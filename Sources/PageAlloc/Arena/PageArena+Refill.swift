import CThreadSlots
import Synchronization
import SysMem

// Between the caches and the allocator, by the lock: a cache is refilled with all free runs of the
// 64-page block that holds the lowest free page, as the Go runtime's page caches are, so that pages
// used before are used again first; it is relieved of many runs at once.

extension PageArena {
  /// The largest request that a block of 64 pages is taken for.
  static var largestRefilled: Int { 16 }

  /// Takes a run by way of a cache: one at hand, or what a refill brings.
  ///
  /// - Parameters:
  ///   - alignment: in bytes, one that there is.
  ///   - wasTried: the cache was asked before.
  /// - Returns: `nil` where the request is for the allocator itself.
  func refillAndTake(
    _ pages: Int, _ alignment: Int, _ cache: UnsafeMutablePointer<RunCache>, wasTried: Bool
  ) -> CachedRun? {
    // The cache was at the wrong slot. It lives as long as the arena.
    if !wasTried, let run = unsafe cache.allocate(pages, alignment: alignment, by: .caller) {
      return run
    }
    // A block is taken for small runs that may lie anywhere.
    if pages > Self.largestRefilled || alignment > Self.pageSize { return nil }

    // The state lives as long as the arena.
    unsafe state.locks.pointee.heap.lock()
    var clean = 0
    unsafe state.pointee.serve(cache)
    if unsafe !state.pointee.takePassed(pages, into: cache, limit: cacheLimit) {
      // A block may bring more resident memory than a limit allows, and only one run can be refused.
      if hasLimit {
        unsafe state.locks.pointee.heap.unlock()
        return nil
      }
      clean = unsafe state.pointee.refill(cache, limit: cacheLimit)
    }
    let run = unsafe cache.pointee.take(pages)
    if let run { runs.setByte(run.page, UInt8(truncatingIfNeeded: pages)) }
    unsafe state.locks.pointee.heap.unlock()
    unsafe noteUsed(clean, relieving: cache)
    return run
  }

  /// Takes back what all caches hold, those of idle threads included.
  ///
  /// A thread that is inside its cache just then is asked to give everything back by itself, the next
  /// time it needs its cache; so is every other thread where the kernel has no `membarrier`.
  /// - Complexity: O(caches + runs in them), one call to the kernel.
  package func drainCaches() {
    unsafe state.locks.pointee.heap.lock()
    let isAny = unsafe state.pointee.askForCaches()
    unsafe state.locks.pointee.heap.unlock()
    if !isAny { return }
    let canSeeOthers = system.passBarrier()
    let own = unsafe cacheInFirstSlot()
    // Inside its cache a thread is for nanoseconds, unless it was preempted there.
    for _ in 0..<100 {
      unsafe state.locks.pointee.heap.lock()
      let isDone = unsafe state.pointee.takeCaches(canSeeOthers: canSeeOthers, own: own)
      unsafe state.locks.pointee.heap.unlock()
      if isDone || !canSeeOthers { return }
    }
  }
}

extension ArenaState {
  /// Moves the free runs of the lowest block that has any into a cache. Call with `heap` held, as the
  /// cache's owner, outside of it, when it was served.
  ///
  /// - Returns: how many of the pages were scavenged.
  mutating func refill(_ cache: UnsafeMutablePointer<RunCache>, limit: Int) -> Int {
    var block = allocator.allocateCache()
    let clean = (block.free & block.scavenged).nonzeroBitCount
    // Warm memory is better than fresh.
    if clean != 0 { giveBackSpares() }
    inUsePages &+= block.free.nonzeroBitCount
    while block.free != 0 {
      let first = block.free.trailingZeroBitCount
      let length = (~(block.free &>> UInt64(first))).trailingZeroBitCount
      let bits = mask(from: first, count: length)
      let run = CachedRun(
        page: block.base + first, isClean: block.scavenged & bits == bits)
      guard unsafe cache.pointee.stack(run, length, limit: limit) else { break }
      block.free &= ~bits
      block.scavenged &= ~bits
    }
    let left = (block.free & block.scavenged).nonzeroBitCount
    inUsePages &-= block.free.nonzeroBitCount
    noteUsed(clean &- left)
    block.scavenged &= block.free
    allocator.flush(&block)
    return clean &- left
  }

  /// Gives everything in a cache back if somebody asked for it. Call with `heap` held, as the owner.
  mutating func serve(_ cache: UnsafeMutablePointer<RunCache>) {
    if unsafe cache.pointee.front.stop.load(ordering: .relaxed) == 0 { return }
    unsafe takeAll(cache)
    unsafe letIn(cache)
  }

  /// Lets the owner of a cache in again, unless the arena has gone: its last runs are counted by the lock.
  /// Nor in the checked mode, in which every run comes and goes by the lock.
  func letIn(_ cache: UnsafeMutablePointer<RunCache>) {
    unsafe cache.pointee.front.stop.store(
      owned.isOrphan || checks != nil ? 1 : 0, ordering: .releasing)
  }

  /// Asks all owners to stay outside, and gives spare runs back. Call with `heap` held.
  ///
  /// - Returns: whether any cache holds anything.
  mutating func askForCaches() -> Bool {
    giveBackSpares()
    var isAny = false
    var position = unsafe caches
    while let cache = unsafe position {
      if unsafe cache.pointee.heldPages != 0 {
        unsafe cache.pointee.front.stop.store(1, ordering: .relaxed)
        isAny = true
      }
      unsafe position = cache.pointee.next
    }
    return isAny
  }

  /// Takes all from the caches whose owners are outside. Call with `heap` held, after a barrier in all
  /// threads, without which only `own` is known to be left alone.
  ///
  /// - Returns: whether all gave.
  mutating func takeCaches(canSeeOthers: Bool, own: UnsafeMutablePointer<RunCache>?) -> Bool {
    var isDone = true
    var position = unsafe caches
    while let cache = unsafe position {
      let isOutside =
        unsafe canSeeOthers
        ? cache.pointee.front.busy.load(ordering: .acquiring) == 0
        : cache == own
      if isOutside {
        unsafe serve(cache)
      } else if unsafe cache.pointee.front.stop.load(ordering: .relaxed) != 0 {
        isDone = false
      }
      unsafe position = cache.pointee.next
    }
    return isDone
  }
}
