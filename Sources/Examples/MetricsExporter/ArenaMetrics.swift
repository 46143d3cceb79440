import CoreMetrics
import PageAlloc

/// Feeds the figures of an arena to swift-metrics, whatever its backend: a meter for each that goes
/// up and down, a counter for each that only goes up.
struct ArenaMetrics {
  private let arena: PageArena
  private let dimensions: [(String, String)]
  private let factory: any MetricsFactory
  private var meters: [String: Meter] = [:]
  private var counters: [String: (counter: Counter, told: UInt64)] = [:]

  init(_ arena: PageArena, name: String, factory: any MetricsFactory) {
    self.arena = arena
    dimensions = [("arena", name)]
    self.factory = factory
  }

  /// Tells the backend what the arena's figures are now.
  mutating func update() {
    for figure in arena.statistics.figures {
      let label = "pagealloc_\(figure.name)"
      switch figure.kind {
      case .gauge:
        let meter = meters[label] ?? Meter(label: label, dimensions: dimensions, factory: factory)
        meters[label] = meter
        meter.set(figure.value)
      case .counter:
        let (counter, told) =
          counters[label]
          ?? (Counter(label: label, dimensions: dimensions, factory: factory), 0)
        counters[label] = (counter, figure.value)
        counter.increment(by: figure.value - told)
      }
    }
  }
}
