import SysMem

extension PageArena {
  /// Takes a run of pages that frees itself.
  ///
  /// - Parameters:
  ///   - pages: how many, at least 1.
  ///   - alignment: what the address is to be a multiple of, in bytes; a power of two.
  ///   - zeroed: the memory is to read as zero.
  /// - Throws: as ``allocate(pages:alignment:zeroed:)``.
  /// - Complexity: O(1) in the heap; O(`pages` / 512).
  @inlinable
  public func allocateRun(
    pages: Int, alignment: Int = PageArena.pageSize, zeroed: Bool = false
  ) throws(PageArenaError) -> PageRun {
    // No alignment beyond the page, and nothing to clear: perhaps the thread has them at hand.
    if alignment == Self.pageSize, !zeroed, ownersUseCaches, let cache = unsafe cacheInFirstSlot() {
      let run = unsafe cache.allocate(pages, by: .owner)
      // Where there is one, it is the address of pages that were just taken for the caller.
      if let base = unsafe UnsafeMutableRawPointer(bitPattern: run) {
        // What the cache was made with: the arena's core.
        return unsafe PageRun(
          base: base, pages: pages, arena: .fromOpaque(cache.front.pointee.core))
      }
    }
    return try allocateRunSlowly(pages, alignment, zeroed)
  }

  @usableFromInline @inline(never)
  func allocateRunSlowly(
    _ pages: Int, _ alignment: Int, _ zeroed: Bool
  ) throws(PageArenaError) -> PageRun {
    if alignment != Self.pageSize || zeroed, ownersUseCaches, let cache = unsafe cacheInFirstSlot(),
      let base = unsafe takeCached(pages, alignment, zeroed, cache, by: .owner)
    {
      return unsafe PageRun(base: base, pages: pages, arena: core)
    }
    let base = unsafe try takeOwnedSlowly(pages, alignment: alignment, zeroed: zeroed)
    return unsafe PageRun(base: base, pages: pages, arena: core)
  }

  /// Makes an owner for a run that has none: from ``allocate(pages:alignment:zeroed:)``, or leaked.
  ///
  /// - Parameters:
  ///   - base: the address of its first page.
  ///   - pages: how many it has, all of them.
  /// - Throws: what ``deallocate(_:pages:)`` throws for such a range;
  ///   ``PageArenaError/notInUse(base:pages:)`` where no run starts there, and
  ///   ``PageArenaError/badPageCount(pages:limit:)`` for a part of one.
  /// - Warning: the run must have no owner yet, and nobody else may free it from now on.
  /// - Complexity: O(`pages`).
  @unsafe
  public func adopt(
    _ base: UnsafeMutableRawPointer, pages: Int
  ) throws(PageArenaError) -> PageRun {
    let address = UInt(bitPattern: base)
    let page = try page(at: address, pages)
    try countOwner(of: page..<(page + pages), address)
    return unsafe PageRun(base: base, pages: pages, arena: core)
  }

  /// Turns a run's handle back into its memory.
  ///
  /// - Parameter offset: ``PageRun/offset`` of a run in use, guards and all that is special about it aside.
  /// - Returns: the memory. It is the run's: what the owner says about using it holds.
  /// - Throws: ``PageArenaError/notARun(offset:)``.
  /// - Complexity: O(pages of the run).
  @unsafe
  public func bytes(at offset: UInt32) throws(PageArenaError) -> UnsafeMutableRawBufferPointer {
    let page = Int(offset >> UInt32(Geometry.pageShift))
    guard offset & UInt32(Self.pageSize - 1) == 0, let count = length(of: page) else {
      throw .notARun(offset: offset)
    }
    return unsafe UnsafeMutableRawBufferPointer(
      start: pointer(to: page), count: count << Geometry.pageShift)
  }

  /// The object that the arena's owners refer to.
  @inline(__always)
  var core: Unmanaged<PageArena> {
    guard let core = unsafe state.pointee.owned.core else { corrupted("an arena without a core") }
    return unsafe core
  }

  /// Notes one more owner, if a range is a whole run.
  private func countOwner(of whole: Range<PageNumber>, _ address: UInt) throws(PageArenaError) {
    unsafe state.locks.pointee.heap.lock()
    defer { unsafe state.locks.pointee.heap.unlock() }
    let run = unsafe try state.pointee.run(around: whole, base: address)
    guard run.lowerBound == whole.lowerBound else {
      throw .notInUse(base: address, pages: whole.count)
    }
    guard run == whole else { throw .badPageCount(pages: whole.count, limit: run.count) }
    unsafe state.pointee.owned.live &+= 1
  }

  private func length(of page: PageNumber) -> Int? {
    unsafe state.locks.pointee.heap.lock()
    defer { unsafe state.locks.pointee.heap.unlock() }
    return unsafe state.pointee.runLength(at: page)
  }
}
