// A run is given back
// ===================
//
//   the thread's cache, no lock; else heap: make room in the cache, many runs at once, and put it
//   there; else heap: check, unmark

extension ArenaCore {
  /// Takes a run back by way of a cache that the caller is inside of, where the hot run's place did
  /// not do.
  ///
  /// - Parameter page: at the address, which starts so many pages.
  @usableFromInline @inline(never)
  func deallocateInside(
    _ address: UInt, _ page: PageNumber, _ pages: Int, _ cache: CacheReference
  ) throws(PageArenaError) {
    if cache.putBack(page, pages, as: .raw) { return }
    try deallocateByTelling(address, page, pages, cache)
  }

  /// The same where the cache is to tell first what it holds.
  @inline(never)
  private func deallocateByTelling(
    _ address: UInt, _ page: PageNumber, _ pages: Int, _ cache: CacheReference
  ) throws(PageArenaError) {
    if cache.tellAndPutBack(page, pages, as: .raw) { return }
    try deallocateSlowly(address, pages, by: cache)
  }

  /// Takes a run back by way of a cache of the caller's: a long one first of all.
  ///
  /// - Parameter cache: which the caller is outside of; `nil` for none known.
  @inline(__always)
  func deallocate(
    _ address: UInt, _ pages: Int, through cache: CacheReference?
  ) throws(PageArenaError) {
    if let cache, cache.putBackLong(address, pages, as: .raw) { return }
    try deallocateByFence(address, pages, cache)
  }

  /// The same where the owner of the cache passes a fence to get in, as in an arena that is
  /// recorded; and all that no cache takes.
  @inline(never)
  private func deallocateByFence(
    _ address: UInt, _ pages: Int, _ cache: CacheReference?
  ) throws(PageArenaError) {
    if isRecorded {
      return try recordingFree(of: address, pages) { () throws(PageArenaError) in
        try deallocateUnrecorded(address, pages, cache)
      }
    }
    try deallocateUnrecorded(address, pages, cache)
  }

  @inline(__always)
  private func deallocateUnrecorded(
    _ address: UInt, _ pages: Int, _ cache: CacheReference?
  ) throws(PageArenaError) {
    // One that let the caller in has no room for a long run.
    if let cache, pages <= RunTable.longestShort || !cache.front.isOpen,
      cache.deallocate(address, pages, as: .raw)
    {
      return
    }
    try deallocateSlowly(address, pages, by: cache)
  }

  /// Everything but a run that goes into a cache with room.
  ///
  /// - Parameter handle: the cache of a handle, or the thread's where the caller knows it already;
  ///   `nil` for the thread's.
  @inline(never)
  func deallocateSlowly(
    _ address: UInt, _ pages: Int, by handle: CacheReference?
  ) throws(PageArenaError) {
    try requireOutside()
    if checks != nil { return try deallocateChecked(address, pages) }
    let page = try page(at: address, pages)
    let part = page..<(page + pages)
    if runs.length(page) == pages {
      let (cache, wasAsked) = try ownCache(handle)
      if let cache = cache {
        if !wasAsked, cache.deallocate(address, pages, as: .raw) { return }
        if makeRoomAndPut(page, pages, cache) { return }
      }
    }
    let wakes = try withHeap { heap throws(PageArenaError) in
      let run = try heap.run(around: part, at: address)
      heap.giveBack(part, of: run)
      heap.counters.frees &+= 1
      return heap.wakesScavenger()
    }
    wakeScavenger(if: wakes)
  }

  /// How many pages the caller's run has that starts at an address.
  ///
  /// - Throws: there is none.
  func lengthOfRun(at address: UInt) throws(PageArenaError) -> Int {
    try requireOutside()
    let page = try page(at: address, 1)
    // Looked at without the lock: of the caller's own run nobody else changes it.
    let pages = runs.length(page)
    if pages > 0 { return pages }
    let isGrown = withHeap { $0.allocator.isGrown(page, 1) }
    throw isGrown ? .notAStart(base: address) : .foreign(base: address)
  }

  /// Takes all runs back that fill a range, the first and the last perhaps in part.
  ///
  /// - Throws: a page of it is not in use; nothing has changed then.
  func deallocateRuns(_ address: UInt, _ pages: Int) throws(PageArenaError) {
    try requireOutside()
    let range = try reportingMistakes(at: address, pages) { () throws(PageArenaError) in
      let page = try page(at: address, pages)
      let range = page..<(page + pages)
      try forEachRun(in: range) { _ in }
      return range
    }
    try forEachRun(in: range) { part throws(PageArenaError) in
      try deallocate(self.address(of: part.lowerBound), part.count, through: nil)
    }
  }

  /// Says on standard error what is wrong with a free, in the checked mode.
  func reportingMistakes<Result>(
    at address: UInt, _ pages: Int, _ look: () throws(PageArenaError) -> Result
  ) throws(PageArenaError) -> Result {
    do throws(PageArenaError) {
      return try look()
    } catch {
      if let checks { reportMistake(error, at: address, max(1, pages), Trace.here(), checks) }
      throw error
    }
  }

  /// Calls `body` with what lies in a range of each run, in order.
  ///
  /// - Throws: a page of the range is not in use.
  func forEachRun(
    in range: Range<PageNumber>,
    _ body: (Range<PageNumber>) throws(PageArenaError) -> Void
  ) throws(PageArenaError) {
    var next = range.lowerBound
    while next < range.upperBound {
      let run = try withHeap { heap throws(PageArenaError) in
        try heap.run(around: next..<(next + 1), at: address(of: next))
      }
      let end = min(run.upperBound, range.upperBound)
      try body(next..<end)
      next = end
    }
  }

  /// Makes room in a cache, many runs at once, and puts a whole run of the caller's into it, or
  /// into the depot where it is long.
  ///
  /// - Returns: `false`, with the run as it was, where there is no room all the same.
  func makeRoomAndPut(
    _ page: PageNumber, _ pages: Int, _ cache: CacheReference
  ) -> Bool {
    let limit = cacheLimit
    let (fits, wakes) = withHeap { heap in
      (heap.makeRoomAndPut(page, pages, cache, limit: limit), heap.wakesScavenger())
    }
    wakeScavenger(if: wakes)
    return fits
  }
}
