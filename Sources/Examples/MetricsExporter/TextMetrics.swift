import CoreMetrics
import Synchronization

/// A backend for metrics that shows their last values as text, in the manner of Prometheus.
final class TextMetrics: MetricsFactory {
  /// A metric by its name.
  final class Value: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler,
    TimerHandler
  {
    let name: String
    private let value = Mutex(0.0)

    init(_ label: String, _ dimensions: [(String, String)]) {
      let parts = dimensions.map { "\($0)=\"\($1)\"" }
      name = "\(label){\(parts.joined(separator: ","))}"
    }

    var text: String { "\(name) \(Int64(value.withLock { $0 }))" }

    func reset() { set(0.0) }
    func set(_ new: Int64) { set(Double(new)) }
    func set(_ new: Double) { value.withLock { $0 = new } }
    func increment(by amount: Int64) { increment(by: Double(amount)) }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { increment(by: -amount) }
    func record(_ new: Int64) { set(new) }
    func record(_ new: Double) { set(new) }
    func recordNanoseconds(_ duration: Int64) { set(duration) }
  }

  private let values = Mutex<[Value]>([])

  /// A line for each metric, in order of their names.
  var lines: [String] { values.withLock { $0.map(\.text) }.sorted() }

  private func make(_ label: String, _ dimensions: [(String, String)]) -> Value {
    let value = Value(label, dimensions)
    values.withLock { $0.append(value) }
    return value
  }

  func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    make(label, dimensions)
  }
  func makeFloatingPointCounter(
    label: String, dimensions: [(String, String)]
  ) -> any FloatingPointCounterHandler { make(label, dimensions) }
  func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    make(label, dimensions)
  }
  func makeRecorder(
    label: String, dimensions: [(String, String)], aggregate: Bool
  ) -> any RecorderHandler { make(label, dimensions) }
  func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    make(label, dimensions)
  }
  private func drop(_ handler: AnyObject) {
    values.withLock { $0.removeAll { $0 === handler } }
  }

  func destroyCounter(_ handler: any CounterHandler) { drop(handler) }
  func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { drop(handler) }
  func destroyMeter(_ handler: any MeterHandler) { drop(handler) }
  func destroyRecorder(_ handler: any RecorderHandler) { drop(handler) }
  func destroyTimer(_ handler: any TimerHandler) { drop(handler) }
}
