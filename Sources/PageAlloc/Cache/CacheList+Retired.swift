// Caches whose owners have gone: they wait for another one, or go.

extension CacheList {
  /// Finds an owner a cache that has none.
  ///
  /// - Parameter thread: the kernel's number of the owner; 0 for a handle.
  /// - Returns: `nil` where there is none.
  package mutating func takeRetired(for thread: Int32 = 0) -> CacheReference? {
    guard let cache = firstRetired else { return nil }
    cache.contents.thread = thread
    firstRetired = cache.contents.nextRetired
    cache.contents.nextRetired = nil
    cache.contents.isRetired = false
    join(cache)
    reopen(cache)
    return cache
  }

  /// Takes a cache from its owner, who does not use it any more.
  package mutating func retire(_ cache: CacheReference) {
    cache.contents.nextRetired = firstRetired
    cache.contents.thread = 0
    cache.contents.isRetired = true
    firstRetired = cache
    leave(cache)
  }

  /// How many have no owner, and need not stay.
  package var retiredCount: Int { areKept ? 0 : count &- ownedCount }

  /// Takes those that have no owner, and tell by the shared count, off the lists: they are the
  /// caller's, to end their lives. The few others stay.
  ///
  /// - Parameter willRemove: is called with each.
  /// - Returns: the first of them, each of which names the next one as the next retired.
  /// - Complexity: O(caches).
  package mutating func removeRetired(
    _ willRemove: (CacheReference) -> Void
  ) -> CacheReference? {
    // They hold nothing, and so come off the third list.
    forEachStocked { _ in }
    var removed: CacheReference?
    var kept: CacheReference?
    var position = first
    firstRetired = nil
    while let cache = position {
      position = cache.contents.next
      if cache.contents.isRetired, cache.front.told.isShared, !areKept {
        willRemove(cache)
        count &-= 1
        cache.contents.nextRetired = removed
        removed = cache
        continue
      }
      if cache.contents.isRetired {
        cache.contents.nextRetired = firstRetired
        firstRetired = cache
      }
      if let kept { kept.contents.next = cache } else { first = cache }
      kept = cache
    }
    if let kept { kept.contents.next = nil } else { first = nil }
    return removed
  }
}

// MARK: - Caches whose threads have ended without a word

extension CacheList {
  /// It is time to look for them: there are twice as many caches as were owned at the last time.
  package var isVisitDue: Bool { count >= visitCount }

  /// That was done.
  package mutating func noteVisit() { visitCount = max(Self.leastVisited, 2 &* ownedCount) }
}
