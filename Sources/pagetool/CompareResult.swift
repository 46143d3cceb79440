import PageBench
import PageRivals

/// What came of one file. The recording is there unless there is a failure.
struct CompareResult {
  let file: String
  let runs: Int
  let missing: [MissingPeer]
  var recording: Recording?
  var peers: [PeerResult] = []
  var failure: FileFailure?

  init(file: String, runs: Int, missing: [MissingPeer]) {
    self.file = file
    self.runs = runs
    self.missing = missing
  }

  /// Whether all that are here replayed it.
  var isGood: Bool { failure == nil && peers.allSatisfy { $0.failure == nil } }
}

/// What an allocator made of one file.
struct PeerResult {
  let name: String
  let origin: String
  private var figures: [Figures] = []
  /// In words.
  private(set) var failure: String?

  init(_ peer: Peer) {
    name = peer.name
    origin = peer.origin
  }

  /// Adds a run; `nil` is one that did not come back.
  mutating func add(_ run: Figures?) {
    guard let run else {
      failure = "died, or took more than a minute"
      return
    }
    if run.refusals > 0 {
      failure = "refused \(counted(Int(run.refusals), "run"))"
    } else {
      figures.append(run)
    }
  }

  /// Nanoseconds of each run.
  private var times: [Double] { figures.map { $0.p50 * $0.operations } }

  var medianTime: Double? { failure == nil ? Self.median(times) : nil }
  var leastTime: Double? { failure == nil ? times.min() : nil }
  var residentPeak: Double? { memory(\.residentPeak) }
  var residentFreed: Double? { memory(\.residentFreed) }
  var residentReleased: Double? { memory(\.residentReleased) }

  /// A process may have less than before: then nothing stays.
  private func memory(_ key: KeyPath<Figures, Double>) -> Double? {
    failure == nil ? Self.median(figures.map { $0[keyPath: key] }).map { max(0, $0) } : nil
  }

  private static func median(_ values: [Double]) -> Double? {
    if values.isEmpty { return nil }
    let sorted = values.sorted()
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }
}

// MARK: - Text

extension CompareResult {
  /// A row an allocator, and a line for each that is missing.
  var text: String {
    guard let recording else { return "" }
    let live = UInt64(recording.peakLivePages) * 8192
    var text = "\(recording.name): \(counted(recording.operationCount, "operation")), "
    text += "\(bytes(live)) live at most, \(counted(runs, "run")) each\n"
    let titles = [
      "", "time: median", "least", "resident: most", "all freed", "given back",
    ]
    let rows = peers.map { peer in
      if let failure = peer.failure { return [peer.name, failure] }
      return [
        peer.name, peer.medianTime.map(duration) ?? "-", peer.leastTime.map(duration) ?? "-",
        amount(peer.residentPeak), amount(peer.residentFreed), amount(peer.residentReleased),
      ]
    }
    let whole = [titles] + rows.filter { $0.count == titles.count }
    let widths = titles.indices.map { column in whole.map { $0[column].count }.max() ?? 0 }
    let first = max(widths[0], peers.map(\.name.count).max() ?? 0)
    for row in [titles] + rows {
      text += "  " + padded(right: row[0], first)
      for (column, cell) in row.enumerated().dropFirst() {
        text += "  " + (row.count == 2 ? cell : padded(left: cell, widths[column]))
      }
      text += "\n"
    }
    for peer in missing {
      text += "  \(padded(right: peer.name, first))  not here: \(peer.reason)\n"
    }
    return String(text.dropLast())
  }

  private func amount(_ count: Double?) -> String { count.map { bytes(UInt64($0)) } ?? "-" }
}

// MARK: - JSON

extension CompareResult: Encodable {
  private enum Key: String, CodingKey {
    case file, error, name, operations, peakLiveBytes, runs, allocators, missing
  }

  private struct Missing: Encodable {
    let name: String
    let reason: String
  }

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try object.encode(file, forKey: .file)
    if let failure { return try object.encode(failure, forKey: .error) }
    guard let recording else { return }
    try object.encode(recording.name, forKey: .name)
    try object.encode(recording.operationCount, forKey: .operations)
    try object.encode(recording.peakLivePages * 8192, forKey: .peakLiveBytes)
    try object.encode(runs, forKey: .runs)
    try object.encode(peers, forKey: .allocators)
    try object.encode(
      missing.map { Missing(name: $0.name, reason: $0.reason) }, forKey: .missing)
  }
}

extension PeerResult: Encodable {
  private enum Key: String, CodingKey {
    case name, origin, failure, medianNanoseconds, leastNanoseconds, residentPeakBytes
    case residentFreedBytes, residentReleasedBytes
  }

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try object.encode(name, forKey: .name)
    try object.encode(origin, forKey: .origin)
    if let failure { return try object.encode(failure, forKey: .failure) }
    try object.encode(medianTime, forKey: .medianNanoseconds)
    try object.encode(leastTime, forKey: .leastNanoseconds)
    try object.encode(residentPeak.map { UInt64($0) }, forKey: .residentPeakBytes)
    try object.encode(residentFreed.map { UInt64($0) }, forKey: .residentFreedBytes)
    try object.encode(residentReleased.map { UInt64($0) }, forKey: .residentReleasedBytes)
  }
}
