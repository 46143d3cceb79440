import SysMem

extension PageArena {
  /// What an arena holds, and what it gave back since it was made. Figures are bytes where nothing
  /// else is said.
  public struct Statistics: Equatable, Sendable {
    /// Address space, with what must stay reserved.
    public let reservedBytes: UInt64
    /// Memory that was committed: in use, or free. The sum of the next three.
    public let readyBytes: UInt64
    /// Runs that were handed out.
    public let inUseBytes: UInt64
    /// Free, and with contents that may be resident.
    public let freeResidentBytes: UInt64
    /// Free, and kept at hand by threads, on the way from one to another, whole because they are long, or in
    /// quarantine; part of what is free and resident.
    public let cachedBytes: UInt64
    /// Free, and never backed or given back: costs no memory and reads as zero.
    public let scavengedBytes: UInt64
    /// The longest run of free pages in what is committed, in pages of 8 KiB; pages that threads keep at
    /// hand are not among them.
    public let largestFreeRun: Int
    /// Memory of the arena's own tables.
    public let metadataBytes: UInt64
    /// Of tables and address space, what is sealed: its mappings never change again. 0 but for
    /// ``Options/isPermanent``.
    public let sealedBytes: UInt64
    /// What went back, and at what cost.
    public let returned: Returned

    /// What may be resident: in use, or free and not given back. It is what the limits bound.
    public var residentBytes: UInt64 { inUseBytes + freeResidentBytes }
  }

  /// What went back to the kernel since the arena was made.
  public struct Returned: Equatable, Sendable {
    /// By the scavenger in the background.
    public let backgroundBytes: UInt64
    /// By ``PageArena/scavenge(byteCount:)`` and ``PageArena/releaseFreeMemory()``.
    public let requestedBytes: UInt64
    /// To keep a limit.
    public let limitBytes: UInt64
    /// To keep no more than the headroom as the arena grew.
    public let headroomBytes: UInt64
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
    /// Advice about huge pages that the kernel did not take.
    public let refusedAdvice: UInt64

    /// The share of one processor that the scavenger had while it had work to do; 0 where it had none.
    public var backgroundShare: Double {
      backgroundElapsedNanoseconds == 0
        ? 0 : Double(backgroundNanoseconds) / Double(backgroundElapsedNanoseconds)
    }

    init(_ counters: ReturnCounters) {
      backgroundBytes = counters.backgroundBytes
      requestedBytes = counters.requestedBytes
      limitBytes = counters.limitBytes
      headroomBytes = counters.headroomBytes
      refusedBytes = counters.refusedBytes
      lazyBytes = counters.lazyBytes
      passes = counters.passes
      callNanoseconds = counters.callNanoseconds
      backgroundNanoseconds = counters.workNanoseconds
      backgroundElapsedNanoseconds = counters.awakeNanoseconds
      limitRefusals = counters.limitRefusals
      refusedAdvice = counters.refusedAdvice
    }
  }

  /// What the arena holds now. All figures are of one moment, but what threads have at hand while
  /// they take and free runs: that may be off, and what is in use by as much. They always add up.
  ///
  /// - Complexity: O(caches); as cheap as a free.
  public var statistics: Statistics {
    // The state lives as long as the arena.
    unsafe state.locks.pointee.heap.lock()
    defer { unsafe state.locks.pointee.heap.unlock() }
    return unsafe state.pointee.statistics
  }
}

extension ArenaState {
  /// Call with `heap` held.
  fileprivate var statistics: PageArena.Statistics {
    func bytes(_ pages: Int) -> UInt64 { UInt64(pages) << UInt64(Geometry.pageShift) }
    let cached = cachedPages + withheldPages
    return PageArena.Statistics(
      reservedBytes: reservedBytes, readyBytes: bytes(grownPages),
      inUseBytes: bytes(inUsePages - cached), freeResidentBytes: bytes(freeResidentPages + cached),
      cachedBytes: bytes(cached), scavengedBytes: bytes(scavengedPages),
      largestFreeRun: max(allocator.summaries.longestRun, depot.longestRun),
      metadataBytes: metadataBytes + UInt64(caches.count) * UInt64(CacheMapping.byteCount(system))
        + UInt64(checks == nil ? 0 : CheckedRuns.byteCount(system)),
      sealedBytes: system.sealedBytes, returned: PageArena.Returned(scavenger.counters))
  }
}

extension PageArena {
  /// The states of all memory that the arena has of the system, its tables included.
  package var systemStatistics: SysMem.Statistics { system.statistics }

  /// Has every cache tell of so many pages more than it holds, or fewer, as one may that is looked
  /// at while its owner is inside, for a check.
  package func misstateCaches(by pages: Int) {
    // The state lives as long as the arena, and so do its caches.
    unsafe state.locks.pointee.heap.lock()
    defer { unsafe state.locks.pointee.heap.unlock() }
    unsafe state.pointee.caches.forEach { unsafe $0.pointee.takeRoom(pages) }
  }

  /// The address of page 0, for a check.
  package var origin: UInt { base }

  /// Looks at the memory of the tables, or damages it, for a check. Nobody else may use the arena meanwhile.
  package func withTables(_ body: (borrowing AllocatorTables) -> Void) {
    // The state lives as long as the arena.
    unsafe state.locks.pointee.growth.lock()
    defer { unsafe state.locks.pointee.growth.unlock() }
    unsafe body(state.growth.pointee.tables)
  }
}
