import SysMem

// A run is taken
// ==============
//
//   the thread's cache, no lock; else
//   heap: find and mark; else grow; then clear what is dirty if zeroes were asked for

extension ArenaCore {
  /// Takes a run by way of a cache of the caller's, or else everything besides.
  ///
  /// - Parameter cache: which the caller is outside of; `nil` for none known.
  /// - Returns: the address of pages that are the caller's now. So do all below.
  @inline(__always)
  func allocate(
    _ pages: Int, _ alignment: Int, zeroed: Bool, through cache: CacheReference?
  ) throws(PageArenaError) -> UInt {
    if let cache {
      let run = takeCached(pages, alignment, zeroed, cache, as: .raw, byFence: false)
      if run != 0 { return run }
    }
    return try allocateByFence(pages, alignment, zeroed: zeroed, cache)
  }

  /// The same where the owner of the cache passes a fence to get in, as in an arena that is
  /// recorded; and all that no cache has.
  @inline(never)
  private func allocateByFence(
    _ pages: Int, _ alignment: Int, zeroed: Bool, _ cache: CacheReference?
  ) throws(PageArenaError) -> UInt {
    var run: UInt = 0
    if let cache, cache.front.isFenced {
      run = takeCached(pages, alignment, zeroed, cache, as: .raw)
    }
    if run == 0 { run = try allocateSlowly(pages, alignment, zeroed: zeroed, by: cache) }
    record(.allocate, page(of: run), pages)
    return run
  }

  /// Takes a run that lies as asked for out of a cache that the caller owns, without a lock, and
  /// clears it if it is to be zeroed.
  ///
  /// - Returns: its address; 0 where the cache has none, whatever was asked for.
  @inline(__always)
  func takeCached(
    _ pages: Int, _ alignment: Int, _ zeroed: Bool, _ cache: CacheReference,
    as kind: RunKind, byFence: Bool = true
  ) -> UInt {
    guard Geometry.isAlignment(alignment),
      cache.front.enter() || (byFence && cache.front.enterByFence())
    else { return 0 }
    let mask = UInt(bitPattern: alignment &- 1)
    let hot = cache.front.handOutHot(pages, mask, as: kind)
    if hot != 0, !zeroed { return hot }
    let run =
      hot != 0
      ? CachedRun(page: page(of: hot), isZero: false)
      : cache.allocateInside(pages, mask, as: kind)
    guard let run else { return 0 }
    if zeroed, !run.isZero { return cleared(run.page..<(run.page &+ pages)) }
    return cache.front.address(of: run.page)
  }

  /// Clears a run that was just taken.
  @inline(never)
  private func cleared(_ run: Range<PageNumber>) -> UInt {
    clear(run)
    return address(ofTaken: run.lowerBound)
  }

  /// Takes a run by way of a cache that the caller is inside of, where the hot run did not help.
  @usableFromInline @inline(never)
  func allocateInside(
    _ pages: Int, _ cache: CacheReference
  ) throws(PageArenaError) -> UnsafeMutableRawPointer {
    let run = cache.handOut(pages, as: .raw)
    // Of pages that were just taken for the caller.
    if run != 0 { return unsafe PageSpace.memory(at: run) }
    return unsafe PageSpace.memory(at: try allocateOrCut(pages, cache))
  }

  /// The same where no run is just as long.
  @inline(never)
  private func allocateOrCut(
    _ pages: Int, _ cache: CacheReference
  ) throws(PageArenaError) -> UInt {
    let run = cache.handOutOrCut(pages, as: .raw)
    if run != 0 { return run }
    return try allocateSlowly(pages, Geometry.pageSize, zeroed: false, by: cache)
  }

  /// Everything but a run at hand.
  ///
  /// - Parameter handle: the cache of a handle, or the thread's where the caller knows it already;
  ///   `nil` for the thread's.
  @inline(never)
  func allocateSlowly(
    _ pages: Int, _ alignment: Int, zeroed: Bool, by handle: CacheReference?
  ) throws(PageArenaError) -> UInt {
    let limit = Geometry.growableChunks.count << Geometry.chunkPagesLog
    guard pages > 0, pages <= limit else { throw .badPageCount(pages: pages, limit: limit) }
    let aligned = try check(alignment)
    let (cache, wasAsked) = try ownCache(handle)
    if let cache = cache,
      let run = refillAndTake(pages, alignment, cache, wasAsked: wasAsked)
    {
      if zeroed, !run.isZero { clear(run.page..<(run.page &+ pages)) }
      return address(ofTaken: run.page)
    }
    if zeroed { return try allocateZeroed(pages, aligned, draining: cache) }

    let taken = try takeFromAllocator(pages, aligned, draining: cache) { _, _ in }
    if checks != nil { noteAllocation(taken.page, pages) }
    return address(ofTaken: taken.page)
  }

  @inline(never)
  private func allocateZeroed(
    _ pages: Int, _ aligned: PageAllocator.Alignment,
    draining cache: CacheReference?
  ) throws(PageArenaError) -> UInt {
    // The scavenged bits go when the run is taken, so they are copied before.
    var dirt = DirtMap()
    let taken = try takeFromAllocator(pages, aligned, draining: cache) {
      dirt.read($1, pages, $0)
    }
    if taken.scavengedPages < pages {
      clear(taken.page, pages, dirt, isAllDirty: taken.scavengedPages == 0)
    }
    if checks != nil { noteAllocation(taken.page, pages, isZero: true) }
    return address(ofTaken: taken.page)
  }

  /// Takes a run by the lock, and grows for it where there is none.
  ///
  /// - Parameters:
  ///   - cache: the caller's own, which gives way before the arena grows.
  ///   - willTake: is shown where the run will be before it is taken.
  @inline(__always)
  func takeFromAllocator(
    _ pages: Int, _ alignment: PageAllocator.Alignment,
    draining cache: CacheReference?,
    willTake: (borrowing PageAllocator, PageNumber) -> Void
  ) throws(PageArenaError) -> TakenRun {
    lookAhead(pages)
    let fast = withHeap { heap in
      let taken = heap.take(pages, alignment, searchLimit: Self.searchLimit, willTake: willTake)
      if let taken { makeReady(taken.scavengedPages) }
      return taken
    }
    let taken =
      if let fast { fast } else {
        try growAndTake(pages, alignment, draining: cache, willTake: willTake)
      }
    noteUsed(taken.scavengedPages, draining: cache)
    try keepLimits(taken, pages)
    countTaken(taken.page, pages, by: cache)
    return taken
  }

  /// So many pages that cost nothing until now will be written to.
  ///
  /// - Parameter cache: the caller's own.
  @inline(__always)
  func noteUsed(_ scavengedPages: Int, draining cache: CacheReference?) {
    if scavengedPages != 0, isHeadroomDue { trimForGrowth(draining: cache) }
  }

  /// How many runs an aligned search walks over before the arena grows instead.
  static var searchLimit: Int { 64 }

  func check(_ alignment: Int) throws(PageArenaError) -> PageAllocator.Alignment {
    guard Geometry.isAlignment(alignment) else { throw .badAlignment(alignment: alignment) }
    return PageAllocator.Alignment(
      pages: max(1, alignment >> Geometry.pageShift),
      phase: Int(truncatingIfNeeded: base >> UInt(Geometry.pageShift)))
  }
}
