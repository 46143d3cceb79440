import CThreadSlots
import Synchronization

// Free runs at hand
// =================
//
// What one owner (a thread, or whoever holds a handle) freed lately, to be handed out again without a
// lock: the one freed last, a stack of runs for each size up to 127 pages, and a few longer ones.
//
//   front    the run freed last, the hot one; another for owners (`PageRun`)
//   filled   bit n: there may be a run of n pages; cleared only when a search finds none
//   counts   runs of each size
//   runs     32 a size:  | run | run | run |   |   | ...
//   long     longer runs, matched by size
//
// A free makes its run the hot one, and the one before goes to its stack. A request takes the hot run or
// one of its own size, or cuts the smallest larger one; one for an alignment does so where these lie right
// (RunCache+Aligned). To the allocator these pages are in use; they are nobody's. Runs are not joined here:
// the allocator does that when they go back.
//
// Who may touch it
// ----------------
// The owner, between `enter` and `leave` of the front; and whoever holds the arena's heap lock, the
// owner included, while the owner is outside. Another thread makes sure of that by closing the
// cache: it writes the number of its drain into it, makes every thread of the process pass a
// barrier, and looks at `busy`. So the owner needs no atomic operation, only plain stores and loads
// in order: the barrier is the other side's.
//
//   owner    busy := 1; (compiler barrier) if closedBy ≠ 0 give way; ...; busy := 0 (release)
//   others   heap lock: closedBy := number; membarrier; heap lock: if closedBy is still that and
//            busy = 0 (acquire), take all, and closedBy := 0 (release)

/// The free runs that one owner keeps at hand.
@usableFromInline
@safe
struct RunCache: ~Copyable {
  /// What most calls need.
  let front: CacheFront

  /// Pages in all runs but long ones, with the room that is kept for hot ones: what stays within the bound.
  /// Written by who may touch the cache, read by the statistics at any time.
  private let room = Atomic<Int>(0)
  /// Owners (`PageRun`) that came by this cache, less those that went by it, that of the hot run aside:
  /// written by the cache's owner, inside; what all caches have is added up when the arena ends.
  private let owners = Atomic<Int>(0)

  /// Pages, long runs aside, that the cache takes without a look at the arena. It grows by doubling, each
  /// time by way of the lock, so that whoever returns memory hears of much that is kept at hand.
  private(set) var bound = Self.firstBound

  // The stacks: of this file and of RunCache+Half.
  var filled = InlineArray<2, UInt64>(repeating: 0)
  var counts = InlineArray<128, UInt8>(repeating: 0)
  var runs = InlineArray<4096, UInt32>(repeating: 0)
  /// Runs of more than 127 pages.
  var long = LongRuns()

  /// The next cache of the same arena. Guarded by the heap lock.
  var next: UnsafeMutablePointer<RunCache>?
  /// Somebody uses it; else it waits for a new owner. Guarded by the heap lock.
  var isOwned = true

  /// The longest run that has a stack of its own.
  static var longestStacked: Int { 127 }
  /// The least that `bound` is: 1 MiB.
  static var firstBound: Int { 128 }
  /// Runs a stack.
  static var depth: Int { 32 }

  /// A cache of an arena.
  init(of arena: PageArena) { front = CacheFront(of: arena) }
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
  /// Makes room for a run of so many pages, up to a limit.
  mutating func raiseBound(for pages: Int, limit: Int) {
    if pages > Self.longestStacked { return long.raiseBound(for: pages, limit: limit) }
    let wanted = roomTaken &+ pages
    while bound < wanted, bound < limit { bound &*= 2 }
    bound = min(bound, limit)
  }

  /// Back to the least, when all was taken out.
  mutating func resetBound() {
    resetRoom()
    bound = Self.firstBound
    long.resetBound()
  }

  /// What the bounds allow beyond the least, of which nobody takes notice.
  var grant: Int { grant(isLong: false) &+ grant(isLong: true) }

  /// The same of one of the bounds.
  func grant(isLong: Bool) -> Int { isLong ? long.bound : max(0, bound &- Self.firstBound) }
}

// MARK: - What it holds

extension RunCache {
  /// Pages in all runs: exact for who may touch the cache.
  var heldPages: Int {
    roomTaken &- front.unusedRoom(.caller) &- front.unusedRoom(.owner)
      &+ long.pageCount.load(ordering: .relaxed)
  }

  /// Those in runs but long ones, with the room that is kept for hot ones.
  @inline(__always)
  var roomTaken: Int { room.load(ordering: .relaxed) }

  @inline(__always)
  borrowing func takeRoom(_ pages: Int) {
    room.store(room.load(ordering: .relaxed) &+ pages, ordering: .relaxed)
  }

  /// Keeps no room for hot runs where there are none.
  private borrowing func resetRoom() {
    takeRoom(0 &- front.resetRoom(.caller) &- front.resetRoom(.owner))
  }

  /// Owners that came by this cache, less those that went by it.
  var ownerCount: Int { owners.load(ordering: .relaxed) &- (front.isHot(.owner) ? 1 : 0) }

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
  mutating func take(_ pages: Int) -> CachedRun? {
    let address = front.takeHot(pages, by: .caller)
    if address != 0 { return CachedRun(page: front.page(at: address), isClean: false) }
    return takeStacked(pages) ?? cut(pages)
  }

  /// Takes a run of just so many pages off its stack.
  ///
  /// - Parameter pages: 1 ... 127.
  @inline(__always)
  mutating func takeStacked(_ pages: Int) -> CachedRun? {
    let count = count(of: pages)
    return count == 0 ? nil : CachedRun(packed: pop(pages, count))
  }

  /// Makes a run the hot one; the one before goes to its stack.
  ///
  /// - Parameters:
  ///   - run: its address.
  ///   - pages: 1 ... 127.
  /// - Returns: `false`, with nothing changed, where there is no room.
  @inline(__always)
  mutating func put(_ run: UInt, _ pages: Int, by hand: Hand) -> Bool {
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

  /// Puts a run on its stack.
  ///
  /// - Parameters:
  ///   - pages: 1 ... 127.
  ///   - limit: pages that the cache may hold.
  /// - Returns: `false`, with nothing changed, where there is no room.
  mutating func stack(_ run: CachedRun, _ pages: Int, limit: Int) -> Bool {
    let count = count(of: pages)
    if roomTaken &+ pages > limit || count == Self.depth { return false }
    push(run, pages, count)
    takeRoom(pages)
    return true
  }

  /// Moves a hot run to its stack.
  ///
  /// - Returns: `false`, with nothing changed, where that is full.
  @inline(__always) @discardableResult
  mutating func settle(_ hand: Hand) -> Bool {
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

  @inline(__always)
  mutating func push(_ run: CachedRun, _ pages: Int, _ count: UInt8) {
    // In range: pages is 1 ... 127 and count 0 ... 31.
    unsafe runs[unchecked: pages &* Self.depth &+ Int(count)] = run.packed
    unsafe counts[unchecked: pages] = count &+ 1
    unsafe filled[unchecked: pages &>> 6] |= 1 &<< UInt64(truncatingIfNeeded: pages)
  }

  @inline(__always)
  mutating func pop(_ pages: Int, _ count: UInt8) -> UInt32 {
    // In range: pages is 1 ... 127 and count 1 ... 32.
    unsafe counts[unchecked: pages] = count &- 1
    takeRoom(0 &- pages)
    return unsafe runs[unchecked: pages &* Self.depth &+ Int(count) &- 1]
  }

  /// Cuts a run off the smallest longer one.
  @inline(never)
  mutating func cut(_ pages: Int) -> CachedRun? {
    var longer = smallestFilled(from: pages &+ 1)
    if longer == 0 {
      if !settle(.caller) || !settle(.owner) { return nil }
      // The one, if it is as long as the request; or longer.
      longer = smallestFilled(from: pages)
      if longer <= pages { return longer == 0 ? nil : takeStacked(pages) }
    }
    let run = CachedRun(packed: pop(longer, count(of: longer)))
    let rest = longer &- pages
    let left = CachedRun(page: run.page &+ pages, isClean: run.isClean)
    if !stack(left, rest, limit: .max) {
      // No room for the rest: the whole run stays, and the request goes to the allocator.
      push(run, longer, count(of: longer))
      takeRoom(longer)
      return nil
    }
    return run
  }

  /// The smallest size, `pages` or above, of which there is a run; 0 for none.
  @inline(__always)
  mutating func smallestFilled(from pages: Int) -> Int {
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
    return 0
  }

  /// The largest size, `pages` or below, of which there is a run; 0 for none.
  ///
  /// - Parameter pages: 0 ... 127.
  @inline(__always)
  private mutating func largestFilled(upTo pages: Int) -> Int {
    var index = pages >> 6
    var mask: UInt64 = ~0 &>> UInt64(truncatingIfNeeded: 63 &- pages & 63)
    while index >= 0 {
      // 1 or 0, by the condition.
      var bits = unsafe filled[unchecked: index] & mask
      while bits != 0 {
        let size = index << 6 | (63 &- bits.leadingZeroBitCount)
        if count(of: size) != 0 { return size }
        let highest: UInt64 = 1 &<< UInt64(truncatingIfNeeded: size)
        unsafe filled[unchecked: index] &= ~highest
        bits &= ~highest
      }
      mask = ~0
      index -= 1
    }
    return 0
  }

  /// Runs of a size. A checked access would copy the whole array to read from it.
  @inline(__always)
  func count(of pages: Int) -> UInt8 {
    assert(pages >= 0 && pages <= Self.longestStacked)
    // In range, by the assertion.
    return unsafe counts[unchecked: pages]
  }

  /// Takes all runs out.
  mutating func drain(_ body: (_ page: PageNumber, _ pages: Int) -> Void) {
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

  /// Takes runs out of the stacks until at most `target` pages of room are taken: half of each stack, the
  /// longest runs first, and again, so that there are some of all sizes left.
  mutating func drainStacks(to target: Int, _ body: (_ page: PageNumber, _ pages: Int) -> Void) {
    var isAny = true
    while isAny, roomTaken > target {
      isAny = false
      var pages = largestFilled(upTo: Self.longestStacked)
      while pages > 0, roomTaken > target {
        drain(stack: pages, to: Int(count(of: pages)) / 2, body)
        isAny = true
        pages = largestFilled(upTo: pages &- 1)
      }
    }
  }

  /// Forgets all runs, as whoever was inside left them: for a child of `fork`, where the owner is gone.
  ///
  /// Owners stay counted: one that was coming is already, one that was going still is.
  mutating func forget() {
    filled = InlineArray(repeating: 0)
    counts = InlineArray(repeating: 0)
    long.forget()
    if front.isHot(.owner) { count(owners: -1) }
    front.forget(.caller)
    front.forget(.owner)
    room.store(0, ordering: .relaxed)
    front.leave()
  }

  /// Takes runs of the hot runs' sizes out, so that each finds half of its stack free when it goes there.
  mutating func relieveStacks(_ body: (_ page: PageNumber, _ pages: Int) -> Void) {
    drain(stack: front.room(.caller), to: Self.depth / 2, body)
    drain(stack: front.room(.owner), to: Self.depth / 2, body)
  }

  /// Takes runs of one size out until at most `target` runs of it are left.
  ///
  /// - Parameter pages: 1 ... 127.
  private mutating func drain(
    stack pages: Int, to target: Int, _ body: (_ page: PageNumber, _ pages: Int) -> Void
  ) {
    while Int(count(of: pages)) > target {
      body(CachedRun(packed: pop(pages, count(of: pages))).page, pages)
    }
  }
}
