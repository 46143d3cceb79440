import SysMem

extension PageArena {
  /// What an arena holds, at one moment, and what it gave back since it was made. Figures are bytes
  /// where nothing else is said.
  public struct Statistics: Equatable, Sendable {
    /// Address space, with what must stay reserved.
    public let reservedBytes: UInt64
    /// Memory that was committed: the sum of ``inUseBytes``, ``freeMaybeResidentBytes`` and
    /// ``scavengedBytes``. It becomes less only where an arena of a pool is empty, and goes back to
    /// address space.
    public let readyBytes: UInt64
    /// Runs that were handed out.
    public let inUseBytes: UInt64
    /// Of what was handed out, what is inaccessible and empty: in use, but not resident, and not
    /// bounded by the limits. ``PageRun/protect(_:)`` says when.
    public let inaccessibleBytes: UInt64
    /// Free, and with contents that may be resident.
    public let freeMaybeResidentBytes: UInt64
    /// Free, and kept at hand by threads and handles, or on the way from one to another: part of
    /// what is free and may be resident, as are the next two. Each cache may be off by 2 MiB and by
    /// the two runs that it handed out or took back last.
    public let cachedBytes: UInt64
    /// Free, and kept whole by the arena because they are long.
    public let keptLongBytes: UInt64
    /// Freed, and in quarantine.
    public let quarantinedBytes: UInt64
    /// Free, and never backed, or given back since: costs no memory and reads as zero.
    public let scavengedBytes: UInt64
    /// What regions have committed that count as the arena's, in whole pages: none of the above,
    /// and resident as far as it was written to.
    public let regionBytes: UInt64
    /// The longest run that can be had, in pages of 8 KiB: of free pages, or by growth. Limits and
    /// the kernel are not asked; pages that threads keep at hand are not among them. On a 32-bit
    /// host more can be had where the system has more address space.
    public let largestFreeRun: Int
    /// The longest run of free pages in what is committed, in pages; as above.
    public let largestCommittedRun: Int
    /// Memory of the arena's own tables, as far as it may be written to: what belongs to memory
    /// that was never committed is not counted. Those of the checked mode and of a profile are
    /// counted whole.
    public let metadataBytes: UInt64
    /// Of tables and address space, what is sealed: its mappings never change again. 0 but for
    /// ``Options/isPermanent``.
    public let sealedBytes: UInt64
    /// Runs that were handed out since the arena was made; so the next three. A run that moves, as
    /// it grows, is handed out anew and taken back.
    ///
    /// What threads take from what they have at hand, and put there, they count by themselves, and
    /// each reading asks for it: the calling thread, and 8 others or handles, in turn; 2 where
    /// there are more than 64. So with up to 8 both counts are true but for the calls that are
    /// under way, and with more by what happened since each was asked last. Who ends has told all.
    public let allocations: UInt64
    /// Runs that were taken back, whole or in part; as ``allocations``.
    public let frees: UInt64
    /// Requests for a run that were refused since there was no memory or address space, because of
    /// the limit (``Returned/limitRefusals``), or by the kernel.
    public let refusals: UInt64
    /// How often the arena grew.
    public let growths: UInt64
    /// The most that was in use at once. It is looked at by each reading, and whenever what is in
    /// use and at hand together is 128 KiB more than ever: so it may be too low by 128 KiB, and by
    /// what threads took from what they had at hand since (at most ``cachedBytes`` of that time).
    public let peakInUseBytes: UInt64
    /// The most that ``maybeResidentBytes`` has been.
    public let peakMaybeResidentBytes: UInt64
    /// How many runs there are of each size, those at hand for threads and guards included; those
    /// in quarantine are not.
    ///
    /// Threads cut what they have at hand without a word, and tell when they come by the arena's
    /// lock: until then a run that was cut counts as it was.
    public let runSizes: RunSizes
    /// What went back, and at what cost.
    public let returned: Returned

    /// What may be resident: in use and not inaccessible, or free and not given back, or a
    /// region's. It is what the limits bound. The kernel has no more of it in memory, and perhaps
    /// less: some of it was never written to, and what ``PageRun/discard()`` and
    /// ``PageArena/discard(_:pages:)`` took is in it as long as the run is in use.
    public var maybeResidentBytes: UInt64 {
      // Decoded figures may be anything.
      inUseBytes &- inaccessibleBytes &+ freeMaybeResidentBytes &+ regionBytes
    }

    /// The name of ``maybeResidentBytes`` before it said that it is a bound.
    @available(*, deprecated, renamed: "maybeResidentBytes")
    public var residentBytes: UInt64 { maybeResidentBytes }

    /// The name of ``freeMaybeResidentBytes`` before it said that it is a bound.
    @available(*, deprecated, renamed: "freeMaybeResidentBytes")
    public var freeResidentBytes: UInt64 { freeMaybeResidentBytes }
  }

  /// What went back to the kernel since the arena was made.
  public struct Returned: Equatable, Sendable {
    /// By the scavenger in the background.
    public let backgroundBytes: UInt64
    /// By ``PageArena/scavenge(byteCount:)``, ``PageArena/releaseFreeMemory()`` and
    /// ``PageArena/deallocateDiscarding(_:pages:)``.
    public let requestedBytes: UInt64
    /// To keep a limit.
    public let limitBytes: UInt64
    /// To keep no more than the headroom as the arena grew.
    public let headroomBytes: UInt64
    /// By ``PageRun/discard()`` and ``PageArena/discard(_:pages:)``, in runs that stayed in use.
    public let discardedBytes: UInt64
    /// What the kernel would not take: free as before.
    public let refusedBytes: UInt64
    /// What the kernel may take when it wants to; in none of the figures above.
    public let lazyBytes: UInt64
    /// Passes that gave something back.
    public let passes: UInt64
    /// Time spent in passes that a caller waited for, in nanoseconds.
    public let callNanoseconds: UInt64
    /// Processor time of the scavenger's thread, in nanoseconds.
    public let backgroundNanoseconds: UInt64
    /// The time in which the scavenger had work to do, its pauses included, in nanoseconds.
    public let backgroundElapsedNanoseconds: UInt64
    /// Allocations that the hard limit refused.
    public let limitRefusals: UInt64
    /// Allocations that went beyond the soft limit although there was free memory: keeping it would
    /// have taken more than half of the time.
    public let softLimitYields: UInt64
    /// Advice about huge pages that the kernel did not take.
    public let refusedAdvice: UInt64

    /// The share of one processor that the scavenger had while it had work to do; 0 where it had
    /// none.
    public var backgroundShare: Double {
      backgroundElapsedNanoseconds == 0
        ? 0 : Double(backgroundNanoseconds) / Double(backgroundElapsedNanoseconds)
    }

    init(_ counters: ReturnCounters) {
      backgroundBytes = counters.backgroundBytes
      requestedBytes = counters.requestedBytes
      limitBytes = counters.limitBytes
      headroomBytes = counters.headroomBytes
      discardedBytes = counters.discardedBytes
      refusedBytes = counters.refusedBytes
      lazyBytes = counters.lazyBytes
      passes = counters.passes
      callNanoseconds = counters.callNanoseconds
      backgroundNanoseconds = counters.workNanoseconds
      backgroundElapsedNanoseconds = counters.awakeNanoseconds
      limitRefusals = counters.limitRefusals
      softLimitYields = counters.softLimitYields
      refusedAdvice = counters.refusedAdvice
    }
  }

  /// What the arena holds now.
  ///
  /// All figures are of one moment but for what caches hold: that of the calling thread is exact,
  /// others may have 2 MiB and their last two runs untold; and a run of more than 127 pages that
  /// goes from one cache to another meanwhile may count twice, or not at all.
  ///
  /// ```swift
  /// let figures = arena.statistics
  /// print(figures.inUseBytes, "in use,", figures.maybeResidentBytes, "perhaps resident")
  /// ```
  ///
  /// - Complexity: O(1); as cheap as a free.
  public var statistics: Statistics { Statistics(core) }

  /// Asks the kernel how much of the arena's pages is in memory now, its tables aside.
  ///
  /// ```swift
  /// let bound = arena.statistics.maybeResidentBytes
  /// let measured = try arena.measureResident()  // at most `bound`, but for huge pages
  /// ```
  ///
  /// Other threads work on meanwhile; what they touch or give back may be in it or not. With huge
  /// pages it may be more than that bound, by what they hold beside what was written to
  /// (``HugePages``). What was read and never written to counts only where the kernel lacks
  /// `PAGEMAP_SCAN` (before Linux 6.7) and `mincore` is asked.
  ///
  /// - Returns: bytes.
  /// - Throws: ``PageArenaError/system(_:)``: the kernel does not say.
  /// - Complexity: O(page tables of what was committed): about a millisecond a GiB that is in
  ///   memory, far more than ``statistics``.
  public func measureResident() throws(PageArenaError) -> UInt64 {
    try core.requireOutside()
    var ranges = BoundedArray<Range<UInt>, 64>(filler: 0..<0)
    core.withGrowth { growth in
      for index in 0..<growth.reservation.pieceCount {
        let grown = growth.reservation.grownAddresses(ofPiece: index)
        if !grown.isEmpty { ranges.append(grown) }
      }
    }
    var found: UInt64 = 0
    for index in 0..<ranges.count {
      let range = ranges[index]
      do throws(SysMemError) {
        found += UInt64(
          try core.system.residentByteCount(
            range.lowerBound, range.upperBound - range.lowerBound))
      } catch { throw .system(error) }
    }
    return found
  }
}

extension PageArena.Statistics {
  init(_ core: ArenaCore) {
    let system = core.system
    let own = core.cacheInItsSlot()
    self = core.withHeap { heap in
      // A signal's handler may have come while its thread is inside of its cache.
      if let own, own.front.isOutside { own.contents.tell() }
      let reading = heap.read(own: own)
      let counters = heap.counters
      return PageArena.Statistics(
        reservedBytes: heap.reservedBytes, readyBytes: ArenaCore.bytes(reading.ready),
        inUseBytes: ArenaCore.bytes(reading.inUse),
        inaccessibleBytes: ArenaCore.bytes(reading.inaccessible),
        freeMaybeResidentBytes: ArenaCore.bytes(reading.freeResident),
        cachedBytes: ArenaCore.bytes(reading.cached),
        keptLongBytes: ArenaCore.bytes(reading.keptLong),
        quarantinedBytes: ArenaCore.bytes(reading.quarantined),
        scavengedBytes: ArenaCore.bytes(reading.scavenged),
        regionBytes: ArenaCore.bytes(heap.regionPages),
        largestFreeRun: heap.largestAvailableRun, largestCommittedRun: heap.largestFreeRun,
        metadataBytes: heap.metadataBytes
          + UInt64(CacheMemory.byteCount(forCaches: heap.caches.count, system))
          + UInt64(heap.checks == nil ? 0 : CheckedRuns.byteCount(system))
          + UInt64(heap.profile?.byteCount(system) ?? 0),
        sealedBytes: system.sealedBytes,
        allocations: counters.allocations, frees: counters.frees,
        refusals: counters.refusals &+ heap.scavenger.counters.limitRefusals,
        growths: counters.growths,
        peakInUseBytes: ArenaCore.bytes(counters.peakInUse),
        peakMaybeResidentBytes: ArenaCore.bytes(counters.peakResident),
        runSizes: PageArena.RunSizes(heap.sizes),
        returned: PageArena.Returned(heap.scavenger.counters))
    }
  }
}

#if !hasFeature(Embedded)
  extension PageArena.Statistics: Codable {
    // The names in JSON.
    private enum CodingKeys: String, CodingKey {
      case reservedBytes, readyBytes, inUseBytes, inaccessibleBytes, freeMaybeResidentBytes
      case cachedBytes, keptLongBytes, quarantinedBytes, scavengedBytes, regionBytes
      case metadataBytes, sealedBytes
      case allocations, frees, refusals, growths
      case peakInUseBytes, peakMaybeResidentBytes, runSizes
      case largestFreeRun = "largestFreeRunPages"
      case largestCommittedRun = "largestCommittedRunPages"
      case returned
    }
  }

  extension PageArena.Returned: Codable {}
#endif
