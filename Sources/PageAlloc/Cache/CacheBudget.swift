// How much caches may hold
// ========================
//
// Runs in caches are matched by their size, so they lie where they happen to lie: the more a cache
// holds, the further apart what is in use comes to lie, and the more memory a program needs at its
// peak. So a cache holds much only where that is little, as in a small heap, or little beside what
// is in use:
//
//   allocated, a cache's share  short runs                       long runs
//   up to 3 limits              the limit                        the limit
//   beyond                      a 16th of the share, at least    the limit
//                               1 MiB, at most the limit
//   both, for all caches        or what is left of a tenth of what is allocated, if that is more
//
// What a cache may hold it may come to hold without a word to anybody. So it starts with nothing; 1
// MiB is its first capacity, which doubles each time the cache is full, by way of the lock: whoever
// returns memory knows of each page that may be in a cache.

/// How much one cache of an arena may hold, as far as the arena says. All in pages.
package struct CacheBudget {
  /// What is out of the allocator: handed out, or in a cache.
  package let allocatedPages: Int
  /// Caches that have an owner.
  package let cacheCount: Int
  /// What all caches have been let have.
  package let grantedPages: Int
  /// What the arena's options allow a cache.
  package let limit: Int

  /// Runs of up to 127 pages and longer ones have budgets of their own.
  package enum Kind {
    case short
    case long

    /// The kind of runs of so many pages.
    @inline(__always)
    package init(_ pages: Int) { self = pages > RunCache.longestStacked ? .long : .short }
  }

  /// The first capacity, and what a cache may have of short runs in any case: 1 MiB.
  package static var leastCapacity: Int { 128 }

  /// The budget of a cache.
  package init(allocatedPages: Int, cacheCount: Int, grantedPages: Int, limit: Int) {
    self.allocatedPages = allocatedPages
    self.cacheCount = cacheCount
    self.grantedPages = grantedPages
    self.limit = limit
  }

  /// The most that the cache may hold of a kind.
  ///
  /// - Parameter own: which part of `grantedPages` is the cache's own, of this kind.
  package func mostCapacity(_ kind: Kind, own: Int) -> Int {
    let shared = allocatedPages / 10 &- (grantedPages &- own)
    return max(kind == .long ? limit : ownCapacity, shared)
  }

  /// The most that a cache may hold of short runs, whatever the others have.
  private var ownCapacity: Int {
    let share = allocatedPages / max(1, cacheCount)
    // The limit is at most all pages there are: three of it fit a word.
    if share <= 3 &* limit { return limit }
    return min(limit, max(Self.leastCapacity, share / 16))
  }
}

// MARK: - Steps. The same for every arena.

extension CacheBudget {
  /// What a capacity becomes that is to hold so many pages: it doubles until they fit, up to the
  /// most that it may be.
  package static func raised(
    _ capacity: Int, _ kind: Kind, toHold pages: Int, most: Int
  ) -> Int {
    // A long run that does not fit has other places to go, and short ones make room for each other.
    if kind == .long, pages > most { return capacity }
    var raised = capacity
    while raised < pages, raised < most { raised = max(leastCapacity, 2 &* raised) }
    return min(raised, most)
  }

  /// The pages that all magazines of the depot may have, beside caches of such a capacity.
  package static func magazinePages(_ capacity: Int) -> Int { capacity / 4 }

  /// The pages that all long runs of the depot may have, beside so many allocated ones, unless
  /// there is but one.
  package static func longRunPages(allocated: Int) -> Int { allocated / 4 }
}
