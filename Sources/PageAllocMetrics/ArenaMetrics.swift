// The figures of arenas, for swift-metrics
// ========================================
//
// Built with the package's trait `Metrics` alone; without it neither this nor swift-metrics is
// anybody's business:
//
//     .package(url: "…", from: "…", traits: ["Metrics"])
//     .product(name: "PageAllocMetrics", package: "…")

#if Metrics
  public import CoreMetrics
  import PageAlloc
  import Synchronization

  /// Hands the figures of all arenas of the process to swift-metrics, each time that it is told to.
  ///
  /// ```swift
  /// let metrics = ArenaMetrics()
  /// // Whenever figures are exported, or every few seconds:
  /// metrics.record()
  /// ```
  /// There is no thread and no timer behind it. A figure of an arena is a `Meter` where it goes up
  /// and down, and a `Counter` where it only goes up; it is called as in
  /// `PageArena.Statistics.figures`, behind a prefix, "pagealloc.inUseBytes". The dimensions are
  /// the arena's `label`, as its options have it, and its `number`, by which arenas of the same
  /// label can be told apart.
  public final class ArenaMetrics: Sendable {
    private let prefix: String
    private let factory: any MetricsFactory
    /// What each arena was told of, by its number.
    private let arenas = Mutex<[UInt: ArenaHandlers]>([:])

    /// Figures for a factory of metrics.
    ///
    /// - Parameters:
    ///   - prefix: what comes before each figure's name, and a dot.
    ///   - factory: who makes the metrics: the one that the process was set up with, as a rule,
    ///     which is to be done before.
    public init(prefix: String = "pagealloc", factory: any MetricsFactory = MetricsSystem.factory) {
      self.prefix = prefix
      self.factory = factory
    }

    /// Hands on what all arenas hold now, and what has happened in them since the last time. The
    /// metrics of arenas that have ended are destroyed.
    ///
    /// - Complexity: O(arenas).
    public func record() {
      arenas.withLock { arenas in
        var gone = arenas
        for arena in PageArena.all {
          let figures = arena.statistics.figures
          let dimensions = [("label", arena.label), ("number", "\(arena.number)")]
          arenas[
            arena.number,
            default: ArenaHandlers(
              figures, prefix: prefix, dimensions: dimensions, factory: factory)
          ].record(figures)
          gone[arena.number] = nil
        }
        for (number, handlers) in gone {
          handlers.destroy()
          arenas[number] = nil
        }
      }
    }
  }

  /// The metrics of an arena, in the order of its figures.
  private struct ArenaHandlers {
    private enum Metric {
      case counter(Counter, told: UInt64)
      case meter(Meter)
    }

    private var metrics: [Metric]

    init(
      _ figures: [ArenaFigure], prefix: String, dimensions: [(String, String)],
      factory: any MetricsFactory
    ) {
      metrics = figures.map { figure in
        let label = "\(prefix).\(figure.name)"
        switch figure.kind {
        case .counter:
          return .counter(
            Counter(label: label, dimensions: dimensions, factory: factory), told: 0)
        case .gauge:
          return .meter(Meter(label: label, dimensions: dimensions, factory: factory))
        }
      }
    }

    mutating func record(_ figures: [ArenaFigure]) {
      for (index, figure) in figures.enumerated() {
        switch metrics[index] {
        case .counter(let counter, let told):
          if figure.value <= told { continue }
          counter.increment(by: Int64(clamping: figure.value - told))
          metrics[index] = .counter(counter, told: figure.value)
        case .meter(let meter): meter.set(figure.value)
        }
      }
    }

    func destroy() {
      for metric in metrics {
        switch metric {
        case .counter(let counter, _): counter.destroy()
        case .meter(let meter): meter.destroy()
        }
      }
    }
  }
#endif
