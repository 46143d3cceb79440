import Foundation

/// What the Go runtime's page allocator takes for the engine's operations, from a table that was recorded
/// once. The rival cannot be run here, so this is the one comparison across machines.
struct GoFigures {
  /// Nanoseconds that a pair of `mmap` and `munmap` took there, from run to run.
  static let mmapPair = 5_000.0...7_500.0

  /// Least nanoseconds by the name of the operation.
  let least: [String: Double]

  init(path: String) throws {
    var least: [String: Double] = [:]
    for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
      if line.hasPrefix("#") { continue }
      let fields = line.split(separator: "\t")
      guard fields.count == 2, let value = Double(fields[1]) else { continue }
      least[String(fields[0])] = value
    }
    self.least = least
  }

  /// The figure for a row of the engine; `nil` for any other.
  func figure(for row: Row) -> Double? {
    row.name.hasPrefix("engine/") ? least[String(row.name.dropFirst("engine/".count))] : nil
  }
}
