import SysMem

/// How long allocating threads may give memory back to keep the soft limit.
///
/// Close to what is in use, a limit would have every allocation give back what the next one needs
/// again. So the time for that has a ceiling, as in Go's collector: at most half of every second,
/// for all threads of an arena together. There is a tenth of a second to begin with, and time that
/// passes adds four tenths of itself; what the last pass takes beyond that is paid for first.
///
/// ```
///   100 ms |-----.            .-----.
///          |      \  passes  / 0.4 ns a ns
///        0 |-------\--------/------------- below: the soft limit gives way
///          |        '------'
/// ```
package struct GiveBackBudget: Sendable {
  /// What is left, in nanoseconds; negative where a pass took longer.
  private var left: Int64 = Self.most
  private var lastLook = Moment(nanoseconds: 0)

  /// All of it.
  package init() {}

  private static var most: Int64 { 100_000_000 }
  /// No pause counts for more, in nanoseconds.
  private static var longestPause: UInt64 { 10_000_000_000 }
  /// It is never less: that many threads spend at once counts as far as such a pause pays for it.
  private static var least: Int64 { most - Int64(longestPause) * 2 / 5 }

  /// Whether somebody may give back now.
  package mutating func allows(_ now: Moment) -> Bool {
    // In no more than ten seconds the budget is full, whatever was spent.
    let passed = min(now.elapsed(since: lastLook), Self.longestPause)
    lastLook = now
    left = min(Self.most, left + Int64(passed) * 2 / 5)
    return left > 0
  }

  /// Somebody was giving back for so long; at most a few seconds of it count.
  package mutating func spend(_ nanoseconds: UInt64) {
    left = max(Self.least, left - Int64(min(nanoseconds, 1_000_000_000)))
  }
}
