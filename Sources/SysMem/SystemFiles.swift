/// The files in which the kernel tells about limits and pressure, so that a check can hand in
/// others.
package protocol SystemFiles: AnyObject, Sendable {
  /// Reads the start of a file.
  ///
  /// - Returns: `false`, with the text empty, where it cannot be read.
  func read(_ path: borrowing SmallText, into text: inout SmallText) -> Bool

  /// How the kernel came by huge pages since it was started, for all processes; `nil` where it
  /// does not tell.
  func hugePageEvents() -> HugePageEvents?

  /// Asks the kernel to tell when tasks wait for memory.
  ///
  /// - Returns: a file for ``awaitStall(_:bell:nanoseconds:)``, to be closed; `nil` where the
  ///   kernel refuses.
  func watchStalls() -> Int32?

  /// Sleeps until tasks have stalled, `bell` can be read, or so many nanoseconds are over; `nil`:
  /// for as long as it takes.
  func awaitStall(_ file: Int32, bell: Int32, nanoseconds: UInt64?) -> StallNews
}

/// What ended a sleep.
package enum StallNews: Sendable {
  /// The bell, or the time.
  case none
  /// Tasks have waited for memory.
  case stalled
  /// The file tells nothing any more.
  case gone
}

extension SystemFiles {
  /// Tells nothing.
  package func hugePageEvents() -> HugePageEvents? { nil }
  /// Refuses.
  package func watchStalls() -> Int32? { nil }
  /// Tells nothing.
  package func awaitStall(_ file: Int32, bell: Int32, nanoseconds: UInt64?) -> StallNews { .gone }
}
