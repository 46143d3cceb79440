import Synchronization
import SysMem

// A recording has no times. Its replay takes a second where the recorded program ran for a minute,
// and in that second next to nothing would go back to the kernel. So that a film shows what goes
// back as time goes by, the arena is told a time of its own: the recording's steps are spread
// evenly over so many seconds, and the scavenger does its work as that clock says.

/// The time in a replay, as the arena is told.
package final class ReplayClock: ScavengeClock {
  private let time = Atomic<UInt64>(ReplayClock.start)
  private let processor = Atomic<UInt64>(0)

  /// What each look at the processor's time seems to cost, in nanoseconds. The scavenger looks once
  /// for each piece of memory that it gives back, and rests after a millisecond.
  private static let workPerLook: UInt64 = 300_000
  /// Where the clock stands at first.
  private static let start: UInt64 = 1_000_000_000

  /// A clock that stands still until it is set.
  package init() {}

  package func now() -> Moment { Moment(nanoseconds: time.load(ordering: .relaxed)) }

  package func processorTime() -> Moment {
    Moment(nanoseconds: processor.wrappingAdd(Self.workPerLook, ordering: .relaxed).newValue)
  }

  /// Says that so many nanoseconds have passed since the first step.
  package func set(_ elapsed: UInt64) {
    time.store(Self.start + elapsed, ordering: .relaxed)
  }
}
