import Synchronization

// Free runs at hand
// =================
//
// What one owner (a thread, or whoever holds a handle) freed lately, to be handed out again without a
// lock: a stack of runs for each size up to 127 pages, and a few longer ones.
//
//   filled   bit n: there may be a run of n pages; cleared only when a search finds none
//   counts   runs of each size
//   runs     16 a size:  | run | run | run |   |   | ...
//   longer   4 runs of more than 127 pages, matched by size
//
// A request takes a run of its own size, or cuts the smallest larger one. To the allocator these pages
// are in use; they are nobody's. Runs are not joined here: the allocator does that when they go back.
//
// Who may touch it
// ----------------
// The owner, between `enter` and `leave`; and whoever holds the arena's heap lock, the owner included,
// while the owner is outside. Another thread makes sure of that by `stop`: it asks, makes every thread
// of the process pass a barrier, and looks at `busy`. So the owner needs no atomic operation, only
// plain stores and loads in order: the barrier is the other side's.
//
//   owner    busy := 1; (compiler barrier) if stop ≠ 0 give way; ...; busy := 0 (release)
//   others   stop := 1; membarrier; heap lock; if busy = 0 (acquire) take all; stop := 0 (release)

/// The free runs that one owner keeps at hand.
@safe
struct RunCache: ~Copyable {
  private var filled = InlineArray<2, UInt64>(repeating: 0)

  /// The owner is inside: written by the owner alone, read by who wants to take all.
  let busy = Atomic<UInt32>(0)
  /// Somebody wants to take all: written with the heap lock held, read by the owner.
  let stop = Atomic<UInt32>(0)
  /// Pages in all runs: written by who may touch the cache, read by the statistics at any time.
  let pageCount = Atomic<Int>(0)
  /// Owners (`PageRun`) that came by this cache, less those that went by it: written by the cache's owner,
  /// inside; what all caches have is added up when the arena ends.
  let owners = Atomic<Int>(0)

  /// Pages that the cache takes without a look at the arena. It grows by doubling, each time by way of the
  /// lock, so that whoever returns memory hears of much that is kept at hand.
  private(set) var bound = Self.firstBound

  private var counts = InlineArray<128, UInt8>(repeating: 0)
  private var runs = InlineArray<2048, UInt32>(repeating: 0)
  private var longer = InlineArray<4, LongRun>(repeating: LongRun(page: 0, pageCount: 0))

  /// The next cache of the same arena. Guarded by the heap lock.
  var next: UnsafeMutablePointer<RunCache>?
  /// Somebody uses it; else it waits for a new owner. Guarded by the heap lock.
  var isOwned = true

  /// The longest run that has a stack of its own.
  static var longestStacked: Int { 127 }
  /// The least that `bound` is: 1 MiB.
  private static var firstBound: Int { 128 }
  /// Runs a stack.
  static var depth: Int { 16 }

  private struct LongRun {
    var page: UInt32
    var pageCount: UInt32
  }

  init() {}
}

/// A run out of a cache.
struct CachedRun {
  private static let cleanFlag: UInt32 = 1 << 31
  /// The first page, and whether the pages read as zero.
  let packed: UInt32

  @inline(__always)
  init(packed: UInt32) { self.packed = packed }

  @inline(__always)
  init(page: PageNumber, isClean: Bool) {
    packed = UInt32(truncatingIfNeeded: page) | (isClean ? Self.cleanFlag : 0)
  }

  @inline(__always)
  var page: PageNumber { Int(packed & ~Self.cleanFlag) }

  /// All of its pages are known to read as zero.
  @inline(__always)
  var isClean: Bool { packed & Self.cleanFlag != 0 }
}

// MARK: - The bound. Call with the heap lock held.

extension RunCache {
  /// Makes room for so many pages more, up to a limit.
  mutating func raiseBound(for pages: Int, limit: Int) {
    let wanted = pageCount.load(ordering: .relaxed) &+ pages
    while bound < wanted, bound < limit { bound &*= 2 }
    bound = min(bound, limit)
  }

  /// Back to the least, when all was taken out.
  mutating func resetBound() { bound = Self.firstBound }

  /// What `bound` allows beyond the least, of which nobody takes notice.
  var grant: Int { max(0, bound &- Self.firstBound) }
}

// MARK: - The owner's side

extension RunCache {
  /// Starts an access by the owner.
  ///
  /// - Returns: `false` where somebody wants to take all: the owner must go by the lock.
  @inline(__always)
  borrowing func enter(barrier: () -> Void) -> Bool {
    busy.store(1, ordering: .relaxed)
    barrier()
    if stop.load(ordering: .acquiring) == 0 { return true }
    busy.store(0, ordering: .releasing)
    return false
  }

  /// Ends an access by the owner.
  @inline(__always)
  borrowing func leave() { busy.store(0, ordering: .releasing) }

  /// Counts owners that come or go. Only inside.
  @inline(__always)
  borrowing func count(owners more: Int) {
    owners.store(owners.load(ordering: .relaxed) &+ more, ordering: .relaxed)
  }
}

// MARK: - Runs. Only for who may touch the cache.

extension RunCache {
  /// Takes a run of so many pages, or cuts it from a longer one.
  ///
  /// - Parameter pages: 1 ... 127.
  /// - Returns: `nil` where no run is long enough.
  @inline(__always)
  mutating func take(_ pages: Int) -> CachedRun? {
    let count = count(of: pages)
    if count == 0 { return cut(pages) }
    return CachedRun(packed: pop(pages, count))
  }

  /// Takes a run of just so many pages.
  ///
  /// - Parameter pages: 1 ... 127.
  @inline(__always)
  mutating func takeExact(_ pages: Int) -> CachedRun? {
    let count = count(of: pages)
    return count == 0 ? nil : CachedRun(packed: pop(pages, count))
  }

  /// Puts a run by.
  ///
  /// - Parameters:
  ///   - pages: 1 ... 127.
  ///   - limit: pages that the cache may hold.
  /// - Returns: `false`, with nothing changed, where there is no room.
  @inline(__always)
  mutating func put(_ run: CachedRun, _ pages: Int, limit: Int) -> Bool {
    let total = pageCount.load(ordering: .relaxed) &+ pages
    let count = count(of: pages)
    if total > limit || count == Self.depth { return false }
    push(run.packed, pages, count)
    pageCount.store(total, ordering: .relaxed)
    return true
  }

  @inline(__always)
  private mutating func push(_ packed: UInt32, _ pages: Int, _ count: UInt8) {
    // In range: pages is 1 ... 127 and count 0 ... 15.
    unsafe runs[unchecked: pages &* Self.depth &+ Int(count)] = packed
    unsafe counts[unchecked: pages] = count &+ 1
    if count == 0 {
      unsafe filled[unchecked: pages >> 6] |=
        1 &<< UInt64(truncatingIfNeeded: pages & 63)
    }
  }

  @inline(__always)
  private mutating func pop(_ pages: Int, _ count: UInt8) -> UInt32 {
    // In range: pages is 1 ... 127 and count 1 ... 16.
    unsafe counts[unchecked: pages] = count &- 1
    pageCount.store(pageCount.load(ordering: .relaxed) &- pages, ordering: .relaxed)
    return unsafe runs[unchecked: pages &* Self.depth &+ Int(count) &- 1]
  }

  /// Cuts a run off the smallest longer one.
  @inline(never)
  private mutating func cut(_ pages: Int) -> CachedRun? {
    guard let longer = smallestFilled(from: pages + 1) else { return nil }
    let rest = longer - pages
    let run = CachedRun(packed: pop(longer, count(of: longer)))
    let left = CachedRun(page: run.page + pages, isClean: run.isClean)
    if !put(left, rest, limit: .max) {
      // No room for the rest: the whole run stays, and the request goes to the allocator.
      _ = put(run, longer, limit: .max)
      return nil
    }
    return run
  }

  /// The smallest size, `pages` or above, of which there is a run.
  private mutating func smallestFilled(from pages: Int) -> Int? {
    var index = pages >> 6
    var mask: UInt64 = ~0 &<< UInt64(truncatingIfNeeded: pages & 63)
    while index < 2 {
      // 0 or 1, by the condition.
      var bits = unsafe filled[unchecked: index] & mask
      while bits != 0 {
        let size = index << 6 | bits.trailingZeroBitCount
        if count(of: size) != 0 { return size }
        let lowest = bits & (0 &- bits)
        unsafe filled[unchecked: index] &= ~lowest
        bits &= ~lowest
      }
      mask = ~0
      index += 1
    }
    return nil
  }

  /// Runs of a size. A checked access would copy the whole array to read from it.
  @inline(__always)
  private func count(of pages: Int) -> UInt8 {
    assert(pages >= 0 && pages <= Self.longestStacked)
    // In range, by the assertion.
    return unsafe counts[unchecked: pages]
  }

  /// Takes a run of just so many pages, more than 127.
  mutating func takeLong(_ pages: Int) -> PageNumber? {
    var index = 0
    while index < 4 {
      // 0 ... 3. A checked access would copy the whole array to read from it.
      let run = unsafe longer[unchecked: index]
      if Int(run.pageCount) == pages {
        unsafe longer[unchecked: index].pageCount = 0
        pageCount.store(pageCount.load(ordering: .relaxed) &- pages, ordering: .relaxed)
        return Int(run.page)
      }
      index &+= 1
    }
    return nil
  }

  /// Puts a run of more than 127 pages by.
  ///
  /// - Returns: `false`, with nothing changed, where there is no room.
  mutating func putLong(_ page: PageNumber, _ pages: Int, limit: Int) -> Bool {
    let total = pageCount.load(ordering: .relaxed) &+ pages
    if total > limit { return false }
    var index = 0
    while index < 4 {
      // 0 ... 3.
      if unsafe longer[unchecked: index].pageCount == 0 {
        unsafe longer[unchecked: index] = LongRun(
          page: UInt32(truncatingIfNeeded: page), pageCount: UInt32(truncatingIfNeeded: pages))
        pageCount.store(total, ordering: .relaxed)
        return true
      }
      index &+= 1
    }
    return false
  }

  /// Takes runs out, the longest first, until at most `target` pages are left.
  mutating func drain(to target: Int, _ body: (_ page: PageNumber, _ pages: Int) -> Void) {
    drainLong(to: target, body)
    var pages = Self.longestStacked
    while pages > 0, pageCount.load(ordering: .relaxed) > target {
      drain(stack: pages, to: 0, body)
      pages -= 1
    }
  }

  /// Takes runs of more than 127 pages out, until at most `target` pages are left in all.
  mutating func drainLong(to target: Int, _ body: (_ page: PageNumber, _ pages: Int) -> Void) {
    for index in 0..<longer.count where pageCount.load(ordering: .relaxed) > target {
      let run = longer[index]
      if run.pageCount == 0 { continue }
      longer[index].pageCount = 0
      pageCount.store(
        pageCount.load(ordering: .relaxed) &- Int(run.pageCount), ordering: .relaxed)
      body(Int(run.page), Int(run.pageCount))
    }
  }

  /// Forgets all runs, as whoever was inside left them: for a child of `fork`, where the owner is gone.
  ///
  /// Owners stay counted: one that was coming is already, one that was going still is.
  mutating func forget() {
    filled = InlineArray(repeating: 0)
    counts = InlineArray(repeating: 0)
    longer = InlineArray(repeating: LongRun(page: 0, pageCount: 0))
    pageCount.store(0, ordering: .relaxed)
    resetBound()
    leave()
  }

  /// Takes runs of one size out until at most `target` runs of it are left.
  ///
  /// - Parameter pages: 1 ... 127.
  mutating func drain(
    stack pages: Int, to target: Int, _ body: (_ page: PageNumber, _ pages: Int) -> Void
  ) {
    while Int(count(of: pages)) > target {
      body(CachedRun(packed: pop(pages, count(of: pages))).page, pages)
    }
  }
}
