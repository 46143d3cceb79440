import CThreadSlots
import Synchronization

// In an arena with a profile: which runs are sampled as they leave a cache.
//
// A cache counts down the pages that its owner takes, to the next point of those that RunProfile
// strews. The whole pages before it are a number of which the rest, after any run without a point,
// is distributed as it was at first. Runs of more than 127 pages are sampled by who has the heap
// lock: the cache holds none.

extension RunCache {
  /// Has what the owner takes sampled.
  package mutating func begin(_ profile: RunProfile?) {
    self.profile = profile
    drawSample()
  }

  /// The profile has a sample of each run with a point in it: draws where the next one is.
  private mutating func drawSample() {
    guard let profile else {
      pagesUntilSample = .max
      return
    }
    doublings = profile.doublings
    pagesUntilSample = profile.nextGap(doublings)
  }

  /// Takes a run of just so many pages off its stack, and counts its pages, where it is not to be
  /// sampled.
  ///
  /// - Returns: `nil` where it is: what is drawn stays. Who then takes the run asks `isSampleDue`.
  @inline(__always)
  mutating func takeStackedUnsampled(_ pages: Int) -> CachedRun? {
    let count = count(of: pages)
    if count == 0 || pagesUntilSample < pages { return nil }
    pagesUntilSample &-= pages
    return CachedRun(packed: pop(pages, count))
  }

  /// Counts the pages of a run that the owner has taken otherwise.
  ///
  /// - Returns: whether it is to be sampled, by ``sample(_:_:)``.
  @inline(__always)
  mutating func isSampleDue(_ pages: Int) -> Bool {
    pagesUntilSample &-= pages
    return pagesUntilSample < 0
  }

  /// Has a run sampled that the owner has just taken, from outside.
  @inline(never)
  mutating func sample(_ page: PageNumber, _ pages: Int) {
    let decided = doublings
    // First: a call of a signal's handler meanwhile has a point of its own.
    drawSample()
    profile?.sample(page, pages, decided, in: front.runs)
  }

  /// Puts a run on its stack, where no run is to be the hot one.
  ///
  /// - Parameter total: the charge with it.
  @inline(__always)
  mutating func putStacked(
    _ run: UInt, _ pages: Int, _ total: Int, as kind: RunKind
  ) -> Bool {
    let count = count(of: pages)
    if total > quietCeiling || count == Self.depth { return false }
    push(CachedRun(page: front.page(at: run), isZero: false), pages, count)
    charged.store(total, ordering: .relaxed)
    self.count(coldFrees: 1)
    front.countFree()
    if kind == .owned {
      cts_compiler_barrier()
      self.count(owners: -1)
    }
    return true
  }
}
