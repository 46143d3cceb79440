import Synchronization
import SysMem

// The heap
// ========
//
// Who has which page: all that the heap lock guards, reached by `ArenaCore.withHeap`. It makes no
// call to the kernel and knows no thread.
//
//   PageAllocator   which pages are in use
//   RunTable        which of them were handed out, as runs of how many
//   CacheList       free runs that threads and handles keep at hand
//   RunDepot        free runs on their way from one cache to another, and long ones
//   DetachedRuns    free runs on their way to the kernel
//   Limbo           freed runs that the kernel would not make plain memory again
//   Owners          how many owned runs live
//
// Pages in caches, in the depot and on their way to the kernel are in use to the allocator, and
// nobody's.

/// All that the heap lock guards.
package struct Heap: ~Copyable {
  /// The bookkeeping.
  package var allocator: PageAllocator
  /// What was handed out.
  package let runs: RunTable
  /// Who has samples of some of it; `nil` where nobody does.
  package var profile: RunProfile?
  /// The address of offset 0, for reports.
  package let base: UInt
  /// The pages by state.
  package var counts = HeapCounts()
  /// What has happened, but for what caches have not been asked for yet.
  package var counters = HeapCounters()
  /// The runs that are out of the allocator, by their sizes, those in caches and guards included,
  /// those in quarantine not; but for cuts in caches that were not told yet.
  package var sizes = SizeCounts()
  /// Pages on their way back to the kernel: in use to the allocator, nobody's to the caller.
  package var detached = DetachedRuns()
  /// The scavenger in the background, and what went back.
  package var scavenger: ScavengerState
  /// The bounds on what may be resident.
  package private(set) var limits = ResidencyLimits.none
  /// The same, before regions had their part of it.
  private(set) var givenLimits = ResidencyLimits.none
  /// Pages that regions have committed, and that count as the arena's.
  package private(set) var regionPages = 0
  /// Whether there are such bounds. Written with the lock held; read relaxed without, as a hint.
  package let isLimited = Atomic<Bool>(false)
  /// The arena's share of its pool's limit, in pages (see PoolLimits).
  package internal(set) var poolShare = 0
  /// How long allocating threads may give back to keep the soft one.
  package var giveBackBudget = GiveBackBudget()
  /// What the control group leaves, where that is the limit.
  package private(set) var watch: GroupWatch?
  /// How many fresh pages may be taken before the group is asked again; negative where more were;
  /// `Int.max` where none is watched. Written with the lock held; read relaxed without, as a hint.
  package let pagesUntilLook = Atomic<Int>(.max)
  /// The figures of the ``Growth``, for whoever holds only this lock.
  var reservedBytes: UInt64 = 0
  var metadataBytes: UInt64 = 0
  /// The most pages in a row that the arena can grow by, without more address space.
  private(set) var freshPages = 0
  /// Whether these lie behind all that has grown.
  private(set) var isInOnePiece = true
  /// What may stay resident as the arena grows.
  var headroom: GrowthHeadroom
  /// Whether somebody should look at it. Written with the lock held; read relaxed without, as a
  /// hint.
  package let isHeadroomDue = Atomic<Bool>(false)
  /// Chunks for which huge pages were asked for, where they are split when a part goes back.
  var hugeChunks = ChunkSet()
  /// Chunks in which owners of runs have decided otherwise about some of their pages, ever: until
  /// the arena of a pool retreats.
  var ownAdviceChunks = ChunkSet()
  /// Chunks whose part of the table of decommitted pages is counted.
  var decommittedChunks = ChunkSet()
  /// Runs that no cache was refilled for, taken by the lock since a cache was last given back to
  /// spare fresh memory.
  var takesSinceSparing = 0
  /// The caches of threads and handles.
  package var caches: CacheList
  /// What they hold, as far as their owners told it.
  package let tally: CacheTally
  /// What all caches may hold without a word to the arena.
  package var cacheCapacity = 0
  /// Caches whose owners were inside when the process was forked: what they had is in use for ever.
  package var lostCaches = 0
  /// Free runs that caches share.
  package var depot = RunDepot()
  /// Who owns runs.
  package var owners = Owners()
  /// Freed runs that are not plain memory.
  package var limbo = Limbo()
  /// The notes of the checked mode; `nil` where it is off.
  let checks: CheckedRuns?
  /// What the program does before a limit refuses something.
  package var limitHandler = LimitHandler()

  /// An empty heap.
  init(
    _ growth: borrowing Growth, _ plan: ScavengePlan, kernelPages: KernelPages, runs: RunTable,
    tally: CacheTally, checks: CheckedRuns?
  ) {
    base = growth.reservation.base
    self.runs = runs
    self.tally = tally
    self.checks = checks
    // In the checked mode every run comes and goes by the lock.
    caches = CacheList(isClosedForGood: checks != nil)
    scavenger = ScavengerState(plan)
    allocator = PageAllocator(tables: growth.tables, kernelPages: kernelPages)
    headroom = plan.growthHeadroom(hasHugePages: allocator.pagesPerUnit > 0)
    note(growth)
  }

  /// Copies the figures that the growth lock guards.
  mutating func note(_ growth: borrowing Growth) {
    reservedBytes = growth.reservation.byteCount
    freshPages = growth.reservation.longestFreshRun
    isInOnePiece = growth.reservation.pieceCount == 1
    metadataBytes = UInt64(growth.tables.mappedByteCount + growth.cacheMemory.bitsByteCount)
  }

  /// Adds fresh chunks, which are empty.
  mutating func grow(_ place: GrowthPlace, _ growth: borrowing Growth) {
    allocator.grow(place.chunks)
    counts.grown += place.addedPages
    counts.scavenged += place.addedPages
    counters.growths &+= 1
    note(growth)
  }

  /// The next unit of `unit` pages, from a page on, that is in use as a whole.
  package func nextFullUnit(from page: PageNumber, _ unit: Int) -> PageNumber? {
    let end = Geometry.firstPage(of: allocator.endChunk)
    for first in stride(from: page, to: end, by: unit) {
      let chunk = Geometry.chunk(of: first)
      let place = Geometry.place(of: first)
      if allocator.isGrown(chunk),
        allocator.chunk(chunk).allocated.bits.isAllOnes(in: place..<(place + unit))
      {
        return first
      }
    }
    return nil
  }

  /// Puts other bounds in force; those of a control group, where one is watched, with the next
  /// look.
  package mutating func set(_ limits: ResidencyLimits, watching watch: GroupWatch? = nil) {
    self.watch = watch
    pagesUntilLook.store(watch == nil ? .max : -1, ordering: .relaxed)
    use(limits)
  }

  /// Takes notice of what the control group said, while the arena had so many pages.
  package mutating func note(_ group: CgroupMemory?, ownPages: Int, now: Moment) {
    guard let told = watch?.note(group, ownPages: ownPages, now: now) else { return }
    pagesUntilLook.store(told.pagesUntilLook, ordering: .relaxed)
    use(told.limits)
  }

  /// Regions have so many pages that count.
  mutating func setRegionPages(_ pages: Int) {
    regionPages = pages
    use(givenLimits)
  }

  private mutating func use(_ limits: ResidencyLimits) {
    givenLimits = limits
    self.limits = limits.less(regionPages)
    // A group may get a bound at any time.
    isLimited.store(limits.isAny || watch != nil, ordering: .relaxed)
    closeBeyondHardLimit()
  }
}
