import SysMem

extension PageArena {
  /// Free runs at hand for one owner: the shortest way to pages, with no look at the thread.
  ///
  /// What ``PageArena/allocate(pages:alignment:zeroed:)`` does by way of the calling thread's
  /// cache, a handle does by way of its own. It is for one owner at a time, who may hand it on.
  /// Runs are the arena's: one that was allocated here may be freed anywhere, and the other way
  /// round.
  ///
  /// ```swift
  /// var cache = try arena.makeCache()
  /// let run = unsafe try cache.allocate(pages: 1)
  /// unsafe try cache.deallocate(run, pages: 1)
  /// ```
  /// When the handle goes, the free runs that it has go back to the arena, which it keeps until
  /// then.
  @safe
  public struct Cache: ~Copyable, @unchecked Sendable {
    // @unchecked: a handle has one owner at a time, since it cannot be copied, and its cache no
    // other.

    /// The arena that it belongs to.
    public let arena: PageArena
    // Invariant: obtained from the arena, lives as long, and is retired once, in `deinit`.
    @usableFromInline let cache: CacheReference

    fileprivate init(arena: PageArena, cache: CacheReference) {
      self.arena = arena
      self.cache = cache
    }

    deinit { arena.core.retire(cache) }

    /// Takes a run of pages; as ``PageArena/allocate(pages:alignment:zeroed:)``, not zeroed.
    ///
    /// - Throws: as that.
    /// - Complexity: O(1) in the heap; O(`pages` / 512).
    @inlinable
    public mutating func allocate(
      pages: Int, alignment: Int = PageArena.pageSize
    ) throws(PageArenaError) -> UnsafeMutableRawPointer {
      if alignment == PageArena.pageSize, cache.front.enter() {
        let run = cache.front.handOutHot(pages, as: .raw)
        // Where there is one, it is the address of pages that were just taken for the caller.
        if let pointer = unsafe UnsafeMutableRawPointer(bitPattern: run) { return unsafe pointer }
        return unsafe try arena.core.allocateInside(pages, cache)
      }
      return unsafe try allocateColdly(pages, alignment)
    }

    @usableFromInline @inline(never)
    mutating func allocateColdly(
      _ pages: Int, _ alignment: Int
    ) throws(PageArenaError) -> UnsafeMutableRawPointer {
      let run = try arena.core.allocate(pages, alignment, zeroed: false, through: cache)
      // Of pages that were just taken for the caller.
      return unsafe PageSpace.memory(at: run)
    }

    /// Gives a run back, or a part of one; as ``PageArena/deallocate(_:pages:)``.
    ///
    /// - Throws: as that.
    /// - Complexity: O(1) in the heap; O(`pages` / 512).
    @inlinable
    public mutating func deallocate(
      _ base: UnsafeMutableRawPointer, pages: Int
    ) throws(PageArenaError) {
      // Only the address is looked at.
      let address = UInt(bitPattern: base)
      if let run = cache.front.run(at: address, of: pages), cache.front.enter() {
        if cache.front.takeBackHot(run, address, pages, as: .raw) { return }
        return try arena.core.deallocateInside(address, run.page, pages, cache)
      }
      try deallocateColdly(address, pages)
    }

    @usableFromInline @inline(never)
    mutating func deallocateColdly(_ address: UInt, _ pages: Int) throws(PageArenaError) {
      try arena.core.deallocate(address, pages, through: cache)
    }
  }

  // MARK: - For callers whose own code is to stay short: the door for C

  /// The run that the calling thread freed last, if it has just so many pages.
  ///
  /// - Parameters:
  ///   - number: of the arena (``registration``), so that no reference is counted.
  ///   - pages: any number.
  /// - Returns: its address, which is the caller's now; 0 for none.
  @inlinable @inline(__always)
  package static func allocateHot(_ number: UInt, pages: Int) -> UInt {
    guard let cache = cacheInLastSlot(number) else { return 0 }
    return cache.front.allocateHot(pages)
  }

  /// Takes a run back where its place is free, as the one that is handed out next.
  ///
  /// - Parameters:
  ///   - number: as above.
  ///   - address: any.
  ///   - pages: any number.
  /// - Returns: `false`, with nothing changed, where there is more to do.
  @inlinable @inline(__always)
  package static func deallocateHot(
    _ number: UInt, _ address: UInt, pages: Int
  ) -> Bool {
    guard let cache = cacheInLastSlot(number) else { return false }
    return cache.front.deallocateHot(address, pages)
  }

  /// A cache of the caller's own.
  ///
  /// ```swift
  /// var cache = try arena.makeCache()
  /// let page = unsafe try cache.allocate(pages: 1)
  /// unsafe try cache.deallocate(page, pages: 1)
  /// ```
  ///
  /// - Throws: ``PageArenaError/system(_:)`` where the kernel refused memory for it.
  /// - Complexity: O(1), and the arena's lock; perhaps a call to the kernel.
  public func makeCache() throws(PageArenaError) -> Cache {
    try core.requireOutside()
    do throws(SysMemError) {
      return Cache(arena: self, cache: try core.obtainCache(for: 0))
    } catch { throw .system(error) }
  }
}

extension PageArena.Cache {
  /// As ``PageArena/allocateHot(_:pages:)``, of the handle's own.
  @inlinable @inline(__always)
  package mutating func allocateHot(pages: Int) -> UInt {
    cache.front.allocateHot(pages)
  }

  /// As ``PageArena/deallocateHot(_:_:pages:)``, of the handle's own.
  @inlinable @inline(__always)
  package mutating func deallocateHot(_ address: UInt, pages: Int) -> Bool {
    cache.front.deallocateHot(address, pages)
  }
}

extension CacheFront {
  @inlinable @inline(__always)
  borrowing func allocateHot(_ pages: Int) -> UInt {
    guard enter() else { return 0 }
    let run = handOutHot(pages, as: .raw)
    if run == 0 { leave() }
    return run
  }

  @inlinable @inline(__always)
  borrowing func deallocateHot(_ address: UInt, _ pages: Int) -> Bool {
    guard let run = run(at: address, of: pages), enter() else { return false }
    if takeBackHot(run, address, pages, as: .raw) { return true }
    leave()
    return false
  }
}
