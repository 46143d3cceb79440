import SysMem

/// Times operations: many between two readings of the clock, then some one by one.
///
/// A reading of the clock costs about as much as what is measured. So operations are timed in
/// batches and the quantiles are those of the batches' means; a batch lasts about three
/// microseconds. For the tail single operations are timed too. The cost of the clock is taken off
/// both.
struct Sampler {
  private let effort: Effort
  private let overhead: UInt64
  private var means: [Float] = []
  private var singles: [Float] = []
  private var operations = 0
  // What was timed in batches.
  private var timed = 0
  private var spent: UInt64 = 0

  /// The most operations in a batch.
  private static let mostOperations = 256
  /// A batch is to last so long.
  private static let batchNanoseconds: UInt64 = 3_000
  private static let mostBatches = 1 << 16

  /// Room for the samples is taken now, so that nothing is allocated while measuring.
  init(_ effort: Effort) {
    self.effort = effort
    means.reserveCapacity(Self.mostBatches)
    singles.reserveCapacity(effort.singleOperations)
    var least = UInt64.max
    for _ in 0..<1_000 {
      let start = Moment.now
      least = min(least, Moment.now.elapsed(since: start))
    }
    overhead = least
  }

  /// Runs and times an operation.
  ///
  /// - Parameter body: performs the operation once.
  @inline(__always)
  mutating func measure(_ body: () -> Void) {
    var batch = 1
    // Warm up, and find out how many make a batch.
    var last = time(batch, body)
    operations += batch
    var start = Moment.now
    while Moment.now.elapsed(since: start) < effort.nanoseconds / 10
      || (last < Self.batchNanoseconds && batch < Self.mostOperations)
    {
      if last < Self.batchNanoseconds, batch < Self.mostOperations { batch *= 2 }
      last = time(batch, body)
      operations += batch
    }
    start = .now
    while Moment.now.elapsed(since: start) < effort.nanoseconds, means.count < Self.mostBatches {
      add(time(batch, body), batch)
    }
    var count = 0
    start = .now
    while count < effort.singleOperations, Moment.now.elapsed(since: start) < effort.nanoseconds {
      singles.append(Float(time(1, body)))
      count += 1
    }
    operations += count
  }

  /// Counts a batch that somebody else timed.
  mutating func add(_ nanoseconds: UInt64, _ batch: Int) {
    if means.count < Self.mostBatches { means.append(Float(nanoseconds) / Float(batch)) }
    operations += batch
    timed += batch
    spent += nanoseconds
  }

  @inline(__always)
  private func time(_ count: Int, _ body: () -> Void) -> UInt64 {
    let start = Moment.now
    for _ in 0..<count { body() }
    return Moment.now.elapsed(since: start, without: overhead)
  }

  /// Nanoseconds for one operation: the mean of all that were timed in batches.
  var mean: Double { Double(spent) / Double(max(1, timed)) }

  /// The quantiles of what was measured so far.
  mutating func fill(_ result: inout Figures) {
    means.sort()
    singles.sort()
    result.least = Self.quantile(means, 0)
    result.p50 = Self.quantile(means, 0.5)
    result.p90 = Self.quantile(means, 0.9)
    result.p99 = Self.quantile(means, 0.99)
    result.p999 = Self.quantile(means, 0.999)
    if !singles.isEmpty {
      result.single50 = Self.quantile(singles, 0.5)
      result.single99 = Self.quantile(singles, 0.99)
      result.single999 = Self.quantile(singles, 0.999)
      result.singleWorst = Double(singles[singles.count - 1])
    }
    result.operations = Double(operations)
  }

  /// The sample below which a part of the samples lies; -1 where there are too few to tell.
  private static func quantile(_ sorted: [Float], _ part: Double) -> Double {
    if Double(sorted.count) * (1 - part) < 0.999 { return -1 }
    return Double(sorted[min(sorted.count - 1, Int(part * Double(sorted.count)))])
  }
}
