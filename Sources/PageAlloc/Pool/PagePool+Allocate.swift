import Synchronization
import SysMem

// The short ways are those of an arena: the cache is that of the arena whose slot was used last,
// and says which one that is.

extension PagePool {
  /// Takes a run of pages.
  ///
  /// - Parameters: as for ``PageArena/allocate(pages:alignment:zeroed:)``.
  /// - Returns: as there.
  /// - Throws: as there; ``PageArenaError/outOfMemory(pages:largestFreeRun:)`` where no arena has
  ///   such a run, and no other can be made. A hard limit is that of the pool.
  /// - Complexity: as there; O(arenas) where the thread's arena is full.
  @inlinable
  public func allocate(
    pages: Int, alignment: Int = PageArena.pageSize, zeroed: Bool = false
  ) throws(PageArenaError) -> UnsafeMutableRawPointer {
    // No alignment beyond the page, and nothing to clear: perhaps the thread has them at hand. The
    // cache lives as long as the arena, and that as long as the pool.
    if alignment == PageArena.pageSize, !zeroed, let cache = cacheInLastSlot,
      cache.front.enter()
    {
      let hot = cache.front.handOutHot(pages, as: .raw)
      // Where there is one, it is the address of pages that were just taken for the caller.
      if let pointer = unsafe UnsafeMutableRawPointer(bitPattern: hot) { return unsafe pointer }
      let run = takeInside(pages, cache, as: .raw)
      if let pointer = unsafe UnsafeMutableRawPointer(bitPattern: run) { return unsafe pointer }
    }
    return unsafe try allocateColdly(pages, alignment, zeroed)
  }

  /// This thread's cache of an arena of the pool, if its slot is the one used last.
  @inlinable
  var cacheInLastSlot: CacheReference? {
    @inline(__always) get { PageAlloc.cacheInLastSlot(firstNumber, count: mostArenas) }
  }

  /// Takes a run out of a cache that the caller is inside of, where the hot run did not help, and
  /// leaves.
  ///
  /// - Returns: `nil` where the cache has none.
  @usableFromInline @inline(never)
  func takeInside(
    _ pages: Int, _ cache: CacheReference, as kind: RunKind
  ) -> UInt {
    var run = cache.handOut(pages, as: kind)
    // Where no run is just as long; afterwards the caller is outside, whatever came of it.
    if run == 0 { run = cache.handOutOrCut(pages, as: kind) }
    return run
  }

  @usableFromInline @inline(never)
  func allocateColdly(
    _ pages: Int, _ alignment: Int, _ zeroed: Bool
  ) throws(PageArenaError) -> UnsafeMutableRawPointer {
    // Of pages that were just taken for the caller.
    unsafe PageSpace.memory(at: try take(pages, alignment, zeroed))
  }

  /// The same.
  ///
  /// - Returns: the address.
  @inline(__always)
  func take(_ pages: Int, _ alignment: Int, _ zeroed: Bool) throws(PageArenaError) -> UInt {
    try serve(pages, alignment) { arena throws(PageArenaError) in
      try arena.take(pages, alignment, zeroed)
    }
  }

  /// Gives a run back, or a part of one.
  ///
  /// - Parameters: as for ``PageArena/deallocate(_:pages:)``.
  /// - Throws: as there. Nothing has changed then.
  /// - Complexity: as there.
  @inlinable
  public func deallocate(
    _ base: UnsafeMutableRawPointer, pages: Int
  ) throws(PageArenaError) {
    // Only the address is looked at. The cache lives as long as the pool.
    let address = UInt(bitPattern: base)
    if let cache = cacheInLastSlot, let run = cache.front.run(at: address, of: pages),
      cache.front.enter()
    {
      if cache.front.takeBackHot(run, address, pages, as: .raw) { return }
      return try ArenaCore(of: cache.front).deallocateInside(
        address, run.page, pages, cache)
    }
    try deallocateColdly(address, pages)
  }

  @usableFromInline @inline(never)
  func deallocateColdly(_ address: UInt, _ pages: Int) throws(PageArenaError) {
    try withOwner(of: address) { arena throws(PageArenaError) in
      try arena.deallocateColdly(address, pages)
    }
  }

  /// Gives the whole run back that starts at an address.
  ///
  /// - Parameter base: the address of the run's first page.
  /// - Throws: as ``PageArena/deallocate(_:)``.
  /// - Complexity: as there.
  public func deallocate(_ base: UnsafeMutableRawPointer) throws(PageArenaError) {
    // Only the address is looked at; so below.
    let address = UInt(bitPattern: base)
    try withOwner(of: address) { arena throws(PageArenaError) in
      try arena.giveBackRun(at: address)
    }
  }

  /// Gives all runs back that fill a range, the first and the last perhaps in part.
  ///
  /// - Parameters: as for ``PageArena/deallocateRuns(from:pages:)``.
  /// - Throws: as there.
  /// - Complexity: as there.
  public func deallocateRuns(
    from base: UnsafeMutableRawPointer, pages: Int
  ) throws(PageArenaError) {
    let address = UInt(bitPattern: base)
    try withOwner(of: address) { arena throws(PageArenaError) in
      try arena.core.deallocateRuns(address, pages)
    }
  }
}

// MARK: - Which arena

extension PagePool {
  /// Runs `body` with the arena that owns an address, and leaves it to the thread's own what it
  /// takes next.
  ///
  /// - Throws: there is none: the address is nobody's.
  /// - Complexity: O(1).
  func withOwner<Result>(
    of address: UInt, _ body: (PageArena) throws(PageArenaError) -> Result
  ) throws(PageArenaError) -> Result {
    var result: Result?
    try keepingLastSlot(firstNumber, count: mostArenas) { () throws(PageArenaError) in
      if let index = index(of: address) { result = try withArena(index, body) }
    }
    guard let result else { throw .foreign(base: address) }
    return result
  }

  /// Refuses what no arena can serve, so that none is made for it.
  ///
  /// - Parameter guards: pages of guards that are taken with so many.
  func check(_ pages: Int, _ alignment: Int, guards: Int = 0) throws(PageArenaError) {
    // The handler of a signal, in the middle of something that its own thread does.
    if InsideMark.isAny { throw .reentered }
    let limit = (Geometry.growableChunks.count << Geometry.chunkPagesLog) - guards
    guard pages > 0, pages <= limit else { throw .badPageCount(pages: pages, limit: limit) }
    guard Geometry.isAlignment(alignment) else { throw .badAlignment(alignment: alignment) }
  }

  /// Runs `body` with an arena that has room for a run: the thread's; else any other that there is;
  /// else a new one. Where none has, each is to try in earnest.
  ///
  /// - Parameter body: takes a run of so many pages.
  func serve<Result: ~Copyable>(
    _ pages: Int, _ alignment: Int, guards: Int = 0,
    _ body: (PageArena) throws(PageArenaError) -> Result
  ) throws(PageArenaError) -> Result {
    try check(pages, alignment, guards: guards)
    var largest = 0
    let home = home()
    if let run = try attempt(at: home, pages, &largest, isLast: false, body) { return run }
    for index in 0..<arenas.count where index != home {
      if let run = try attempt(at: index, pages, &largest, isLast: false, body) {
        move(to: index, pages)
        return run
      }
    }
    var refusal: PageArenaError?
    let fits = fitsAnArena(pages, alignment, guards: guards)
    var patience = Patience()
    for index in 0..<arenas.count where fits && arenas.load(index) <= Self.beingMade {
      do throws(PageArenaError) {
        // Where another thread is at it, its arena may do for both.
        if try !makeArena(index) {
          while arenas.load(index) == Self.beingMade, patience.waits() {}
        }
      } catch {
        refusal = error
        break
      }
      if let run = try attempt(at: index, pages, &largest, isLast: false, body) {
        move(to: index, pages)
        return run
      }
    }
    // Others may be making one just now.
    for index in 0..<arenas.count {
      while arenas.load(index) == Self.beingMade, patience.waits() {}
      if let run = try attempt(at: index, pages, &largest, isLast: true, body) { return run }
    }
    if let refusal { throw refusal }
    throw .outOfMemory(pages: pages, largestFreeRun: largest)
  }

  /// Whether an arena in which nothing is has room for a run. On a 32-bit host none is made later.
  private func fitsAnArena(_ pages: Int, _ alignment: Int, guards: Int) -> Bool {
    // An arena of a pool lies at a multiple of all that an address can be a multiple of.
    let grown = Geometry.growableChunks
    let aligned = PageSpace.pageCount(in: alignment)
    let first = max(aligned, grown.lowerBound << Geometry.chunkPagesLog)
    // What is aligned with guards is what has the room for one in front.
    let front = guards == 0 ? 0 : max(aligned, guards / 2)
    return front + pages + guards / 2 <= grown.upperBound << Geometry.chunkPagesLog - first
  }

  /// Has one arena try.
  ///
  /// - Parameters:
  ///   - largest: becomes the longest run that any arena has.
  ///   - isLast: it tries in earnest, which may take long, although it does not seem to have room.
  /// - Returns: `nil` where it has none; or where there is no arena.
  private func attempt<Result: ~Copyable>(
    at index: Int, _ pages: Int, _ largest: inout Int, isLast: Bool,
    _ body: (PageArena) throws(PageArenaError) -> Result
  ) throws(PageArenaError) -> Result? {
    var longest = 0
    defer { largest = max(largest, longest) }
    let found = try withArena(index) { arena throws(PageArenaError) -> Result? in
      if !isLast, !arena.core.seemsToHave(pages) { return nil }
      do throws(PageArenaError) {
        return try body(arena)
      } catch {
        guard case .outOfMemory(_, let found) = error else { throw error }
        longest = found
        return nil
      }
    }
    return found ?? nil
  }

  /// The place of the arena from which the calling thread takes.
  private func home() -> Int {
    if let note = noteInSlot(number, at: place) { return Int(bitPattern: note) - 1 }
    let turn = threads.wrappingAdd(1, ordering: .relaxed).oldValue
    var index = Int(bitPattern: UInt(bitPattern: turn) % UInt(bitPattern: homeCount))
    if arenas.load(index) == 0 { _ = try? makeArena(index) }
    // Somebody is just making it, or there is no memory for its tables: the first is always there.
    if arenas.load(index) <= Self.beingMade { index = 0 }
    setNote(UInt(index + 1), number, at: place)
    return index
  }

  /// Has the calling thread take from another arena from now on, if its own has no room for short
  /// runs any more.
  private func move(to index: Int, _ pages: Int) {
    if pages <= RunTable.longestShort { setNote(UInt(index + 1), number, at: place) }
  }
}

extension ArenaCore {
  /// Whether there is a run of so many pages, or room to grow for it, as far as one look tells.
  fileprivate func seemsToHave(_ pages: Int) -> Bool {
    // Where the arena's address space comes in pieces, the arena itself asks for more.
    Reservation.offsetsAreAddresses || withHeap { $0.largestAvailableRun >= pages }
  }
}
