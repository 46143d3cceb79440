// Scavenging by whoever brings the thread.

extension PageArena {
  /// Whether ``scavengeStep()`` is what gives memory back.
  package var scavengesBySteps: Bool { core.plan.isBySteps }

  /// Performs a step of the scavenger, as its thread would: gives back what is beyond the headroom
  /// and was left alone for a generation, for about a millisecond.
  ///
  /// - Returns: nanoseconds to the next step; `UInt64.max` where there is nothing to do until more
  ///   is freed. `nil` where another thread performs a step just then.
  /// - Throws: ``PageArenaError/reentered``.
  package func scavengeStep() throws(PageArenaError) -> UInt64? {
    try core.requireOutside()
    return core.withTurnOfSteps {
      switch Scavenger(core).step(isStalled: false, isWatched: false) {
      case .sleep(let nanoseconds): nanoseconds
      case .park: .max
      }
    }
  }
}
