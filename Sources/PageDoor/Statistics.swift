import CPageAlloc
import PageAlloc

@c @implementation
package func pa_get_statistics(
  _ arena: OpaquePointer?, _ statistics: UnsafeMutablePointer<pa_statistics>?
) -> pa_status {
  guard let target = unsafe statistics else { return .badArgument }
  return unsafe looking(arena) { arena in
    let size = unsafe Int(clamping: target.pointee.size)
    let figures = pa_statistics(arena.statistics)
    return unsafe writeStruct(figures, to: target, size) ? .ok : pa_status(PA_BAD_SIZE)
  }
}

@c @implementation
package func pa_measure_resident(
  _ arena: OpaquePointer?, _ bytes: UnsafeMutablePointer<UInt64>?
) -> pa_status {
  guard let bytes = unsafe bytes else { return .badArgument }
  return unsafe status(arena) { arena throws(PageArenaError) in
    let count = try arena.measureResident()
    unsafe bytes.pointee = count
  }
}

extension pa_statistics {
  init(_ now: PageArena.Statistics) {
    self.init()
    reserved_bytes = now.reservedBytes
    ready_bytes = now.readyBytes
    in_use_bytes = now.inUseBytes
    inaccessible_bytes = now.inaccessibleBytes
    free_maybe_resident_bytes = now.freeMaybeResidentBytes
    cached_bytes = now.cachedBytes
    kept_long_bytes = now.keptLongBytes
    quarantined_bytes = now.quarantinedBytes
    scavenged_bytes = now.scavengedBytes
    maybe_resident_bytes = now.maybeResidentBytes
    largest_free_run_pages = UInt64(clamping: now.largestFreeRun)
    metadata_bytes = now.metadataBytes
    sealed_bytes = now.sealedBytes
    let returned = now.returned
    background_bytes = returned.backgroundBytes
    requested_bytes = returned.requestedBytes
    limit_bytes = returned.limitBytes
    headroom_bytes = returned.headroomBytes
    discarded_bytes = returned.discardedBytes
    refused_bytes = returned.refusedBytes
    lazy_bytes = returned.lazyBytes
    passes = returned.passes
    call_nanoseconds = returned.callNanoseconds
    background_nanoseconds = returned.backgroundNanoseconds
    background_elapsed_nanoseconds = returned.backgroundElapsedNanoseconds
    limit_refusals = returned.limitRefusals
    soft_limit_yields = returned.softLimitYields
    refused_advice = returned.refusedAdvice
  }
}
