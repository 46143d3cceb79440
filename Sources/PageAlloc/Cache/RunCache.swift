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
// pass a barrier, and looks at `busy`. So the owner needs no atomic operation, only plain stores
// and loads in order: the barrier is the other side's.
//
//   owner    busy := 1; (compiler barrier) if closedWith ≠ 0 give way; ...; busy := 0 (release)
//   others   heap lock: closedWith := number; membarrier; heap lock: if closedWith is still that and
//            busy = 0 (acquire), take all, and closedWith := 0 (release)

/// The free runs that one owner keeps at hand.
@usableFromInline
@safe
package struct RunCache: ~Copyable {
  /// What most calls need.
  package let front: CacheFront

  /// Pages in all runs but long ones, with the room that is kept for hot ones: what stays within
  /// the bound. Written by who may touch the cache, read by the statistics at any time.
  let room = Atomic<Int>(0)
  /// Owners (`PageRun`) that came by this cache, less those that went by it, that of the hot run
  /// aside: written by the cache's owner, inside; what all caches have is added up when the arena
  /// ends.
  private let owners = Atomic<Int>(0)

  /// Pages, long runs aside, that the cache takes without a look at the arena (CacheBudget).
  package private(set) var bound = CacheBudget.leastCapacity

  // The stacks: of RunCache+Stacks and RunCache+Aligned.
  var filled = InlineArray<2, UInt64>(repeating: 0)
  var counts = InlineArray<128, UInt8>(repeating: 0)
  var runs = InlineArray<4096, UInt32>(repeating: 0)
  /// Runs of more than 127 pages.
  package var long = LongRuns()

  /// The next cache of the same list, and the next that waits for a new owner, if this one does. Of
  /// CacheList.
  var next: UnsafeMutablePointer<RunCache>?
  var nextRetired: UnsafeMutablePointer<RunCache>?

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
  package init(base: UInt, runs: RunTable, core: UnsafeRawPointer) {
    front = unsafe CacheFront(base: base, runs: runs, core: core)
  }
}

/// Whose hands runs come from and go to: each kind has a hot run of its own.
@usableFromInline
package enum Hand {
  /// Those of somebody who calls `allocate` and `deallocate`.
  case caller
  /// Those of an owner (`PageRun`). While an owner's run is the hot one, it has not been counted as
  /// gone.
  case owner
}

// MARK: - The bound. Call with the heap lock held.

extension RunCache {
  /// Makes room for a run of so many pages, up to the most that the bound may be.
  package mutating func raiseBound(for pages: Int, limit: Int) {
    switch CacheBudget.Kind(pages) {
    case .short:
      bound = CacheBudget.raised(bound, .short, toHold: roomTaken &+ pages, most: limit)
    case .long: long.raiseBound(for: pages, limit: limit)
    }
  }

  /// Back to the least, when all was taken out.
  package mutating func resetBound() {
    resetRoom()
    bound = CacheBudget.leastCapacity
    long.resetBound()
  }

  /// What the bounds allow beyond the least, of which nobody takes notice.
  package var grant: Int { grant(.short) &+ grant(.long) }

  /// The same of one of the bounds.
  package func grant(_ kind: CacheBudget.Kind) -> Int {
    switch kind {
    case .short: max(0, bound &- CacheBudget.leastCapacity)
    case .long: long.bound
    }
  }
}

// MARK: - What it holds

extension RunCache {
  /// Pages in all runs: exact for who may touch the cache.
  package var heldPages: Int {
    roomTaken &- front.unusedRoom(.caller) &- front.unusedRoom(.owner)
      &+ long.pageCount.load(ordering: .relaxed)
  }

  /// Those in runs but long ones, with the room that is kept for hot ones.
  @inline(__always)
  package var roomTaken: Int { room.load(ordering: .relaxed) }

  @inline(__always)
  borrowing func takeRoom(_ pages: Int) {
    room.store(room.load(ordering: .relaxed) &+ pages, ordering: .relaxed)
  }

  /// Keeps no room for hot runs where there are none.
  private borrowing func resetRoom() {
    takeRoom(0 &- front.resetRoom(.caller) &- front.resetRoom(.owner))
  }

  /// Owners that came by this cache, less those that went by it.
  package var ownerCount: Int { owners.load(ordering: .relaxed) &- (front.isHot(.owner) ? 1 : 0) }

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
    let address = front.takeHot(pages, by: .caller)
    if address != 0 { return CachedRun(page: front.page(at: address), isClean: false) }
    return takeStacked(pages) ?? cut(pages)
  }

  /// Makes a run the hot one; the one before goes to its stack.
  ///
  /// - Parameters:
  ///   - run: its address.
  ///   - pages: 1 ... 127.
  /// - Returns: `false`, with nothing changed, where there is no room.
  @inline(__always)
  package mutating func put(_ run: UInt, _ pages: Int, by hand: Hand) -> Bool {
    var total = roomTaken &+ pages
    if front.isHot(hand) {
      let old = front.room(hand)
      let count = count(of: old)
      if total > bound || count == Self.depth { return false }
      push(takeHotRun(hand), old, count)
    } else {
      total &-= front.room(hand)
      if total > bound { return false }
    }
    room.store(total, ordering: .relaxed)
    front.replaceHot(by: run, pages, hand)
    return true
  }

  /// Moves a hot run to its stack.
  ///
  /// - Returns: `false`, with nothing changed, where that is full.
  @inline(__always) @discardableResult
  package mutating func settle(_ hand: Hand) -> Bool {
    if !front.isHot(hand) { return true }
    let pages = front.room(hand)
    let count = count(of: pages)
    if count == Self.depth { return false }
    push(takeHotRun(hand), pages, count)
    // It has taken the room along.
    takeRoom(pages)
    takeRoom(0 &- front.resetRoom(hand))
    return true
  }

  /// Takes the hot run; an owner that left it goes now.
  @inline(__always)
  private mutating func takeHotRun(_ hand: Hand) -> CachedRun {
    let address = front.takeHot(hand)
    // Counted last, in the order in which a fork may see it.
    if hand == .owner {
      cts_compiler_barrier()
      count(owners: -1)
    }
    return CachedRun(page: front.page(at: address), isClean: false)
  }

  /// Takes all runs out.
  package mutating func drain(_ body: (_ page: PageNumber, _ pages: Int) -> Void) {
    drainHot(.caller, body)
    drainHot(.owner, body)
    long.drain(body)
    drainStacks(to: 0, body)
  }

  private mutating func drainHot(
    _ hand: Hand, _ body: (_ page: PageNumber, _ pages: Int) -> Void
  ) {
    if !front.isHot(hand) { return }
    let pages = front.room(hand)
    body(takeHotRun(hand).page, pages)
  }

  /// Forgets all runs, as whoever was inside left them: for a child of `fork`, where the owner is
  /// gone.
  ///
  /// Owners stay counted: one that was coming is already, one that was going still is.
  package mutating func forget() {
    filled = InlineArray(repeating: 0)
    counts = InlineArray(repeating: 0)
    long.forget()
    if front.isHot(.owner) { count(owners: -1) }
    front.forget(.caller)
    front.forget(.owner)
    room.store(0, ordering: .relaxed)
    front.leave()
  }
}
