// Pacing
// ======
//
// The scavenger in the background may use a share of one processor's time, 1 % unless told
// otherwise. It works for about a millisecond, then sleeps. How long follows from how long it
// worked; since a sleep is never as long as was asked for, and waking costs time too, a controller
// compares the share that came out with the share that was meant and corrects the next sleep:
//
//     share meant --->(+)---> P + I ---> share to aim at ---> sleep = work / share - work
//                      ^-                                        |
//                      +------------ share measured <------------+
//
// The idea is that of the Go runtime's scavenger. Here the measure is the thread's own processor
// time, its wake-ups included, so that no estimate of their cost is needed.

/// Decides how long the scavenger sleeps. Knows no clock: times come in, a time goes out.
package struct ScavengePacer: Sendable {
  /// The share of one processor that is meant, above 0 and at most 1.
  package let share: Double
  /// What the next sleep aims at, as a multiple of `share`.
  private var aim = 1.0
  private var integral = 0.0

  /// How hard an error is answered at once, and for each second that it lasts.
  private static var proportionalGain: Double { 0.3 }
  private static var integralGain: Double { 0.3 }
  /// The aim stays in these bounds, so that an odd measurement cannot make the scavenger greedy.
  private static var lowestAim: Double { 0.1 }
  private static var highestAim: Double { 1.25 }
  /// No sleep is longer, in nanoseconds.
  package static var longestSleep: UInt64 { 10_000_000_000 }

  /// A pacer for a share of one processor.
  package init(share: Double) { self.share = share }

  /// Takes in how the time since the last call was spent.
  ///
  /// - Parameters:
  ///   - worked: processor time in nanoseconds.
  ///   - elapsed: time on the wall in nanoseconds, work and sleep.
  package mutating func observe(worked: UInt64, elapsed: UInt64) {
    if elapsed == 0 { return }
    let error = 1 - Double(worked) / Double(elapsed) / share
    let seconds = min(Double(elapsed) / 1e9, 1)
    // Bounded, so that a long error is not paid back at length (no wind-up).
    integral = min(max(integral + Self.integralGain * max(error, -4) * seconds, -1), 0.25)
    aim = min(
      max(1 + Self.proportionalGain * max(error, -4) + integral, Self.lowestAim), Self.highestAim)
  }

  /// How long to sleep after some work, in nanoseconds.
  package func sleepTime(worked: UInt64) -> UInt64 {
    let target = min(share * aim, 1)
    let sleep = Double(worked) * (1 / target - 1)
    return sleep < Double(Self.longestSleep) ? UInt64(sleep) : Self.longestSleep
  }
}
