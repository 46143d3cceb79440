// Caches that have an owner, in a ring: each in turn is asked what it counted.

extension CacheList {
  /// Calls `body` with so many caches at the most that have an owner, those that come next: with
  /// each in turn.
  ///
  /// - Complexity: O(`most`).
  package mutating func forEachNext(_ most: Int, _ body: (CacheReference) -> Void) {
    for _ in 0..<min(most, ownedCount) {
      guard let cache = nextVisited else { return }
      nextVisited = cache.contents.nextOwned
      body(cache)
    }
  }

  /// A cache has an owner now: it is the last one whose turn comes.
  mutating func join(_ cache: CacheReference) {
    ownedCount &+= 1
    let next = nextVisited ?? cache
    let last = nextVisited?.contents.previousOwned ?? cache
    cache.contents.nextOwned = next
    cache.contents.previousOwned = last
    last.contents.nextOwned = cache
    next.contents.previousOwned = cache
    nextVisited = next
  }

  /// A cache has none any more.
  mutating func leave(_ cache: CacheReference) {
    ownedCount &-= 1
    guard let next = cache.contents.nextOwned, let last = cache.contents.previousOwned else {
      corrupted("a cache that has an owner is not in the ring of those")
    }
    last.contents.nextOwned = next
    next.contents.previousOwned = last
    if nextVisited == cache { nextVisited = next == cache ? nil : next }
    cache.contents.nextOwned = nil
    cache.contents.previousOwned = nil
  }
}
