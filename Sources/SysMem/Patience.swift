import CSysMem

/// How long somebody waits for other threads that are in the middle of something short.
///
/// They are for nanoseconds, unless the kernel has taken the processor from them: then they go on
/// with their next time slice, milliseconds later, and where theirs is a lower priority only while
/// who waits sleeps.
///
/// ```
///   look, yield, look, yield, ... 64 times | look, sleep for 50 µs, look, ...  | 100 ms: enough
/// ```
package struct Patience: ~Copyable {
  /// So many looks are made one after the other.
  private static var quickLooks: Int { 64 }
  /// A sleep between two of those that follow.
  private static var napNanoseconds: UInt64 { 50_000 }
  /// When it ends.
  private static var longest: UInt64 { 100_000_000 }
  /// It ends after so many looks, too, should the clock stand still.
  private static var mostLooks: Int { 4096 }

  private var looks = 0
  private var start = Moment(nanoseconds: 0)
  private let event = FutexEvent()

  /// Has not waited yet.
  package init() {}

  /// Waits for a moment, however long it has been: for who cannot do without what others are about
  /// to do.
  package mutating func goesOn() {
    looks = min(looks + 1, Self.quickLooks + 1)
    if looks <= Self.quickLooks { return csm_yield() }
    event.wait(nanoseconds: Self.napNanoseconds)
  }

  /// Waits for a moment.
  ///
  /// - Returns: `false`, at once, where it has been long enough.
  package mutating func waits() -> Bool {
    looks += 1
    if looks <= Self.quickLooks {
      if looks == 1 { start = .now }
      csm_yield()
      return true
    }
    if looks > Self.mostLooks || Moment.now.elapsed(since: start) >= Self.longest { return false }
    event.wait(nanoseconds: Self.napNanoseconds)
    return true
  }
}
