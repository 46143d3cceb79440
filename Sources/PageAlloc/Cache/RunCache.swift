import CThreadSlots
import Synchronization

// Free runs at hand
// =================
//
// What one owner (a thread, or whoever holds a handle) freed lately, to be handed out again without
// a lock: the one freed last, a stack of runs for each size up to 127 pages, and a few longer ones.
//
//   front    the run freed last, the hot one; another for owners (`PageRun`)
//   filled   bit n: there may be a run of n pages; cleared only when a search finds none
//   counts   runs of each size
//   runs     32 a size:  | run | run | run |   |   | ...
//   long     longer runs, matched by size
//
// A free makes its run the hot one, and the one before goes to its stack. A request takes the hot
// run or one of its own size, or cuts the smallest larger one; one for an alignment does so where
// these lie right (RunCache+Aligned). To the allocator these pages are in use; they are nobody's.
// Runs are not joined here: the allocator does that when they go back.
//
// Who may touch it
// ----------------
// The owner, between `enter` and `leave` of the front; and whoever holds the arena's heap lock, the
// owner included, while the owner is outside. Another thread makes sure of that by closing the
// cache (CacheList): it writes the number of its ticket into it, makes every thread of the process
// pass a barrier, and looks at `isInside`. So the owner needs no atomic operation, only plain
// stores and loads in order: the barrier is the other side's.
//
//   owner    isInside := 1; (compiler barrier) if closedWith ≠ 0 give way; ...;
//            isInside := 0 (release)
//   others   heap lock: closedWith := number; membarrier; heap lock: if closedWith is still that
//            and isInside = 0 (acquire), take all, and closedWith := 0 (release)

/// The free runs that one owner keeps at hand.
@usableFromInline
@safe
package struct RunCache: ~Copyable {
  /// The runs of the stacks, of RunCache+Stacks and RunCache+Aligned: whole pages of the kernel's,
  /// backed only where runs of their sizes were freed. Swift treats a mutation of any field as an
  /// access to the first word, so no word that other threads read may come first.
  var runs = InlineArray<4096, UInt32>(repeating: 0)
  /// Pages in all runs but long ones, with the room that is kept for hot ones: what stays within
  /// the capacity. Written by who may touch the cache, read by the statistics at any time.
  let charged = Atomic<Int>(0)
  /// Owners (`PageRun`) that came by this cache, less those that went by it, that of the hot run
  /// aside: written by the cache's owner, inside; what all caches have is added up when the arena
  /// ends.
  private let owners = Atomic<Int>(0)
  /// Runs that were handed out otherwise than as hot ones. Of the owner; read by the statistics.
  let coldTakes = Atomic<Int>(0)
  /// Runs that stopped to be hot, or were taken back without having been so. Likewise.
  let coldFrees = Atomic<Int>(0)
  /// What was counted of the cache's calls already. Of who holds the heap lock.
  let counted = CountedCalls()
  /// The next and the previous one in the ring of those with an owner. Of CacheList; they lie here
  /// since who asks many caches for their calls reads them together: from one line of the
  /// processor's cache.
  var nextOwned: CacheReference?
  var previousOwned: CacheReference?
  /// How cuts have changed the sizes of runs since the heap was told.
  package var cuts = SizeCounts()
  package var hasCut = false

  /// Pages, long runs aside, that the cache takes without a look at the arena (CacheBudget).
  package internal(set) var capacity = 0

  /// The kernel's number of the thread that owns it; 0 for a handle, or for nobody. Of CacheList.
  package var thread: Int32 = 0
  /// What the owner told of runs, long ones aside.
  var toldPages = 0
  /// While `charged` stays between these, nothing is told. The upper one is within the capacity, so
  /// that a free makes one comparison for both.
  private var quietFloor = 0
  var quietCeiling = 0

  // The stacks: of RunCache+Stacks and RunCache+Aligned.
  var filled = InlineArray<2, UInt64>(repeating: 0)
  var counts = InlineArray<128, UInt8>(repeating: 0)
  /// Runs of more than 127 pages.
  package var long = LongRuns()

  /// Who samples what the owner takes; `nil` where nobody does. In a cache that is sampled no run
  /// is the hot one, and none is long: each call comes by the stacks.
  package var profile: RunProfile?
  /// Pages that the owner takes before the next sample is due. Where there is no profile it is out
  /// of reach.
  var pagesUntilSample = Int.max
  /// By which distance that was decided.
  var doublings = 0

  /// The next cache of the same list; the next that waits for a new owner, if this one does; and
  /// the next of those that may hold something, if this one is among them. Of CacheList.
  var next: CacheReference?
  package var nextRetired: CacheReference?
  var nextStocked: CacheReference?
  var isStocked = false
  /// It waits for a new owner.
  var isRetired = false

  /// What most calls need. It is the last field: behind the first cache of an arena lies the run
  /// table, on the same page.
  package let front: CacheFront

  /// Where the front lies.
  @inlinable @inline(__always)
  static var frontOffset: Int { MemoryLayout<Self>.size &- MemoryLayout<CacheFront>.size }

  /// The longest run that has a stack of its own.
  package static var longestStacked: Int { 127 }
  /// Runs a stack.
  package static var depth: Int { 32 }

  /// An empty cache.
  ///
  /// - Parameters:
  ///   - base: the address of page 0.
  ///   - runs: notes what is handed out.
  ///   - core: what owners (`PageRun`) refer to. To the cache it is only an address.
  ///   - tally: where the cache tells what it holds.
  package init(base: UInt, runs: RunTable, core: UInt, tally: CacheTally) {
    front = CacheFront(base: base, runs: runs, core: core, tally: tally)
  }
}

/// Whose hands runs come from and go to: each kind has a hot run of its own.
@usableFromInline
package enum RunKind {
  /// Those of somebody who calls `allocate` and `deallocate`.
  case raw
  /// Those of an owner (`PageRun`). While an owner's run is the hot one, it has not been counted as
  /// gone.
  case owned
}

// MARK: - What it holds

extension RunCache {
  /// Pages in all runs: exact for who may touch the cache.
  package var heldPages: Int { shortPages &+ long.pageCount.load(ordering: .relaxed) }

  /// The same but for long runs.
  private var shortPages: Int {
    chargedPages &- front.unusedHotPages(.raw) &- front.unusedHotPages(.owned)
  }

  /// Those in runs but long ones, with the room that is kept for hot ones.
  @inline(__always)
  package var chargedPages: Int { charged.load(ordering: .relaxed) }

  @inline(__always)
  borrowing func charge(_ pages: Int) {
    charged.store(charged.load(ordering: .relaxed) &+ pages, ordering: .relaxed)
  }

  /// Tells exactly what the cache holds. For who may touch it; whoever is done with a cache under
  /// the heap lock calls this.
  package mutating func tell() {
    let held = shortPages
    if held != toldPages { front.told.add(held &- toldPages) }
    toldPages = held
    let charged = chargedPages
    quietFloor = charged &- CacheTally.batch
    quietCeiling = min(capacity, charged &+ CacheTally.batch)
  }

  /// Takes a long run as ``LongRuns/take(_:where:)`` does, and tells of it; so below.
  @inline(__always)
  mutating func takeLong(_ pages: Int, where fits: (PageNumber) -> Bool) -> PageNumber? {
    guard let page = long.take(pages, where: fits) else { return nil }
    front.told.add(0 &- pages)
    return page
  }

  /// Puts a long run by.
  @inline(__always)
  mutating func putLong(_ page: PageNumber, _ pages: Int) -> Bool {
    guard long.put(page, pages) else { return false }
    front.told.add(pages)
    return true
  }

  /// Takes all long runs out.
  mutating func drainLong(_ body: (_ page: PageNumber, _ pages: Int) -> Void) {
    front.told.add(0 &- long.pageCount.load(ordering: .relaxed))
    long.drain(body)
  }

  /// Whether what the cache holds has become less by a batch since it told.
  @inline(__always)
  var isToldTooMuch: Bool { isToldTooMuch(without: 0) }

  /// The same, when so many pages have gone.
  @inline(__always)
  func isToldTooMuch(without pages: Int) -> Bool { chargedPages &- pages < quietFloor }

  /// Keeps no room for hot runs where there are none.
  borrowing func dropUnusedCharge() {
    charge(0 &- front.resetHotPages(.raw) &- front.resetHotPages(.owned))
  }

  /// Owners that came by this cache, less those that went by it.
  package var ownerCount: Int { owners.load(ordering: .relaxed) &- (front.isHot(.owned) ? 1 : 0) }

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
  package mutating func take(_ pages: Int) -> CachedRun? {
    let address = front.takeHot(pages, as: .raw)
    if address != 0 { return CachedRun(page: front.page(at: address), isZero: false) }
    guard let run = takeStacked(pages) ?? cut(pages) else { return nil }
    count(coldTakes: 1)
    return run
  }

  /// Makes a run the hot one; the one before goes to its stack.
  ///
  /// - Parameters:
  ///   - run: its address.
  ///   - pages: 1 ... 127.
  /// - Returns: `false`, with nothing changed, where there is no room, or the cache has to tell
  ///   first what it holds.
  @inline(__always)
  package mutating func put(_ run: UInt, _ pages: Int, as kind: RunKind) -> Bool {
    var total = chargedPages &+ pages
    // Read once.
    let hot = front.word(kind)
    if hot > HotRun.pageBits {
      let old = Int(bitPattern: hot & HotRun.pageBits)
      let count = count(of: old)
      if total > quietCeiling || count == Self.depth { return false }
      push(takeHotRun(hot, kind), old, count)
    } else {
      if profile != nil { return putStacked(run, pages, total, as: kind) }
      total &-= front.hotPages(kind)
      if total > quietCeiling { return false }
    }
    charged.store(total, ordering: .relaxed)
    front.replaceHot(by: run, pages, kind)
    front.countFree()
    return true
  }

  /// Moves a hot run to its stack.
  ///
  /// - Returns: `false`, with nothing changed, where that is full.
  @inline(__always) @discardableResult
  package mutating func stackHotRun(_ kind: RunKind) -> Bool {
    if !front.isHot(kind) { return true }
    let pages = front.hotPages(kind)
    let count = count(of: pages)
    if count == Self.depth { return false }
    push(takeHotRun(front.word(kind), kind), pages, count)
    // It has taken the room along.
    charge(pages)
    charge(0 &- front.resetHotPages(kind))
    return true
  }

  /// Takes the hot run; an owner that left it goes now.
  ///
  /// - Parameter word: the front's.
  @inline(__always)
  mutating func takeHotRun(_ word: UInt, _ kind: RunKind) -> CachedRun {
    // Counted first, as who reads the counts expects.
    count(coldFrees: 1)
    cts_compiler_barrier()
    front.setWord(kind, word & HotRun.pageBits)
    let address = word & ~HotRun.pageBits
    // Counted last, in the order in which a fork may see it.
    if kind == .owned {
      cts_compiler_barrier()
      count(owners: -1)
    }
    return CachedRun(page: front.page(at: address), isZero: false)
  }
}
