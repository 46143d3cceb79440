// What has happened in a heap. Calls that caches serve are counted there (RunCache+Calls), and
// added to these by and by; all others are counted here, under the heap lock.

/// What has happened in a heap since it was made.
package struct HeapCounters {
  /// Runs that were handed out.
  package var allocations: UInt64 = 0
  /// Runs that were taken back, whole or in part.
  package var frees: UInt64 = 0
  /// Requests that were refused since there was no memory, or the kernel had none; those that a
  /// limit refused are not among them.
  package var refusals: UInt64 = 0
  /// How often chunks were added.
  package var growths: UInt64 = 0
  /// The most pages that were in use whenever somebody counted: where more pages than ever are out
  /// of the allocator, and at each reading.
  package private(set) var peakInUse = 0
  /// The most pages that might have been resident.
  package private(set) var peakResident = 0
  /// Where more pages than so many are out of the allocator, it is time to count.
  package private(set) var nextCount = 0

  /// Pages more out of the allocator from one count to the next: 128 KiB.
  package static var countStep: Int { 16 }

  /// Nothing happened.
  package init() {}

  /// So many pages are in use, and so many are out of the allocator.
  ///
  /// - Parameter next: where somebody else wants it to be counted next.
  mutating func note(inUse pages: Int, outPages: Int, next: Int) {
    peakInUse = max(peakInUse, pages)
    nextCount = min(max(nextCount, outPages &+ Self.countStep), next)
  }

  /// So many pages may be resident.
  @inline(__always)
  mutating func note(resident pages: Int) { peakResident = max(peakResident, pages) }

  mutating func add(_ calls: CacheCalls) {
    allocations &+= calls.allocations
    frees &+= calls.frees
  }
}

extension Heap {
  /// How many caches one reading of the counters asks for what is new: fewer where there are so
  /// many that none is in the processor's caches when its turn comes, which would take longer than
  /// all else.
  ///
  /// - Parameter ownedCount: caches with an owner.
  package static func cachesPerReading(of ownedCount: Int) -> Int { ownedCount > 64 ? 2 : 8 }

  /// Adds what the next caches have counted, and the caller's own; and takes the peaks.
  ///
  /// - Returns: the states at this moment.
  /// - Complexity: O(1): each reading asks so many, in turn.
  package mutating func read(own: CacheReference?) -> HeapReading {
    var new = CacheCalls()
    if let own {
      own.addNewCalls(to: &new)
      if own.front.isOutside { addCuts(of: own) }
    }
    caches.forEachNext(Self.cachesPerReading(of: caches.ownedCount)) {
      $0.addNewCalls(to: &new)
    }
    counters.add(new)
    let reading = self.reading
    notePeak(reading)
    noteResident()
    return reading
  }

  /// Counts what is in use.
  @inline(never)
  mutating func notePeak() { notePeak(reading) }

  @inline(__always)
  private mutating func notePeak(_ reading: HeapReading) {
    if counts.allocated > headroom.nextCount {
      headroom.note(inUse: inUsePages, outPages: counts.allocated)
    }
    counters.note(
      inUse: reading.inUse, outPages: counts.allocated, next: headroom.nextCount)
  }

  /// Counts what may be resident, when it has become more. What goes beyond the soft limit is
  /// counted when it is known to stay (`noteBeyondSoft`): memory goes back before anybody touches
  /// it.
  @inline(__always)
  mutating func noteResident() {
    let resident = counts.resident
    if resident <= limits.softPages { counters.note(resident: resident) }
  }

  /// Counts what is resident after memory went back, or there was none to go.
  package mutating func noteBeyondSoft() {
    let resident = counts.resident
    if limits.allows(residentPages: resident) { counters.note(resident: resident) }
  }

  /// Is told what cuts in a cache have changed. For who may touch it.
  @inline(__always)
  mutating func addCuts(of cache: CacheReference) {
    if cache.contents.hasCut { addChanges(of: cache) }
  }

  @inline(never)
  private mutating func addChanges(of cache: CacheReference) {
    sizes.move(from: &cache.contents.cuts, upTo: RunCache.longestStacked)
    cache.contents.hasCut = false
  }
}
