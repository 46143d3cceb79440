/// The time as the scavenger sees it, so that a check can hand in another.
package protocol ScavengeClock: AnyObject, Sendable {
  /// The time on the wall.
  func now() -> Moment
  /// The processor time of the calling thread.
  func processorTime() -> Moment
}

/// The time of the system.
package final class SystemClock: ScavengeClock {
  /// The clock.
  package init() {}
  package func now() -> Moment { .now }
  package func processorTime() -> Moment { .ofThread }
}
