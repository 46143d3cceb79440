// The figures of many arenas as one.

extension PageArena.Statistics {
  /// Those of no arena.
  static var zero: PageArena.Statistics {
    PageArena.Statistics(
      reservedBytes: 0, readyBytes: 0, inUseBytes: 0, inaccessibleBytes: 0,
      freeMaybeResidentBytes: 0, cachedBytes: 0, keptLongBytes: 0, quarantinedBytes: 0,
      scavengedBytes: 0, regionBytes: 0, largestFreeRun: 0, largestCommittedRun: 0,
      metadataBytes: 0, sealedBytes: 0,
      allocations: 0, frees: 0, refusals: 0, growths: 0, peakInUseBytes: 0,
      peakMaybeResidentBytes: 0, runSizes: PageArena.RunSizes(SizeCounts()),
      returned: PageArena.Returned(ReturnCounters()))
  }

  /// Adds those of another arena; the longest free run is the longer one.
  static func += (sum: inout Self, other: Self) {
    sum = PageArena.Statistics(
      reservedBytes: sum.reservedBytes + other.reservedBytes,
      readyBytes: sum.readyBytes + other.readyBytes,
      inUseBytes: sum.inUseBytes + other.inUseBytes,
      inaccessibleBytes: sum.inaccessibleBytes + other.inaccessibleBytes,
      freeMaybeResidentBytes: sum.freeMaybeResidentBytes + other.freeMaybeResidentBytes,
      cachedBytes: sum.cachedBytes + other.cachedBytes,
      keptLongBytes: sum.keptLongBytes + other.keptLongBytes,
      quarantinedBytes: sum.quarantinedBytes + other.quarantinedBytes,
      scavengedBytes: sum.scavengedBytes + other.scavengedBytes,
      regionBytes: sum.regionBytes + other.regionBytes,
      largestFreeRun: max(sum.largestFreeRun, other.largestFreeRun),
      largestCommittedRun: max(sum.largestCommittedRun, other.largestCommittedRun),
      metadataBytes: sum.metadataBytes + other.metadataBytes,
      sealedBytes: sum.sealedBytes + other.sealedBytes,
      allocations: sum.allocations &+ other.allocations, frees: sum.frees &+ other.frees,
      refusals: sum.refusals &+ other.refusals, growths: sum.growths &+ other.growths,
      // Each at its own time: together they never were more.
      peakInUseBytes: sum.peakInUseBytes + other.peakInUseBytes,
      peakMaybeResidentBytes: sum.peakMaybeResidentBytes + other.peakMaybeResidentBytes,
      runSizes: PageArena.RunSizes(sum.runSizes, plus: other.runSizes),
      returned: PageArena.Returned(sum.returned, plus: other.returned))
  }
}

extension PageArena.Returned {
  /// What two arenas gave back together.
  fileprivate init(_ one: Self, plus other: Self) {
    backgroundBytes = one.backgroundBytes &+ other.backgroundBytes
    requestedBytes = one.requestedBytes &+ other.requestedBytes
    limitBytes = one.limitBytes &+ other.limitBytes
    headroomBytes = one.headroomBytes &+ other.headroomBytes
    discardedBytes = one.discardedBytes &+ other.discardedBytes
    refusedBytes = one.refusedBytes &+ other.refusedBytes
    lazyBytes = one.lazyBytes &+ other.lazyBytes
    passes = one.passes &+ other.passes
    callNanoseconds = one.callNanoseconds &+ other.callNanoseconds
    backgroundNanoseconds = one.backgroundNanoseconds &+ other.backgroundNanoseconds
    backgroundElapsedNanoseconds =
      one.backgroundElapsedNanoseconds &+ other.backgroundElapsedNanoseconds
    limitRefusals = one.limitRefusals &+ other.limitRefusals
    softLimitYields = one.softLimitYields &+ other.softLimitYields
    refusedAdvice = one.refusedAdvice &+ other.refusedAdvice
  }
}
