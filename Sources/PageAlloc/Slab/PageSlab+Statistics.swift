extension PageSlab {
  /// What a slab has, at one moment.
  public struct Statistics: Equatable, Sendable {
    /// Bytes in a frame.
    public let frameByteCount: Int
    /// Frames that were handed out.
    public let framesInUse: Int
    /// Frames that can be handed out without a look at the arena.
    public let framesFree: Int
    /// Of these, at hand for threads. While threads are in the middle of a call it may be off by a
    /// batch of 16 frames each, and so may be what is in use and what is free; their sum is exact.
    public let framesCached: Int
    /// Runs of the arena's that the slab has.
    public let runs: Int

    /// Bytes of the arena's that the slab has: of frames in use, and of free ones.
    public var byteCount: UInt64 {
      UInt64(runs) * UInt64(SlabLayout.framesPerRun) * UInt64(frameByteCount)
    }
  }

  /// What the slab has now.
  ///
  /// - Warning: it takes the slab's lock; a signal's handler that comes in the middle of a call
  ///   which has it ends the program.
  /// - Complexity: O(1), a look at 256 magazines.
  public var statistics: Statistics {
    let (runs, free, cached) = core.withRuns { ($0.count, $0.freeFrames, magazines.frameCount) }
    let all = runs * SlabLayout.framesPerRun
    let allFree = min(all, free + cached)
    return Statistics(
      frameByteCount: frameByteCount, framesInUse: all - allFree, framesFree: allFree,
      framesCached: allFree - free, runs: runs)
  }

  /// Gives all runs back to the arena that are empty, and what the calling thread has at hand to
  /// the runs first.
  ///
  /// - Returns: the bytes that went back to the arena.
  /// - Throws: ``PageArenaError/reentered``.
  /// - Complexity: O(runs given back).
  @discardableResult
  public func releaseFreeMemory() throws(PageArenaError) -> Int {
    try emptyMagazine()
    var pages = 0
    while let run = core.takeEmptyRun(keeping: 0) {
      arena.takeBack(run)
      pages += run.pages
    }
    return pages << Geometry.pageShift
  }
}

extension PageSlab {
  /// The name of the first invariant that does not hold; `nil` where all do.
  ///
  /// - Complexity: O(places of runs).
  package func brokenInvariant() -> StaticString? { core.withRuns { $0.brokenInvariant() } }

  /// Does something as the handler of a signal that finds its thread inside of its own magazine.
  ///
  /// - Returns: `false`, with nothing done, where the thread has none.
  package func insideOwnMagazine(_ body: () -> Void) -> Bool {
    guard let magazine = magazines.find(MagazineTable.thread), magazine.enter() else {
      return false
    }
    body()
    magazine.leave()
    return true
  }

  /// Does something as the handler of a signal that finds its thread under the slab's lock.
  package func underLock(_ body: () -> Void) { core.withRuns { _ in body() } }
}
