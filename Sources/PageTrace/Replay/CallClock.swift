import SysMem

/// Decides which calls of the allocator are timed, and times them.
struct CallClock {
  /// What a pair of clock readings costs by itself.
  private let overhead: UInt64
  /// A call is timed when these bits of the next random number are zero.
  private let mask: UInt64
  private var random: UInt64 = 0x2545_f491_4f6c_dd1d

  /// - Parameter interval: One call of how many is timed, on average; a power of two.
  init(interval: UInt64) {
    mask = interval - 1
    var least = UInt64.max
    for _ in 0..<256 {
      let start = Moment.now
      least = min(least, Moment.now.elapsed(since: start))
    }
    overhead = least
  }

  /// The time now when the next call is to be timed, or nil.
  ///
  /// Chosen at random, lest a rhythm of the trace decide which kind of call is seen.
  @inline(__always)
  mutating func start() -> Moment? {
    random ^= random << 13
    random ^= random >> 7
    random ^= random << 17
    return (random >> 32) & mask == 0 ? .now : nil
  }

  /// Counts a call that began at `start`.
  @inline(__always)
  func stop(_ start: Moment?, _ times: inout CallTimes) {
    times.count += 1
    guard let start else { return }
    let spent = Moment.now.elapsed(since: start, without: overhead)
    times.add(spent)
  }
}
