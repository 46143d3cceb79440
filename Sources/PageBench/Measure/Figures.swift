/// What one workload cost on one contender. Plain numbers, so that a process can send them to
/// another.
public struct Figures: BitwiseCopyable, Sendable {
  /// Nanoseconds for one operation: the mean of the fastest batch; of the engine alone the mean of
  /// all.
  public var least = 0.0
  /// Nanoseconds for one operation; quantiles of the means of batches.
  public var p50 = 0.0
  /// The same: one batch in ten is slower; -1, here and below, where there are too few batches to
  /// tell.
  public var p90 = -1.0
  /// The same: one batch in 100 is slower.
  public var p99 = -1.0
  /// The same: one batch in 1,000 is slower.
  public var p999 = -1.0
  /// Nanoseconds for single operations, each timed by itself; -1 where that was not done.
  public var single50 = -1.0
  /// The same: one operation in 100 is slower.
  public var single99 = -1.0
  /// The same: one operation in 1,000 is slower.
  public var single999 = -1.0
  /// The same: the slowest.
  public var singleWorst = -1.0
  /// Operations that were performed, those of warming up included.
  public var operations = 0.0
  /// Page faults during these operations; -1 where nobody counts.
  public var pageFaults = -1.0
  /// System calls of the contender during these operations; -1 where nobody counts.
  public var systemCalls = -1.0
  /// Bytes in live runs when most were live; -1 where the workload does not say.
  public var liveBytes = -1.0
  /// Anonymous resident bytes beyond those before the contender was made: the most seen.
  public var residentPeak = -1.0
  /// The same, after all was freed.
  public var residentFreed = -1.0
  /// The same, after the contender was asked to give idle memory back.
  public var residentReleased = -1.0
  /// Bytes of bookkeeping; -1 where the contender does not say.
  public var metadataBytes = -1.0
  /// Runs that the contender refused; the figures mean nothing then.
  public var refusals = 0.0

  /// Nothing measured.
  public init() {}

  /// Nothing measured, since the contender could not be made.
  public static var refused: Figures {
    var figures = Figures()
    figures.refusals = 1
    return figures
  }
}

/// How long to measure.
public struct Effort {
  /// Nanoseconds of measuring for one workload on one contender.
  public var nanoseconds: UInt64
  /// Operations that are timed one by one.
  public var singleOperations: Int
  /// Page faults of the process so far, where somebody can tell.
  public var pageFaults: (() -> Int)?

  /// So much effort.
  public init(nanoseconds: UInt64, singleOperations: Int, pageFaults: (() -> Int)? = nil) {
    self.nanoseconds = nanoseconds
    self.singleOperations = singleOperations
    self.pageFaults = pageFaults
  }
}
