/// Whether an arena asks for huge pages where it grows.
///
/// To write to 2 MiB for the first time takes 512 faults with small pages and one with a huge page:
/// 0.8 ms against 0.2, on the machine that this was measured on. But a kernel that has none at hand
/// moves memory about first, and a virtual machine whose host took its free memory back pays 4 ms.
/// So the first huge page of each growth is timed, and where it was slow, the next growths go
/// without: 4 MiB, then four times as much each time.
package struct HugeGrowth: Sendable {
  /// Pages that grow without: a small program has nothing to gain.
  private static var plainPages: Int { 1024 }
  /// As long as the small pages would take, or nearly.
  private static var slowNanoseconds: UInt64 { 600_000 }
  private static var firstPause: Int { 1 }

  /// Chunks still to grow without.
  private var pause = 0
  /// What the next pause will be.
  private var nextPause = Self.firstPause

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

  /// Notes how long the first huge page took.
  ///
  /// - Returns: whether that was quick.
  package mutating func note(nanoseconds: UInt64) -> Bool {
    if nanoseconds <= Self.slowNanoseconds {
      nextPause = Self.firstPause
      return true
    }
    pause = nextPause
    nextPause = min(4 * nextPause, Geometry.chunkCount)
    return false
  }
}
