import CBench
import Foundation
import PageBench
import PageRivals

/// How much is done.
struct Plan {
  /// Times each row is gone through, all rivals in turn.
  let rounds: Int
  /// Nanoseconds of measuring for one rival in one round.
  let nanoseconds: UInt64
  let singleOperations: Int
  /// A row of replays starts no further round so many seconds after its first.
  let replaySeconds: Double

  static let full = Plan(
    rounds: 5, nanoseconds: 50_000_000, singleOperations: 20_000, replaySeconds: 10)
  static let quick = Plan(
    rounds: 3, nanoseconds: 8_000_000, singleOperations: 5_000, replaySeconds: 0)
}

/// What all rivals made of one row.
struct RowResult {
  let row: Row
  /// By the rival's name: what the rounds gave, taken together.
  var results: [String: Combined] = [:]
  /// Rivals that refused or died, and how.
  var failures: [String: String] = [:]
}

/// Goes through rows, the rivals of each interleaved.
struct Runner {
  let peers: [Peer]
  let plan: Plan

  func run(_ row: Row) -> RowResult {
    var taking = row.hasRivals ? peers : peers.filter { $0.name == Peers.ours }
    if row.writes { taking.removeAll { $0.name == Peers.nobody } }
    var samples: [String: [Figures]] = [:]
    var result = RowResult(row: row)
    var start = Date()
    for round in 0..<plan.rounds {
      if row.isReplay, round == 1 {
        start = Date()
        taking = contenders(taking, samples)
      }
      if row.isReplay, round > 0, Date().timeIntervalSince(start) >= plan.replaySeconds { break }
      for offset in taking.indices {
        // Another one goes first each time.
        let peer = taking[(offset + round) % taking.count]
        if result.failures[peer.name] != nil { continue }
        if row.writes { cbench_warm(row.writtenBytes) }
        guard let measured = isolated({ measureHere(row, peer) }) else {
          result.failures[peer.name] = "died, or took more than a minute"
          continue
        }
        if measured.refusals > 0 {
          result.failures[peer.name] = "refused \(Int(measured.refusals)) runs"
        } else {
          samples[peer.name, default: []].append(measured)
        }
      }
    }
    for (name, list) in samples where result.failures[name] == nil {
      result.results[name] = Combined(list)
    }
    return result
  }

  /// Ours, and the rivals that may be the best one of a row, by their first round and with room for
  /// a bad moment in it. The others, raw mmap as a rule, would take most of the time that the
  /// rounds have.
  private func contenders(_ rivals: [Peer], _ samples: [String: [Figures]]) -> [Peer] {
    let times = samples.compactMapValues { $0.first?.p50 }
    let best = times.filter { Peers.isRival($0.key) }.values.min() ?? 0
    return rivals.filter {
      !Peers.isRival($0.name) || times[$0.name] ?? .infinity <= 3 * best
    }
  }

  private func measureHere(_ row: Row, _ peer: Peer) -> Figures {
    let faults = { cbench_minor_faults() }
    let effort = Effort(
      nanoseconds: plan.nanoseconds, singleOperations: plan.singleOperations, pageFaults: faults)
    // It was loaded once before; a rival that cannot be any more dies.
    guard let rival = peer.rival() else { _exit(1) }
    switch row.job {
    case .workload(let workload): return measure(workload, on: rival, effort)
    case .replay(let recording): return measure(recording, on: rival, pageFaults: faults)
    case .engine(let bench):
      return bench.measure(
        Effort(nanoseconds: plan.nanoseconds / 2, singleOperations: 0, pageFaults: faults))
    }
  }
}

/// The rounds taken together: the least of the least, and the median of everything else.
struct Combined {
  let rounds: Int
  let figures: Figures

  init(_ list: [Figures]) {
    rounds = list.count
    var figures = Figures()
    figures.least = list.map(\.least).min() ?? 0
    let keys: [WritableKeyPath<Figures, Double>] = [
      \.p50, \.p90, \.p99, \.p999, \.single50, \.single99, \.single999, \.singleWorst,
      \.operations, \.pageFaults, \.systemCalls, \.liveBytes, \.residentPeak, \.residentFreed,
      \.residentReleased,
      \.metadataBytes,
    ]
    for key in keys {
      // What no round knows stays unknown.
      let sorted = list.map { $0[keyPath: key] }.filter { $0 != -1 }.sorted()
      figures[keyPath: key] =
        sorted.isEmpty ? -1 : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }
    self.figures = figures
  }
}
