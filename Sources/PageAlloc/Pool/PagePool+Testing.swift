// What only the project's own checks look at.

extension PagePool {
  /// The name of the first invariant of an arena that does not hold; `nil` where all do.
  package func brokenInvariant() -> StaticString? {
    for index in 0..<arenas.count {
      if let broken = withArena(index, { $0.brokenInvariant() }) ?? nil { return broken }
    }
    return nil
  }

  /// The arena that there is from the start.
  package var firstArena: PageArena? { withArena(0) { $0 } }

  /// Does something as the handler of a signal that finds its thread under the heap lock of the
  /// first arena.
  package func underHeapLock(_ body: () -> Void) { _ = withArena(0) { $0.underHeapLock(body) } }

  /// How many arenas threads are spread over: one a processor, as far as there are so many.
  package var homeCount: Int { min(Int(bitPattern: mostArenas), Self.processorCount) }
}
