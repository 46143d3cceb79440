import SysMem

// A run with an owner
// ===================
//
//   let run = try arena.allocateRun(pages: 4)      the only owner: it cannot be copied
//   run.mutableBytes ...                           a span that cannot outlive it
//   }                                              freed here, or when it is consumed before
//
// It is four words: the address, the pages, the arena's core (held without counting, see Owners)
// and what its end has to undo.

/// A run of pages that frees itself when its owner lets it go.
///
/// It can be moved, also to another thread, but not copied: a double free does not compile, and
/// there is nothing to leak by mistake. When the arena goes first, the memory stays until the last
/// run has gone.
///
/// ```swift
/// var run = try arena.allocateRun(pages: 4)
/// var bytes = run.mutableBytes
/// bytes.storeBytes(of: 42, as: Int.self)
/// ```
@frozen
@safe
public struct PageRun: ~Copyable, @unchecked Sendable {
  // @unchecked: the memory is the run's alone, and the arena's methods may be called from anywhere.
  //
  // Invariant: at `start` are `pages` pages that are in use and nobody else's; `core` lives as long
  // as owners that are counted, of which this is one.
  @usableFromInline var start: UInt
  @usableFromInline var pageCount: Int
  @usableFromInline let core: ArenaCore
  @usableFromInline var traits: RunTraits

  // Unsafe: nothing says that the pages are the caller's but the caller.
  @unsafe @inlinable @inline(__always)
  init(
    at start: UInt, pages: Int, core: ArenaCore, traits: RunTraits = RunTraits(rawValue: 0)
  ) {
    self.start = start
    pageCount = pages
    self.core = core
    self.traits = traits
  }

  /// Gives the pages back.
  @inlinable
  deinit { release() }

  @inlinable @inline(__always)
  func release() {
    if traits.rawValue == 0 {
      core.giveBackOwned(start, pages: pages)
    } else {
      releaseSpecial()
    }
  }

  @usableFromInline @inline(never)
  func releaseSpecial() {
    core.giveBackSpecial(start, pages: pages, traits)
  }
}

// MARK: - Looking

extension PageRun {
  /// How many pages of 8 KiB it has.
  public internal(set) var pages: Int {
    @inlinable get { pageCount }
    set { pageCount = newValue }
  }

  /// Its size in bytes.
  public var byteCount: Int { pages << Geometry.pageShift }

  /// The address of its first byte.
  public var address: UInt { start }

  /// Its memory, which is there as long as the run.
  var base: UnsafeMutableRawPointer { unsafe PageSpace.memory(at: start) }

  /// Where it lies in the arena, in bytes: a handle of 32 bits.
  ///
  /// ``PageArena/bytes(at:)`` turns it back into memory. It means nothing once the run has gone. Of
  /// a run of a pool's, ``PagePool/offset(of:)-(PageRun)`` tells it in the pool.
  public var offset: UInt32 { core.offset(of: start) }
}

extension PageRun {
  /// Its pages and where they lie: `PageRun(4 pages at 0x7f3a40006000)`.
  public var description: String {
    "PageRun(\(pages) page\(pages == 1 ? "" : "s") at 0x\(String(address, radix: 16)))"
  }
}

/// Writes a run's description to standard output, which the standard library's `print` does only
/// for what can be copied.
///
/// - Complexity: O(1).
public func print(_ run: borrowing PageRun) { Swift.print(run.description) }

// MARK: - Ends

extension PageRun {
  /// Gives the pages back now, rather than where the run goes out of scope.
  ///
  /// - Complexity: O(1) in the heap; O(pages / 512). Of a run that is protected, locked or guarded,
  ///   calls to the kernel.
  public consuming func deallocate() {
    // The end of the scope is now.
  }

  /// Lets go of the pages without giving them back: the caller frees them, or hands them to
  /// ``PageArena/adopt(_:pages:)``.
  ///
  /// They are plain memory then: guards and the like are undone, the contents stay.
  /// - Returns: the memory. It ends with the arena, at the latest.
  /// - Throws: ``PageArenaError/system(_:)`` where the kernel would not undo what was special about
  ///   the run, ``PageArenaError/limitReached(pages:inUseBytes:limitBytes:)`` where it was
  ///   inaccessible and does not fit, ``PageArenaError/notPlain(base:)`` where it was advised about
  ///   huge pages, which nothing undoes; the run has gone as if it were dropped.
  /// - Complexity: O(1); of a run that is protected, locked or guarded, calls to the kernel.
  public consuming func leak() throws(PageArenaError) -> UnsafeMutableRawBufferPointer {
    if let refusal = isAdvised ? .notPlain(base: address) : makePlain() {
      _ = consume self
      throw refusal
    }
    let memory = unsafe UnsafeMutableRawBufferPointer(start: base, count: byteCount)
    core.discountOwner()
    discard self
    return unsafe memory
  }

  /// Makes two runs of one.
  ///
  /// ```swift
  /// let halves = run.split(at: 1)
  /// halves.lower.deallocate()
  /// print(halves.upper.pages)
  /// ```
  ///
  /// - Parameter page: how many pages go to the first.
  /// - Precondition: `page` is in 1 ..< `pages`; where the kernel's pages are larger, a run that is
  ///   protected, guarded or the like is cut between two of them.
  /// - Complexity: O(1).
  public consuming func split(at page: Int) -> Halves {
    precondition(page > 0 && page < pages, "split(at:): page is not inside the run")
    precondition(canSplit(at: page), "split(at:): page is inside a page of the kernel's")
    // The second owner is counted from now on.
    let first = core.page(of: start)
    core.withHeap { heap in
      heap.divide(first, at: first &+ page)
      heap.owners.live &+= 1
    }
    let both = traits.intersection(.inherited)
    let lower = unsafe PageRun(
      at: start, pages: page, core: core,
      traits: both.union(traits.intersection(.guardBefore)))
    let upper = unsafe PageRun(
      at: start + ArenaCore.byteCount(page), pages: pages - page, core: core,
      traits: both.union(traits.intersection(.guardAfter)))
    discard self
    return Halves(lower: lower, upper: upper)
  }

  /// Takes over the pages of the run that follows this one: what ``split(at:)`` undoes.
  ///
  /// They must lie side by side, of one arena, with nothing between them, and be alike: protected,
  /// locked and so on in the same way. What is decommitted of either stays that.
  ///
  /// ```swift
  /// if let other = halves.lower.join(halves.upper) {
  ///   // They do not fit together: both are as they were.
  ///   other.deallocate()
  /// }
  /// ```
  ///
  /// - Parameter next: the other one.
  /// - Returns: the other one, as it was, where they do not fit together.
  /// - Complexity: O(1).
  public mutating func join(_ next: consuming PageRun) -> PageRun? {
    guard core.number == next.core.number, next.address == address + ArenaCore.byteCount(pages),
      !traits.contains(.guardAfter), !next.traits.contains(.guardBefore),
      traits.intersection(.alike) == next.traits.intersection(.alike), !core.isInside
    else { return next }
    let first = core.page(of: start)
    let total = pages + next.pages
    core.withHeap { heap in
      heap.join(first..<(first + total))
      // This one goes on.
      heap.owners.live &-= 1
    }
    pages = total
    traits.formUnion(next.traits.intersection([.guardAfter, .decommitted]))
    next.forget()
    return nil
  }

  /// Whether each of two parts can be undone by itself.
  func canSplit(at page: Int) -> Bool {
    traits.isSubset(of: .plainMemory) || page == pages
      || UInt(page << Geometry.pageShift) & UInt(physicalPageSize - 1) == 0
  }

  /// The kernel's page in bytes.
  var physicalPageSize: Int { core.physicalPageSize }

  /// The two runs that ``split(at:)`` makes of one.
  @frozen
  public struct Halves: ~Copyable, Sendable {
    /// The one at the lower address.
    public var lower: PageRun
    /// The one that follows it.
    public var upper: PageRun

    @inlinable
    init(lower: consuming PageRun, upper: consuming PageRun) {
      self.lower = lower
      self.upper = upper
    }
  }
}
