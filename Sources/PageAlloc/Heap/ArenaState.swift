import SysMem
import Synchronization

/// All that the heap lock guards: what is in use, and what is known of it. See ``ArenaHead``.
@safe
struct ArenaState: ~Copyable {
  /// The bookkeeping.
  var allocator: PageAllocator
  /// What was handed out.
  let runs: RunTable
  /// Pages out of the allocator: handed out, or in a cache.
  var inUsePages = 0
  /// Pages that may be handed out, or are: all of the grown chunks.
  var grownPages = 0
  /// Free pages that the kernel has back, or never backed.
  var scavengedPages = 0
  /// Pages on their way back to the kernel: in use to the allocator, nobody's to the caller.
  var detached = DetachedRuns()
  /// The address of offset 0, the operating system's memory and its files: the arena's own, for
  /// the scavenger's thread. They never change.
  let base: UInt
  let system: SysMem
  let files: any SystemFiles
  /// The scavenger in the background, and what went back.
  var scavenger: ScavengerState
  /// Whether there is a limit. Written with `heap` held; read relaxed without, as a hint.
  let isLimited = Atomic<Bool>(false)
  /// The bounds on `residentPages`.
  var limits = ResidencyLimits.none
  /// The figures of the ``GrowthState``, for whoever holds only this lock.
  var reservedBytes: UInt64 = 0
  var metadataBytes: UInt64 = 0
  /// What may stay resident as the arena grows.
  var headroom: GrowthHeadroom
  /// Whether somebody should look what the headroom leaves. Written with `heap` held; read relaxed without, as
  /// a hint.
  let isHeadroomDue = Atomic<Bool>(false)
  /// Chunks for which huge pages were asked for, where they are split when a part goes back.
  var hugeChunks = ChunkSet()
  /// Runs that no cache was refilled for, taken by the lock since a cache was last given back to spare fresh
  /// memory.
  var takesSinceSparing = 0
  /// The caches of threads and handles, those without an owner included.
  var caches: CacheList
  /// What all caches have been let have beyond the least.
  var grantedPages = 0
  /// Caches whose owners were inside when the process was forked: what they had is in use for ever.
  var lostCaches = 0
  /// Free runs that the caches share.
  var depot = RunDepot()
  /// The runs that owners hold, and what is to happen when the last of them goes.
  var owned = OwnedRuns()
  /// The notes of the checked mode; `nil` where it is off.
  let checks: CheckedRuns?

  /// The arena's number in the process, never used twice.
  let number: UInt
  /// The next arena of the process. Guarded by the registry's lock.
  var nextArena: UnsafeMutablePointer<ArenaState>?

  init(
    number: UInt, growth: borrowing GrowthState, grain: ScavengeGrain, system: SysMem,
    files: any SystemFiles, clock: any ScavengeClock, checks: CheckedRuns?, plan: ScavengePlan
  ) {
    self.number = number
    base = growth.reservation.base
    self.system = system
    self.files = files
    scavenger = ScavengerState(plan, clock: clock)
    allocator = PageAllocator(tables: growth.tables, grain: grain)
    headroom = plan.growthHeadroom(hasHugePages: allocator.pagesPerUnit > 0)
    // The table outlives the state, which lies in the same tables.
    unsafe runs = RunTable(storage: growth.tables.runs)
    // In the checked mode every run comes and goes by the lock.
    caches = CacheList(isClosedForGood: checks != nil)
    unsafe nextArena = nil
    self.checks = checks
    note(growth)
  }

  /// Copies the figures that the growth lock guards. Call with `growth` and `heap` held.
  mutating func note(_ growth: borrowing GrowthState) {
    reservedBytes = growth.reservation.byteCount
    metadataBytes = UInt64(growth.tables.mappedByteCount)
  }
}

/// A run that was just taken.
struct Taken {
  /// Its first page.
  let page: PageNumber
  /// How many of its pages read as zero.
  let scavengedPages: Int
}

// MARK: - Runs. Call with `heap` held.

extension ArenaState {
  /// Takes a run of free pages, if there is one.
  ///
  /// - Parameters:
  ///   - steps: how far an aligned search may walk.
  ///   - look: is shown where the run will be before it is taken.
  @inline(__always)
  mutating func take(
    _ pageCount: Int, _ alignment: PageAllocator.Alignment, steps: Int,
    look: (borrowing PageAllocator, PageNumber) -> Void
  ) -> Taken? {
    if pageCount > RunCache.longestStacked, let page = depot.takeLong(pageCount, alignment) {
      look(allocator, page)
      runs.setLength(page, pageCount)
      return Taken(page: page, scavengedPages: 0)
    }
    if alignment.pages == 1 {
      guard let place = allocator.place(pageCount) else { return nil }
      return take(at: place, pageCount, look: look)
    }
    guard let page = allocator.findAligned(pageCount, alignment, steps: steps) else { return nil }
    return take(at: (page, 0), pageCount, look: look)
  }

  /// Takes a run of free pages at a given place, and hands it to the caller.
  ///
  /// - Parameter place: its first page, and where the next search may start (0: where it did).
  @inline(__always)
  mutating func take(
    at place: (page: PageNumber, candidate: PageNumber), _ pageCount: Int,
    look: (borrowing PageAllocator, PageNumber) -> Void
  ) -> Taken {
    look(allocator, place.page)
    let clean = allocator.allocate(at: place, pageCount)
    runs.setLength(place.page, pageCount)
    inUsePages &+= pageCount
    takesSinceSparing &+= 1
    if clean != 0 {
      noteUsed(clean)
      // Warm memory is better than fresh.
      giveBackSpares()
    }
    noteInUse()
    return Taken(page: place.page, scavengedPages: clean)
  }

  /// Pages that nothing had backed were taken, and count as in use.
  @inline(__always)
  mutating func noteUsed(_ scavenged: Int) {
    scavengedPages &-= scavenged
    noteFresh(scavenged)
  }

  /// Pages that nothing had backed were taken: the headroom may be passed.
  @inline(__always)
  mutating func noteFresh(_ pageCount: Int) {
    if headroom.note(taken: pageCount) { isHeadroomDue.store(true, ordering: .relaxed) }
  }

  /// Counts what is handed out, where more pages than ever are out of the allocator.
  ///
  /// - Complexity: O(caches), once in 1 MiB.
  @inline(__always)
  mutating func noteInUse() {
    if inUsePages > headroom.nextCount {
      headroom.note(inUse: handedOutPages, outPages: inUsePages)
    }
  }

  /// Gives a part of a run back to the allocator; what is left on either side are runs of their own.
  ///
  /// - Precondition: the part lies in the run.
  mutating func giveBack(_ part: Range<PageNumber>, of run: Range<PageNumber>) {
    allocator.requireInUse(part)
    cut(part, outOf: run)
    if let checks { checks.forget(part) }
    allocator.free(part.lowerBound, part.count)
    inUsePages &-= part.count
  }

  /// A part of a run is nobody's any more; what is left on either side are runs of their own.
  @inline(__always)
  mutating func cut(_ part: Range<PageNumber>, outOf run: Range<PageNumber>) {
    runs.clear(run.lowerBound)
    if part.lowerBound > run.lowerBound {
      runs.setLength(run.lowerBound, part.lowerBound - run.lowerBound)
    }
    if part.upperBound < run.upperBound {
      runs.setLength(part.upperBound, run.upperBound - part.upperBound)
    }
  }

  /// Gives back runs that are nobody's.
  mutating func giveBack(_ batch: inout RunBatch) {
    if batch.count == 0 { return }
    inUsePages &-= batch.pageCount
    allocator.free(&batch)
    batch.removeAll()
  }

  /// The run that all pages of a range belong to.
  ///
  /// - Throws: the arena has not grown so far, or the range is not in use, or it goes past the end of
  ///   the run.
  func run(
    around part: Range<PageNumber>, base: UInt
  ) throws(PageArenaError) -> Range<PageNumber> {
    guard allocator.isGrown(part.lowerBound, part.count) else { throw .foreign(base: base) }
    let lowest = Geometry.firstPage(of: allocator.startChunk)
    guard let run = runs.run(around: part.lowerBound, lowest: lowest) else {
      throw .notInUse(base: base, pages: part.count)
    }
    // Past the end of this run there is either another, or a page that is not in use.
    var end = run.upperBound
    while end < part.upperBound {
      let length = runs.length(end)
      if length == 0 { throw .notInUse(base: base, pages: part.count) }
      end &+= length
    }
    if part.upperBound > run.upperBound {
      throw .pastEndOfRun(base: base, pages: part.count)
    }
    return run
  }
}
