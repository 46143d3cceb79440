import Foundation
import PageBench

/// `latest.json`; Benchmarks/README.md explains each field.
struct JSONReport: Codable {
  private(set) var schema = 1
  let date: String
  let mode: String
  let hugePageSwitches: String
  let machine: Machine
  let mmapPairNanoseconds: Double?
  let peers: [PeerEntry]
  let results: [ResultEntry]
  let comparisons: [ComparisonEntry]
  let demands: [DemandEntry]

  struct PeerEntry: Codable {
    let name: String
    let isPresent: Bool
    let note: String
  }

  struct Quantiles: Codable {
    let least: Double?
    let p50: Double
    let p90: Double?
    let p99: Double?
    let p999: Double?
    let worst: Double?

    private enum CodingKeys: String, CodingKey {
      case least, p50, p90, p99, p999 = "p99.9", worst
    }
  }

  struct ResultEntry: Codable {
    let name: String
    let family: String
    let allocator: String
    let pages: Int?
    let threads: Int
    let rounds: Int
    let failure: String?
    let nanoseconds: Quantiles?
    let singleNanoseconds: Quantiles?
    let operations: Double?
    let pageFaults: Double?
    let syscalls: Double?
    let liveBytes: Double?
    let peakResidentBytes: Double?
    let freedResidentBytes: Double?
    let finalResidentBytes: Double?
    let metadataBytes: Double?
  }

  struct ComparisonEntry: Codable {
    let name: String
    let ours: Double
    let bestPeer: String
    let best: Double
    let ratio: Double
    let leastRatio: Double
    let overFloor: Double?
    let bound: Double?
    let holds: Bool?
  }

  struct DemandEntry: Codable {
    let name: String
    let value: Double
    let bound: Double
    let isFloor: Bool
    let holds: Bool
  }

  init(_ report: Report) {
    date = ISO8601DateFormatter().string(from: report.date)
    mode = report.mode
    hugePageSwitches = report.surroundings.hugePageSwitches
    machine = Machine()
    mmapPairNanoseconds = report.mmapPair
    peers =
      report.peers.present.map { PeerEntry(name: $0.name, isPresent: true, note: $0.origin) }
      + report.peers.missing.map { PeerEntry(name: $0.name, isPresent: false, note: $0.reason) }
    results = report.rows.flatMap { row in
      row.results.sorted { $0.key < $1.key }.map { ResultEntry(row.row, $0.key, $0.value) }
        + row.failures.sorted { $0.key < $1.key }.map { ResultEntry(row.row, $0.key, $0.value) }
    }
    comparisons = report.comparisons.map {
      ComparisonEntry(
        name: $0.row.name, ours: $0.ours, bestPeer: $0.best.name, best: $0.best.nanoseconds,
        ratio: $0.ratio, leastRatio: $0.leastRatio, overFloor: $0.overFloor, bound: $0.row.bound,
        holds: $0.holds)
    }
    demands = report.demands.map {
      DemandEntry(
        name: $0.name, value: $0.value, bound: $0.bound, isFloor: $0.isFloor, holds: $0.holds)
    }
  }

  /// What stands in a file that was written before.
  init(contentsOf path: String) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    self = try JSONDecoder().decode(JSONReport.self, from: data)
  }

  /// The text of the file.
  func text() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self)
  }
}

extension JSONReport.ResultEntry {
  /// A row that a rival could not do.
  init(_ row: Row, _ allocator: String, _ failure: String) {
    self.init(
      name: row.name, family: row.family, allocator: allocator, pages: row.pages,
      threads: row.threads, rounds: 0, failure: failure, nanoseconds: nil, singleNanoseconds: nil,
      operations: nil, pageFaults: nil, syscalls: nil, liveBytes: nil, peakResidentBytes: nil,
      freedResidentBytes: nil, finalResidentBytes: nil, metadataBytes: nil)
  }

  init(_ row: Row, _ allocator: String, _ combined: Combined) {
    let figures = combined.figures
    self.init(
      name: row.name, family: row.family, allocator: allocator, pages: row.pages,
      threads: row.threads, rounds: combined.rounds, failure: nil,
      nanoseconds: JSONReport.Quantiles(
        least: figures.least, p50: figures.p50, p90: known(figures.p90), p99: known(figures.p99),
        p999: known(figures.p999), worst: nil),
      singleNanoseconds: figures.single50 < 0
        ? nil
        : JSONReport.Quantiles(
          least: nil, p50: figures.single50, p90: nil, p99: known(figures.single99),
          p999: known(figures.single999), worst: known(figures.singleWorst)),
      operations: figures.operations, pageFaults: known(figures.pageFaults),
      syscalls: allocator == Peers.raw ? 2 * figures.operations : known(figures.systemCalls),
      liveBytes: known(figures.liveBytes),
      peakResidentBytes: row.hasMemory ? figures.residentPeak : nil,
      freedResidentBytes: row.hasMemory ? figures.residentFreed : nil,
      finalResidentBytes: row.hasMemory ? figures.residentReleased : nil,
      metadataBytes: known(figures.metadataBytes))
  }
}

/// -1 stands for what nobody knows.
private func known(_ value: Double) -> Double? { value < 0 ? nil : value }

extension Row {
  /// Whether resident memory is looked at.
  var hasMemory: Bool { isReplay || family == "memory" || family == "steady" }
}

/// Where it was measured.
struct Machine: Codable {
  let processors: Int
  let memoryBytes: UInt64
  let processor: String
  let kernel: String

  init() {
    processors = ProcessInfo.processInfo.activeProcessorCount
    memoryBytes = ProcessInfo.processInfo.physicalMemory
    let info = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let line = info.split(separator: "\n").first { $0.hasPrefix("model name") }
    processor = line.map { String($0.drop { $0 != ":" }.dropFirst(2)) } ?? "unknown"
    let release = try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)
    kernel = (release ?? "unknown").trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
