import CSysMem

/// The time as the scavenger sees it, so that a check can hand in another.
package protocol ScavengeClock: AnyObject, Sendable {
  /// Time that only goes up, in nanoseconds.
  func now() -> UInt64
  /// Processor time of the calling thread in nanoseconds.
  func processorTime() -> UInt64
}

/// The time of the system.
package final class SystemClock: ScavengeClock {
  /// The clock.
  package init() {}
  package func now() -> UInt64 { csm_now() }
  package func processorTime() -> UInt64 { csm_thread_time() }
}
