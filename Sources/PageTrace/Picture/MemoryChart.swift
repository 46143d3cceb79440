import PageAlloc

/// How much memory a heap has over the steps of a recording: what lives, what is resident, what was
/// given back.
package struct MemoryChart {
  /// What was at one step, in bytes.
  package struct Sample: Equatable {
    /// How many events had happened.
    package let step: Int
    /// In use.
    package let live: UInt64
    /// In use, or free and maybe resident: cached pages are among them.
    package let resident: UInt64
    /// Free, and given back to the kernel or never written to.
    package let givenBack: UInt64

    /// What was at one step.
    package init(step: Int, live: UInt64, resident: UInt64, givenBack: UInt64) {
      self.step = step
      self.live = live
      self.resident = resident
      self.givenBack = givenBack
    }

    /// What a snapshot says.
    package init(_ snapshot: PageSnapshot, step: Int) {
      func bytes(_ states: PageState...) -> UInt64 {
        UInt64(PageArena.pageSize) * UInt64(states.reduce(0) { $0 + snapshot.count(of: $1) })
      }
      self.init(
        step: step, live: bytes(.inUse, .guardPage),
        resident: bytes(.inUse, .atHand, .free), givenBack: bytes(.empty))
    }
  }

  /// What is drawn as a curve.
  package enum Curve: CaseIterable, Sendable {
    /// Curves, in the order of a legend.
    case live, resident, givenBack

    /// What a legend calls it.
    package var title: StaticString {
      switch self {
      case .live: "live"
      case .resident: "resident"
      case .givenBack: "given back"
      }
    }

    /// Its figure in a sample, in bytes.
    package func value(_ sample: Sample) -> UInt64 {
      switch self {
      case .live: sample.live
      case .resident: sample.resident
      case .givenBack: sample.givenBack
      }
    }
  }

  /// What the chart is of.
  package var title: String
  /// What was at the steps that were looked at, in their order.
  package private(set) var samples: [Sample] = []

  /// A chart without a sample.
  package init(title: String) { self.title = title }

  /// Adds what was at a later step.
  package mutating func append(_ sample: Sample) { samples.append(sample) }

  /// The sample with the largest figure of a curve, the first where several have it.
  package func peak(of curve: Curve) -> Sample? {
    var peak: Sample?
    for sample in samples where curve.value(sample) > (peak.map(curve.value) ?? 0) {
      peak = sample
    }
    return peak ?? samples.first
  }

  /// The largest figure of all curves; at least 1.
  var most: UInt64 {
    Curve.allCases.reduce(1) { most, curve in max(most, peak(of: curve).map(curve.value) ?? 0) }
  }
}

extension MemoryChart {
  /// Round numbers for an axis, from 0 to `most` or a little less.
  ///
  /// - Parameters:
  ///   - count: at most so many, 0 aside.
  ///   - isBinary: round are powers of two; else 1, 2 and 5 with zeros behind.
  package static func ticks(to most: UInt64, count: UInt64, isBinary: Bool) -> [UInt64] {
    var step: UInt64 = 1
    var round = 0
    while most / step > count {
      if isBinary {
        step *= 2
      } else {
        // 1, 2, 5, 10, 20, 50 …
        step = round % 3 == 1 ? step / 2 * 5 : step * 2
        round += 1
      }
    }
    return (0...(most / step)).map { $0 * step }
  }
}
