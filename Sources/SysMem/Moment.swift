import CSysMem

/// A moment, as a clock told it.
///
/// A clock should only go up, and some step back all the same: those of virtual machines that were
/// moved, of processors that do not agree, of emulators. So nobody subtracts one time from another:
/// between two moments that come in the wrong order there is no time.
package struct Moment: Sendable {
  /// Since some moment that is the clock's own.
  package let nanoseconds: UInt64

  package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  /// Now, by the system's monotonic clock.
  package static var now: Moment { Moment(nanoseconds: csm_now()) }

  /// Now, by the clock of the processor time that the calling thread used.
  package static var ofThread: Moment { Moment(nanoseconds: csm_thread_time()) }

  /// The nanoseconds from an earlier moment of the same clock to this one; 0 where the clock went
  /// back.
  ///
  /// - Parameter pauses: nanoseconds in between that do not count.
  @inline(__always)
  package func elapsed(since start: Moment, without pauses: UInt64 = 0) -> UInt64 {
    let all = nanoseconds > start.nanoseconds ? nanoseconds &- start.nanoseconds : 0
    return all > pauses ? all &- pauses : 0
  }
}
