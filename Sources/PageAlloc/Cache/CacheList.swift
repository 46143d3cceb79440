// The caches of an arena
// ======================
//
// All of them in one list, and those that wait for an owner in a second one, so that an owner gets
// one in O(1). A cache with an owner stays on the first list; those that wait are taken off when
// the scavenger has nothing else to do, and their memory goes. Those that hold
// something, or may without a word, are in a third one, so that a drain passes over no empty ones:
// a cache comes there with its first capacity, and leaves when a drain finds it without. Those with
// an owner are in a ring besides: who reads figures asks a few of them each time what they counted,
// and so none of those that nobody uses.
//
// Taking back what they hold
// --------------------------
// Whoever wants what is in other threads' caches, in a *drain*, does three things:
//
//   close         heap lock: the drain gets a ticket; each cache that holds something, or may hold
//                 something, is closed with it
//   barrier       every thread of the process passes a barrier; no lock is held
//   drainClosed   heap lock: takes all from each cache that was closed before the barrier and whose
//                 owner is outside, and opens it
//
// The barrier tells only of caches that were closed before it. Meanwhile an owner may open its
// cache by the lock (it gives all back by itself), and another drain may close it again; then the
// owner may be inside although nobody can see it yet, since that drain's own barrier is still to
// come. So a closed cache keeps the ticket of the drain that closed it, and a drain leaves alone
// what a later one has closed. What an earlier one closed has been closed ever since, so both may
// take it.
//
// Where the kernel refuses the barrier, caches are opened in another way: the owner passes a fence
// whenever it comes in, and whoever drains passes one after it has closed. A cache that was opened
// before the first refusal is left alone until its owner has opened it again.

/// All caches of an arena. It is guarded by what guards the arena's bookkeeping, the heap lock.
///
/// It holds pointers only: whoever changes what the list is a part of while it walks over the
/// caches walks over a copy.
@safe
package struct CacheList {
  // Invariant: all caches of the lists live until they are taken off.
  var first: CacheReference?
  /// Those without an owner.
  var firstRetired: CacheReference?
  /// All that hold something, or may without a word, and some that did.
  private var firstStocked: CacheReference?
  /// How many there are.
  package internal(set) var count = 0
  /// How many have an owner.
  package internal(set) var ownedCount = 0
  /// Those without an owner stay, since their memory is sealed.
  package var areKept = false
  /// Every cache is closed, whoever asks to open it.
  package private(set) var isClosedForGood: Bool
  /// Caches that are opened from now on have their owners pass a fence: the kernel has refused a
  /// barrier in all threads.
  package var ownersFence = false
  private var lastTicket: DrainTicket
  /// Where ``forEachNext(_:_:)`` goes on, in the ring of those with an owner; `nil` where there is
  /// none.
  var nextVisited: CacheReference?
  /// With so many, it is time to look whose threads have ended.
  var visitCount = Self.leastVisited

  static var leastVisited: Int { 16 }

  /// No caches.
  ///
  /// - Parameters:
  ///   - isClosedForGood: owners never come in.
  ///   - firstTicket: what the tickets of drains are counted from, for a check.
  package init(isClosedForGood: Bool, firstTicket: UInt32 = 1) {
    first = nil
    firstRetired = nil
    firstStocked = nil
    self.isClosedForGood = isClosedForGood
    lastTicket = DrainTicket(number: firstTicket | 1)
  }
}

// MARK: - Caches that come

extension CacheList {
  /// Adds a new cache, which has an owner.
  ///
  /// - Parameter thread: the kernel's number of the owner; 0 for a handle.
  package mutating func add(_ cache: CacheReference, for thread: Int32 = 0) {
    // The caller's, and the list's from now on.
    cache.contents.thread = thread
    cache.contents.next = first
    first = cache
    count &+= 1
    join(cache)
    noteCapacity(of: cache)
    reopen(cache)
  }
}

// MARK: - All caches

extension CacheList {
  /// Calls `body` with each cache. It may end the cache's life.
  @inline(__always)
  package func forEach(_ body: (CacheReference) -> Void) {
    var position = first
    while let cache = position {
      position = cache.contents.next
      body(cache)
    }
  }

  /// Pages that all caches may hold without a word to the arena.
  ///
  /// - Complexity: O(caches); so below.
  package var totalCapacity: Int {
    var total = 0
    forEach { total &+= $0.contents.totalCapacity }
    return total
  }

  /// All owners pass a fence.
  package var areFenced: Bool {
    var isAnyOther = false
    forEach { if !$0.front.isFenced { isAnyOther = true } }
    return !isAnyOther
  }

  /// What all caches have counted of owners, when they are closed, and after a barrier in all
  /// threads.
  ///
  /// - Returns: `nil` where a thread is still inside one.
  package var ownerCount: Int? {
    var sum = 0
    var isAnyInside = false
    forEach {
      if !$0.front.isOutside { isAnyInside = true }
      sum &+= $0.contents.ownerCount
    }
    return isAnyInside ? nil : sum
  }
}

// MARK: - Those that may hold something

extension CacheList {
  /// A cache may have come to hold something: whoever changes its capacity says so.
  ///
  /// - Complexity: O(1).
  package mutating func noteCapacity(of cache: CacheReference) {
    if cache.contents.isStocked || cache.contents.isBare { return }
    cache.contents.isStocked = true
    cache.contents.nextStocked = firstStocked
    firstStocked = cache
  }

  /// Calls `body` with each cache that may hold something, and takes those out that may not.
  ///
  /// - Complexity: O(caches that may hold something, or did the last time).
  mutating func forEachStocked(_ body: (CacheReference) -> Void) {
    var last: CacheReference?
    var position = firstStocked
    while let cache = position {
      position = cache.contents.nextStocked
      if cache.contents.isBare {
        cache.contents.isStocked = false
        cache.contents.nextStocked = nil
        if let last { last.contents.nextStocked = position } else { firstStocked = position }
      } else {
        last = cache
        body(cache)
      }
    }
  }

  /// Calls `body` with each cache that may hold something, or did when that was looked at last.
  @inline(__always)
  private func visitStocked(_ body: (CacheReference) -> Void) {
    var position = firstStocked
    while let cache = position {
      position = cache.contents.nextStocked
      body(cache)
    }
  }

  /// How many caches the third list has.
  package var stockedCount: Int {
    var count = 0
    visitStocked { _ in count &+= 1 }
    return count
  }

  /// Pages that all caches hold.
  ///
  /// - Complexity: O(caches that may hold something, or did); so below.
  package var heldPages: Int {
    var total = 0
    visitStocked { total &+= $0.contents.heldPages }
    return total
  }

  /// No owner is inside a cache that may hold something, as far as can be seen without a barrier.
  var areOutside: Bool {
    var areOutside = true
    visitStocked { if !$0.front.isOutside { areOutside = false } }
    return areOutside
  }

  /// Whether the third list has all caches that hold something, or may.
  package var hasAllStocked: Bool {
    var isAnyMissing = false
    forEach { if !$0.contents.isStocked && !$0.contents.isBare { isAnyMissing = true } }
    return !isAnyMissing
  }
}

// MARK: - Open and closed

extension CacheList {
  /// Closes each cache that holds something, or may without a word: the first step of a drain.
  ///
  /// - Returns: the ticket of the drain; `nil` where there is no such cache.
  /// - Complexity: O(caches that may hold something); so is ``drainClosed(_:canSeeOthers:own:_:)``.
  package mutating func close() -> DrainTicket? {
    let ticket = nextTicket()
    forEachStocked { $0.front.close(with: ticket) }
    return firstStocked == nil ? nil : ticket
  }

  /// Closes all caches, so that each owner comes by the lock first.
  package mutating func closeAll() {
    // A drain that is under way takes nothing from what is closed only now.
    let ticket = nextTicket()
    forEach { $0.front.close(with: ticket) }
  }

  /// Closes all caches, and those that are still to come: nobody is to come in again.
  package mutating func closeForGood() {
    isClosedForGood = true
    closeAll()
  }

  /// Lets the owner of a cache in again, who then sees what was changed before; unless all caches
  /// are closed for good.
  package mutating func reopen(_ cache: CacheReference) {
    if isClosedForGood {
      cache.front.close(with: nextTicket())
    } else {
      cache.front.open(byFence: ownersFence)
    }
  }

  /// Takes all from the caches that a drain closed, or found closed, and whose owners are outside:
  /// the last step of a drain, after a barrier in all threads.
  ///
  /// - Parameters:
  ///   - ticket: the drain's.
  ///   - canSeeOthers: there was such a barrier; else only `own` is known to be left alone, and
  ///     caches whose owners pass a fence, as the caller has done, too.
  ///   - own: the cache of the calling thread, which is outside of it.
  ///   - body: takes all from a cache, and reopens it.
  /// - Returns: whether all gave.
  package func drainClosed(
    _ ticket: DrainTicket, canSeeOthers: Bool, own: CacheReference?,
    _ body: (CacheReference) -> Void
  ) -> Bool {
    var isDone = true
    var position = firstStocked
    while let cache = position {
      position = cache.contents.nextStocked
      guard let closedWith = cache.front.ticket, ticket.covers(closedWith) else { continue }
      if cache == own || canSeeOthers || cache.front.isFenced, cache.front.isOutside {
        body(cache)
      } else {
        isDone = false
      }
    }
    return isDone
  }

  private mutating func nextTicket() -> DrainTicket {
    lastTicket = lastTicket.next
    return lastTicket
  }
}
