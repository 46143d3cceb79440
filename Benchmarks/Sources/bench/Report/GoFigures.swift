import Foundation

/// What the Go runtime's page allocator takes for the engine's operations, from a table that was
/// recorded once. The rival cannot be run here, so this is the one comparison with figures of
/// another run.
struct GoFigures {
  /// Nanoseconds that a pair of `mmap` and `munmap` takes on machines like the table's.
  let mmapPair: ClosedRange<Double>
  /// Least nanoseconds by the name of the operation.
  private let least: [String: Double]

  /// The tables in a folder. The first one is shown where no machine agrees with this one.
  static func tables(in folder: String) throws -> [GoFigures] {
    try ["go-page-allocator", "go-page-allocator-zen4"].map {
      try GoFigures(path: "\(folder)/\($0).tsv")
    }
  }

  private init(path: String) throws {
    var figures: [String: Double] = [:]
    for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    where !line.hasPrefix("#") {
      let fields = line.split(separator: "\t")
      guard fields.count == 2, let value = Double(fields[1]) else {
        throw Malformed(description: "\(path): not a name, a tab and a number: \(line)")
      }
      figures[String(fields[0])] = value
    }
    guard let low = figures["mmap/least"], let high = figures["mmap/most"], low <= high else {
      throw Malformed(description: "\(path): no mmap/least, or no mmap/most that is not below it")
    }
    mmapPair = low...high
    least = figures
  }

  private struct Malformed: Error, CustomStringConvertible { let description: String }

  /// The figure for a row of the engine; `nil` for any other.
  func figure(for row: Row) -> Double? {
    row.name.hasPrefix("engine/") ? least[String(row.name.dropFirst("engine/".count))] : nil
  }
}
