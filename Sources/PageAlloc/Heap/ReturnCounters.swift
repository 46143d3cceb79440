/// Why memory went back.
enum ReleaseCause: UInt8 {
  case background
  case request
  case limit
  case headroom
}

/// What went back since the arena was made, and at what cost.
struct ReturnCounters {
  /// Bytes by cause.
  var backgroundBytes: UInt64 = 0
  var requestedBytes: UInt64 = 0
  var limitBytes: UInt64 = 0
  var headroomBytes: UInt64 = 0
  /// Bytes that the kernel would not take: they stay free as before.
  var refusedBytes: UInt64 = 0
  /// Bytes that the kernel may take when it wants to. They count as free and resident.
  var lazyBytes: UInt64 = 0
  /// Passes that gave something back.
  var passes: UInt64 = 0
  /// Time in passes that somebody waited for: all but those in the background.
  var callNanoseconds: UInt64 = 0
  /// Processor time of the scavenger's thread, and the time on the wall in which it was not parked.
  var workNanoseconds: UInt64 = 0
  var awakeNanoseconds: UInt64 = 0
  /// Allocations refused by the hard limit.
  var limitRefusals: UInt64 = 0
  /// Advice about huge pages that the kernel did not take.
  var refusedAdvice: UInt64 = 0

  mutating func add(_ byteCount: UInt64, _ cause: ReleaseCause, nanoseconds: UInt64) {
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
