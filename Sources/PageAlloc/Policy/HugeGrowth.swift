import SysMem

/// Whether an arena asks for huge pages where it grows.
///
/// To write to 2 MiB for the first time takes 512 faults with small pages and one with a huge page:
/// 0.8 ms against 0.2, on the machine that this was measured on. But a kernel that has none at hand
/// moves memory about first, which can take longer than all the small pages would. It counts how
/// often that was so; those counters are looked at off the allocations' way, once for each 64 MiB
/// that were asked for. Where too many waited, the next growths go without: 4 MiB, then four times
/// as much each time.
package struct HugeGrowth: Sendable {
  /// Pages that grow without: a small program has nothing to gain.
  private static var plainPages: Int { 1024 }
  /// Chunks asked for from one look to the next.
  package static var chunksPerLook: Int { 16 }
  /// A wait costs as much as four huge pages gain, or more.
  private static var allocationsPerStall: UInt64 { 4 }
  private static var firstPause: Int { 1 }

  /// Chunks still to grow without.
  private var pause = 0
  /// What the next pause will be.
  private var nextPause = Self.firstPause
  /// Chunks asked for since the last look.
  private var askedChunks = 0
  /// What the kernel's counters were at the last look.
  private var last: HugePageEvents?

  /// For an arena that has not grown yet.
  package init() {}

  /// Whether to ask for a growth.
  ///
  /// - Parameters:
  ///   - grownPages: what the arena has grown before it.
  ///   - chunkCount: what it grows by.
  package mutating func isDue(grownPages: Int, chunkCount: Int) -> Bool {
    if grownPages < Self.plainPages { return false }
    if pause == 0 { return true }
    pause = max(0, pause - chunkCount)
    return false
  }

  /// Notes that huge pages were asked for.
  package mutating func note(asked chunkCount: Int) { askedChunks += chunkCount }

  /// Whether somebody should look at the kernel's counters, and ``note(_:)`` them.
  package var isLookDue: Bool { askedChunks >= Self.chunksPerLook }

  /// Notes the kernel's counters.
  ///
  /// - Parameter events: `nil` where it does not tell; then it is asked as if all came quickly.
  package mutating func note(_ events: HugePageEvents?) {
    askedChunks = 0
    guard let events else { return }
    defer { last = events }
    guard let last else { return }
    let news = events.since(last)
    if news.allocated == 0 && news.stalls == 0 { return }
    if news.stalls <= news.allocated / Self.allocationsPerStall {
      nextPause = Self.firstPause
    } else {
      pause = nextPause
      nextPause = min(4 * nextPause, Geometry.chunkCount)
    }
  }
}
