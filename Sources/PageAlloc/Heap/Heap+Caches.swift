// Between the heap and its caches. A cache that is given to one of these is the caller's own, who
// is outside of it, or its owner is known to be outside; it lives as long as the heap.

extension Heap {
  /// A cache without an owner, for a new one; `nil` where there is none.
  package mutating func obtainCache(for thread: Int32 = 0) -> CacheReference? {
    let before = unwatchedPages
    let cache = caches.takeRetired(for: thread)
    moveMark(unwatchedBefore: before)
    closeBeyondHardLimit()
    return cache
  }

  /// Adds a new cache.
  package mutating func add(_ cache: CacheReference, for thread: Int32 = 0) {
    caches.add(cache, for: thread)
    closeBeyondHardLimit()
  }

  /// All caches, if it is time to look whose threads have ended.
  func cachesToVisit() -> CacheList? { caches.isVisitDue ? caches : nil }

  /// That was done.
  mutating func noteVisit() { caches.noteVisit() }

  /// Takes a cache from its owner, who does not use it any more, with all its pages.
  ///
  /// - Returns: whether the scavenger is to be woken.
  package mutating func retire(_ cache: CacheReference) -> Bool {
    takeAll(cache)
    retireEmpty(cache)
    return wakesScavenger()
  }

  /// The same with one whose owner has ended, perhaps in the middle of a call.
  ///
  /// - Parameter thread: the kernel's number of the owner, who was found to be no more.
  /// - Returns: `nil`, with nothing changed, where it is not that thread's: it gave the cache back
  ///   before it ended, and perhaps another thread has the cache by now.
  package mutating func retireAbandoned(_ cache: CacheReference, of thread: Int32) -> Bool? {
    if cache.contents.thread != thread { return nil }
    takeAbandoned(cache)
    retireEmpty(cache)
    return wakesScavenger()
  }

  private mutating func retireEmpty(_ cache: CacheReference) {
    let before = unwatchedPages
    caches.retire(cache)
    moveMark(unwatchedBefore: before)
  }

  /// Parts with caches that have no owner.
  ///
  /// - Returns: the first of them, each of which names the next one.
  package mutating func removeRetiredCaches() -> CacheReference? {
    let before = unwatchedPages
    var counted = 0
    let removed = caches.removeRetired { counted &+= $0.contents.ownerCount }
    owners.keep(counted: counted)
    moveMark(unwatchedBefore: before)
    return removed
  }

  /// Takes all from a cache whose owner is no more.
  ///
  /// One whose owner was inside just then may be half changed: it is made empty, and what it had
  /// stays in use, nobody's.
  mutating func takeAbandoned(_ cache: CacheReference) {
    if cache.front.isOutside { return takeAll(cache) }
    counters.add(cache.takeNewCalls())
    cache.contents.forget()
    resetCapacity(of: cache)
    lostCaches += 1
  }

  /// Gives all runs of a cache back to the allocator.
  package mutating func takeAll(_ cache: CacheReference) {
    var batch = RunBatch()
    cache.contents.drain { page, pages in
      runs.forget(page, pages)
      add(page, pages, to: &batch)
    }
    giveBack(&batch)
    addCuts(of: cache)
    counters.add(cache.takeNewCalls())
    resetCapacity(of: cache)
  }

  /// Gives runs of a cache's stacks back until at most `target` pages are left there.
  private mutating func takeStacked(_ cache: CacheReference, to target: Int) {
    var batch = RunBatch()
    cache.contents.drainStacks(to: target) { page, pages in add(page, pages, to: &batch) }
    giveBack(&batch)
  }

  /// Gives a cache's long runs back.
  private mutating func takeLong(_ cache: CacheReference) {
    var batch = RunBatch()
    cache.contents.drainLong { page, pages in
      runs.forget(page, pages)
      add(page, pages, to: &batch)
    }
    giveBack(&batch)
  }

  /// Gives what the depot has back, and a cache: its long runs always, the others unless that was
  /// done a little while ago, for a run that is not long.
  package mutating func spareGrowth(_ cache: CacheReference, for pageCount: Int) {
    emptyDepot()
    if takesSinceSparing < 64, pageCount < Geometry.pagesPerChunk {
      takeLong(cache)
      return cache.contents.tell()
    }
    takesSinceSparing = 0
    takeAll(cache)
  }

  /// Makes room in a cache, many runs at once, and puts a whole run of the caller's into it, or
  /// into the depot where it is long.
  ///
  /// - Returns: `false`, with the run as it was, where there is no room all the same.
  package mutating func makeRoomAndPut(
    _ page: PageNumber, _ pages: Int, _ cache: CacheReference, limit: Int
  ) -> Bool {
    makeRoom(cache, of: pages, limit: limit)
    var fits = false
    switch CacheBudget.Kind(pages) {
    case .short:
      fits = cache.contents.put(Geometry.address(of: page, from: base), pages, as: .raw)
    case .long:
      if !cache.contents.putLong(page, pages) { keepLong(page, pages) }
      counters.frees &+= 1
      fits = true
    }
    cache.contents.tell()
    addCuts(of: cache)
    // What tells a long run's length stays.
    if fits { runs.setByte(page, 0) }
    return fits
  }

  /// Makes room in a cache.
  ///
  /// - Parameter pages: the size for which there is to be room; half of a stack that a hot run goes
  ///   to is given back.
  private mutating func makeRoom(
    _ cache: CacheReference, of pages: Int, limit: Int
  ) {
    drainIfClosed(cache)
    let kind = CacheBudget.Kind(pages)
    let most = mostCapacity(of: cache, kind, limit: limit)
    if kind == .short, cache.contents.chargedPages + pages > most {
      takeStacked(cache, to: min(most / 2, max(0, most - pages)))
    }
    // A long run that does not fit goes to the depot, and so does each that may be sampled.
    if kind == .short || (pages <= most && profile == nil) {
      raiseCapacity(of: cache, for: pages, most: most)
    }
    if kind == .long { return }
    if caches.count > 1 {
      passOn(cache.contents.nextStacked(.raw, for: pages), from: cache, limit: most)
      passOn(cache.contents.nextStacked(.owned, for: pages), from: cache, limit: most)
    }
    var batch = RunBatch()
    cache.contents.halveStacks(for: pages) { batch.add($0, $1) }
    giveBack(&batch)
  }
}

// MARK: - Closed caches

extension Heap {
  /// Empties the depot, and asks all owners to stay outside: the first step of a drain.
  ///
  /// - Returns: the drain's ticket; `nil` where no cache holds anything.
  package mutating func closeForDrain() -> DrainTicket? {
    emptyDepot()
    return caches.close()
  }

  /// Takes all from the caches that a drain closed, or found closed, and whose owners are outside:
  /// its last step, after a barrier in all threads.
  ///
  /// - Parameters:
  ///   - canSeeOthers: there was such a barrier; else the caller has passed a fence, and only `own`
  ///     and caches whose owners do so, too, are known to be left alone.
  ///   - own: the cache of the calling thread, which is outside of it.
  /// - Returns: whether all gave.
  package mutating func drainClosed(
    by ticket: DrainTicket, canSeeOthers: Bool, own: CacheReference?
  ) -> Bool {
    if !canSeeOthers { self.caches.ownersFence = true }
    // A copy: what is changed on the way is the heap, which the list is a part of.
    let caches = self.caches
    return caches.drainClosed(ticket, canSeeOthers: canSeeOthers, own: own) {
      drainIfClosed($0)
    }
  }

  /// Gives everything in a cache back if somebody asked for it, and lets its owner in again; unless
  /// more is out of the allocator than a limit that was lowered allows.
  package mutating func drainIfClosed(_ cache: CacheReference) {
    if !cache.front.isClosed { return }
    takeAll(cache)
    if !isBeyondHardLimit { caches.reopen(cache) }
  }

  /// More was handed out, or is in caches, than the hard limit allows.
  var isBeyondHardLimit: Bool { limits.isHopeless(0, inUse: counts.allocated) }

  /// Sees to it that nobody takes out of a cache what the limit does not allow any more.
  mutating func closeBeyondHardLimit() { if isBeyondHardLimit { caches.closeAll() } }

  /// The arena goes: no owner is to come or go by a cache again.
  package mutating func closeCaches() {
    owners.isOrphan = true
    caches.closeForGood()
  }

  /// No owner of a cache can be inside unseen, after a fence.
  var areOwnersFenced: Bool { caches.areFenced }

  /// Takes over what the closed caches have counted, after a barrier in all threads.
  ///
  /// - Returns: `false`, with nothing changed, where a thread is still inside one.
  package mutating func addUpOwners() -> Bool {
    guard let counted = caches.ownerCount else { return false }
    owners.add(counted: counted)
    return true
  }
}

// MARK: - Capacity

extension Heap {
  /// The most pages that a cache may hold of a kind.
  ///
  /// - Parameter limit: what the arena's options allow.
  private func mostCapacity(
    of cache: CacheReference, _ kind: CacheBudget.Kind, limit: Int
  ) -> Int {
    let budget = CacheBudget(
      allocatedPages: counts.allocated, cacheCount: caches.ownedCount,
      grantedPages: cacheCapacity, limit: limit)
    return budget.mostCapacity(kind, own: cache.contents.capacity(kind))
  }

  /// Lets a cache hold more, which may soon be free: it brings the scavenger's wake-up nearer.
  private mutating func raiseCapacity(
    of cache: CacheReference, for pages: Int, most: Int
  ) {
    let before = cache.contents.totalCapacity
    cache.contents.raiseCapacity(for: pages, limit: most)
    caches.noteCapacity(of: cache)
    add(cacheCapacity: cache.contents.totalCapacity &- before)
  }

  /// What was put into a cache is less than what it may hold from now on: its owner need not give
  /// a word of the same pages when they come back.
  mutating func coverCharge(of cache: CacheReference) {
    let before = cache.contents.capacity
    cache.contents.coverCharge()
    addCuts(of: cache)
    caches.noteCapacity(of: cache)
    let after = cache.contents.capacity
    if after != before { add(cacheCapacity: after &- before) }
  }

  /// Takes back what a cache was let hold, when all was taken out of it.
  private mutating func resetCapacity(of cache: CacheReference) {
    add(cacheCapacity: 0 &- cache.contents.totalCapacity)
    cache.contents.resetCapacity()
  }

  private mutating func add(cacheCapacity pages: Int) {
    let before = unwatchedPages
    cacheCapacity &+= pages
    moveMark(unwatchedBefore: before)
  }

  /// What may come to be free without a word has changed: so does what wakes the scavenger.
  private mutating func moveMark(unwatchedBefore before: Int) {
    scavenger.moveMark(by: before &- unwatchedPages)
  }
}
