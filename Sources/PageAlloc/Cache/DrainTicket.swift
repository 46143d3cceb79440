/// The order in which drains began: what a cache was closed with.
package struct DrainTicket: Equatable {
  /// Odd: never the 0 of a cache that is open, also when it has gone round.
  let number: UInt32

  /// Whether a drain with this ticket may take from a cache that was closed with `other`.
  func covers(_ other: DrainTicket) -> Bool {
    // Of two, the later one is less than half a round ahead.
    Int32(bitPattern: number &- other.number) >= 0
  }

  /// The one that comes next.
  var next: DrainTicket { DrainTicket(number: number &+ 2) }
}
