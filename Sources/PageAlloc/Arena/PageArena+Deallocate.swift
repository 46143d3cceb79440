import Synchronization
import SysMem

extension PageArena {
  /// Gives a run back, or a part of one.
  ///
  /// What is left of the run on either side stays in use, as runs of their own. The contents are lost
  /// to the caller at once.
  ///
  /// - Parameters:
  ///   - base: the address of the first page to free.
  ///   - pages: how many, at least 1; not past the end of the run.
  /// - Throws: ``PageArenaError/badPageCount(pages:limit:)``, ``PageArenaError/misaligned(base:)``,
  ///   ``PageArenaError/foreign(base:)``, ``PageArenaError/notInUse(base:pages:)``,
  ///   ``PageArenaError/pastEndOfRun(base:pages:)``. Nothing has changed then.
  /// - Complexity: O(1) in the heap; O(`pages` / 512).
  @inlinable
  public func deallocate(
    _ base: UnsafeMutableRawPointer, pages: Int
  ) throws(PageArenaError) {
    // Only the address is looked at.
    let address = UInt(bitPattern: base)
    if !putHot(address, pages) { try deallocateColdly(address, pages) }
  }

  /// Puts a whole run, as it was handed out, into the thread's cache.
  ///
  /// - Returns: `false`, with nothing changed, where it is no such run or the cache has no room.
  @inlinable @inline(__always)
  func putHot(_ address: UInt, _ pages: Int) -> Bool {
    // The cache lives as long as the arena.
    guard let cache = unsafe cacheInFirstSlot() else { return false }
    return unsafe cache.deallocate(address, pages, by: .caller)
  }

  /// Everything else.
  @usableFromInline @inline(never)
  func deallocateColdly(_ address: UInt, _ pages: Int) throws(PageArenaError) {
    unsafe try deallocateSlowly(address, pages, by: nil)
  }

  /// Everything but a small run that goes into a cache with room.
  ///
  /// - Parameter handle: the cache of a handle; `nil` for the thread's.
  @usableFromInline @inline(never)
  func deallocateSlowly(
    _ address: UInt, _ pages: Int, by handle: UnsafeMutablePointer<RunCache>?
  ) throws(PageArenaError) {
    if checks != nil { return try deallocateChecked(address, pages) }
    let page = try page(at: address, pages)
    let part = page..<(page + pages)
    if runs.length(page) == pages {
      let (cache, wasTried) = unsafe ownCache(handle)
      if let cache = unsafe cache {
        if !wasTried, unsafe cache.deallocate(address, pages, by: .caller) { return }
        if unsafe relieveAndPut(page, pages, cache) { return }
      }
    }
    // The state lives as long as the arena.
    perform(try lockAndGiveBack(part, address))
  }

  /// Makes room in a cache, many runs at once, and puts a whole run of the caller's into it, or keeps it as
  /// a spare one.
  ///
  /// - Returns: `false`, with the run as it was, where there is no room all the same.
  func relieveAndPut(
    _ page: PageNumber, _ pages: Int, _ cache: UnsafeMutablePointer<RunCache>
  ) -> Bool {
    // The state and the cache live as long as the arena.
    unsafe state.locks.pointee.heap.lock()
    unsafe state.pointee.relieve(cache, of: pages, limit: cacheLimit)
    let isLong = pages > RunCache.longestStacked
    var fits =
      unsafe isLong
      ? cache.pointee.long.put(page, pages)
      : cache.pointee.put(address(of: page), pages, by: .caller)
    if isLong, !fits {
      unsafe state.pointee.keepSpare(page, pages)
      fits = true
    }
    // What tells a long run's length stays.
    if fits { runs.setByte(page, 0) }
    let call = unsafe state.pointee.scavengerCall()
    unsafe state.locks.pointee.heap.unlock()
    perform(call)
    return fits
  }

  /// Wakes the scavenger, or starts it, where a free said so.
  @inline(__always)
  func perform(_ call: ScavengerCall) {
    if call != .none { returnPath.perform(call) }
  }

  /// Gives a part of a run back by the heap lock.
  private func lockAndGiveBack(
    _ part: Range<PageNumber>, _ address: UInt
  ) throws(PageArenaError) -> ScavengerCall {
    // The state lives as long as the arena.
    unsafe state.locks.pointee.heap.lock()
    defer { unsafe state.locks.pointee.heap.unlock() }
    let run = unsafe try state.pointee.run(around: part, base: address)
    unsafe state.pointee.giveBack(part, of: run)
    return unsafe state.pointee.scavengerCall()
  }

  /// The page at an address, if `pages` pages from there on lie in the 32-bit space at all.
  @inline(__always)
  func page(at address: UInt, _ pages: Int) throws(PageArenaError) -> PageNumber {
    let limit = Geometry.growableChunks.count << Geometry.chunkPagesLog
    guard pages > 0, pages <= limit else { throw .badPageCount(pages: pages, limit: limit) }
    guard address >= base else { throw .foreign(base: address) }
    let offset = address - base
    let page = offset >> UInt(Geometry.pageShift)
    guard page < UInt(Geometry.pageCount) else { throw .foreign(base: address) }
    guard offset & UInt(Geometry.pageSize - 1) == 0 else { throw .misaligned(base: address) }
    guard Int(page) + pages <= Geometry.pageCount else { throw .foreign(base: address) }
    return Int(page)
  }
}

extension ArenaState {
  /// Makes room in a cache. Call with `heap` held, as the owner, outside of it.
  ///
  /// - Parameter pages: the size for which there is to be room; half of a stack that a hot run goes to
  ///   is given back.
  fileprivate mutating func relieve(
    _ cache: UnsafeMutablePointer<RunCache>, of pages: Int, limit: Int
  ) {
    unsafe serve(cache)
    let kind = CacheBudget.Kind(pages)
    let limit = unsafe mostCapacity(of: cache, kind, limit: limit)
    if kind == .long {
      // What does not fit is kept as a spare run.
      return unsafe raiseBound(of: cache, for: pages, limit: limit)
    }
    if unsafe cache.pointee.roomTaken + pages > limit {
      unsafe takeStacked(cache, to: min(limit / 2, max(0, limit - pages)))
    }
    unsafe raiseBound(of: cache, for: pages, limit: limit)
    if hasManyCaches {
      unsafe passOn(cache.pointee.front.room(.caller), from: cache, limit: limit)
      unsafe passOn(cache.pointee.front.room(.owner), from: cache, limit: limit)
    }
    var batch = RunBatch()
    unsafe cache.pointee.relieveStacks { batch.add($0, $1) }
    giveBack(&batch)
  }
}
