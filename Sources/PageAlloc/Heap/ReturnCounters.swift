/// Why memory went back.
package enum ReleaseCause: UInt8 {
  case background
  case request
  case limit
  case headroom
}

/// What went back since the arena was made, and at what cost.
package struct ReturnCounters {
  /// Bytes by cause.
  package var backgroundBytes: UInt64 = 0
  package var requestedBytes: UInt64 = 0
  package var limitBytes: UInt64 = 0
  package var headroomBytes: UInt64 = 0
  /// Bytes that owners discarded of runs that stayed in use.
  package var discardedBytes: UInt64 = 0
  /// Bytes that the kernel would not take: they stay free as before.
  package var refusedBytes: UInt64 = 0
  /// Bytes that the kernel may take when it wants to. They count as free and resident.
  package var lazyBytes: UInt64 = 0
  /// Passes that gave something back.
  package var passes: UInt64 = 0
  /// Time in passes that somebody waited for: all but those in the background.
  package var callNanoseconds: UInt64 = 0
  /// Processor time of the scavenger's thread, and the time on the wall in which it was not parked.
  package var workNanoseconds: UInt64 = 0
  package var awakeNanoseconds: UInt64 = 0
  /// Allocations refused by the hard limit.
  package var limitRefusals: UInt64 = 0
  /// Allocations that went beyond the soft limit although there was free memory to give back.
  package var softLimitYields: UInt64 = 0
  /// Advice about huge pages that the kernel did not take.
  package var refusedAdvice: UInt64 = 0

  /// Nothing went back.
  package init() {}

  package mutating func add(_ byteCount: UInt64, _ cause: ReleaseCause, nanoseconds: UInt64) {
    if byteCount > 0 { passes += 1 }
    switch cause {
    case .background: backgroundBytes += byteCount
    case .request: requestedBytes += byteCount
    case .limit: limitBytes += byteCount
    case .headroom: headroomBytes += byteCount
    }
    if cause != .background { callNanoseconds += nanoseconds }
  }
}
