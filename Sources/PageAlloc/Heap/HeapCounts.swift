// The figures of a heap, each counted once, as it changes:
//
//   |<-------------------------------------- grown ------------------------------------->|
//                  |<------------- allocated -------------->|             |<- scavenged ->|
//   | inaccessible | in use | cached | kept long | withheld | free, maybe | free, empty   |
//                                                           | resident    |
//
// Inaccessible pages are in use, too; but nothing backs them, and nobody can write to them. So they
// count neither among what is resident nor among what the limits admit.
//
// What caches hold is counted by their owners, without a lock, in a tally that is off by what they
// have not told yet (see CacheTally). In every reading, in use + free + scavenged = ready.

/// The pages of a heap by state.
package struct HeapCounts {
  /// All of the grown chunks.
  package var grown = 0
  /// Out of the allocator: handed out, in a cache, or on their way from one to another; those that
  /// are inaccessible are not among them.
  package var allocated = 0
  /// Handed out, empty, and such that any access faults.
  package var inaccessible = 0
  /// Free, and the kernel has them back or never backed them.
  package var scavenged = 0

  /// No pages.
  package init() {}

  /// Free pages that may be resident, those on their way to the kernel included, those in caches
  /// not.
  @inline(__always)
  package var freeResident: Int { grown &- allocated &- inaccessible &- scavenged }

  /// Pages that may be resident: what the limits bound.
  @inline(__always)
  package var resident: Int { grown &- scavenged &- inaccessible }

  /// The states at one moment.
  ///
  /// - Parameters:
  ///   - cached: pages in caches, as somebody counted them.
  ///   - keptLong, quarantined: pages that are allocated and nobody's, for another reason; no more
  ///     than are allocated.
  package func reading(cached: Int, keptLong: Int = 0, quarantined: Int = 0) -> HeapReading {
    let most = allocated - keptLong - quarantined
    return HeapReading(
      self, cached: min(max(cached, 0), most), keptLong: keptLong, quarantined: quarantined)
  }
}

/// The pages of a heap by state, at one moment: in use + free + scavenged = ready, and none
/// is negative.
package struct HeapReading {
  /// Handed out, inaccessible pages included.
  package let inUse: Int
  /// Handed out, empty, and such that any access faults.
  package let inaccessible: Int
  /// Allocated and nobody's, part of what is free and perhaps resident: in caches or on the way
  /// from one to another.
  package let cached: Int
  /// The same, kept whole because they are long runs.
  package let keptLong: Int
  /// The same, in quarantine.
  package let quarantined: Int
  /// Free, and perhaps resident.
  package let freeResident: Int
  /// Free, and known to be empty.
  package let scavenged: Int
  /// All of them.
  package let ready: Int

  /// Handed out, and such that it may hold something.
  package var accessible: Int { inUse - inaccessible }

  fileprivate init(_ counts: HeapCounts, cached: Int, keptLong: Int, quarantined: Int) {
    self.cached = cached
    self.keptLong = keptLong
    self.quarantined = quarantined
    let nobodys = cached + keptLong + quarantined
    inUse = counts.allocated - nobodys + counts.inaccessible
    inaccessible = counts.inaccessible
    freeResident = counts.freeResident + nobodys
    scavenged = counts.scavenged
    ready = counts.grown
  }
}

extension Heap {
  /// Pages that caches and the depot hold, as far as owners told it; at no moment more than is
  /// allocated, or anything that is withheld.
  package var cachedPages: Int {
    min(depot.pageCount &+ max(0, tally.pages), counts.allocated - withheldPages)
  }

  /// The same by adding up all caches: exact while no owner is inside its own, else any number.
  ///
  /// - Complexity: O(caches that may hold something).
  package var heldPages: Int {
    depot.pageCount &+ caches.heldPages
  }

  /// No owner is inside its cache, all of which were added up exactly then.
  ///
  /// - Complexity: O(caches that may hold something).
  var areOwnersOutside: Bool { caches.areOutside }

  /// The longest run of free pages, those in caches aside.
  package var largestFreeRun: Int { max(allocator.summaries.longestRun, depot.longestRun) }

  /// The longest run that can be had at once: of free pages, or of those at the frontier and what
  /// the arena can grow to behind them.
  ///
  /// - Complexity: O(free chunks at the frontier / 8).
  package var largestAvailableRun: Int {
    // Where address space comes in pieces, the free pages below a fresh one are not counted.
    let below =
      freshPages == 0 || !isInOnePiece ? 0 : allocator.freePages(below: allocator.endChunk)
    return max(largestFreeRun, freshPages + below)
  }

  /// Pages that were handed out and may hold something; those in quarantine are among them.
  package var inUsePages: Int { counts.reading(cached: cachedPages).accessible }

  /// The same by adding up all caches.
  ///
  /// - Complexity: O(caches that may hold something).
  package var countedInUsePages: Int { countedReading.accessible }

  /// The states with all that caches hold added up, where runs in quarantine are in use.
  ///
  /// - Complexity: O(caches that may hold something).
  var countedReading: HeapReading { counts.reading(cached: max(heldPages, depot.pageCount)) }

  /// The same where it decides whether a request is refused: the tally may call too much in use, so
  /// before a refusal all caches are added up, which is exact while no owner is inside its own.
  ///
  /// - Parameter pageCount: pages that the hard limit is to allow beside those in use.
  /// - Complexity: O(1) where it does; else O(caches that may hold something).
  func inUsePages(beside pageCount: Int) -> Int {
    let inUse = inUsePages
    if !limits.isHopeless(pageCount, inUse: inUse) { return inUse }
    return countedInUsePages
  }

  /// The states at one moment, where runs in quarantine are free.
  package var reading: HeapReading {
    counts.reading(
      cached: cachedPages - depot.longRunPages, keptLong: depot.longRunPages,
      quarantined: withheldPages)
  }
}
