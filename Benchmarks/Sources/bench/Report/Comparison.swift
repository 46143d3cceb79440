import Foundation
import PageBench

/// Ours beside the best rival, in one row.
struct Comparison {
  let row: Row
  /// Nanoseconds an operation, ours.
  let ours: Double
  /// The best rival and its nanoseconds.
  let best: (name: String, nanoseconds: Double)
  /// ours ÷ best, of what the row compares: medians; of the engine the least.
  var ratio: Double { ours / best.nanoseconds }
  /// The same of the least figures.
  let leastRatio: Double
  /// ours ÷ what is possible at all; `nil` where nobody knows.
  let overFloor: Double?

  /// Whether the figures are of machines that agree: of one machine, or of two on which `mmap`
  /// takes as long.
  let isAgreed: Bool

  /// A row that is so near to what is possible keeps any bound.
  private static let nearFloor = 1.15

  /// Whether the bound holds; `nil` without a bound, and where it would hold if the machines
  /// agreed.
  var holds: Bool? {
    guard let bound = row.bound else { return nil }
    if let overFloor, overFloor <= Self.nearFloor { return true }
    if ratio > bound { return false }
    return isAgreed ? true : nil
  }

  /// - Parameter machinesAgree: whether this machine is as fast as the one of the table.
  /// - Returns: `nil` where there is nobody to compare with.
  init?(_ result: RowResult, _ go: GoFigures, machinesAgree: Bool) {
    guard let ours = result.results[Peers.ours]?.figures else { return nil }
    row = result.row
    if let figure = go.figure(for: row) {
      self.ours = ours.least
      best = ("Go", figure)
      isAgreed = machinesAgree
      leastRatio = ours.least / figure
      overFloor = nil
      return
    }
    let rivals = result.results.filter { Peers.isRival($0.key) }
    guard let best = rivals.min(by: { $0.value.figures.p50 < $1.value.figures.p50 }),
      let least = rivals.map(\.value.figures.least).min(), least > 0, best.value.figures.p50 > 0
    else { return nil }
    self.ours = ours.p50
    isAgreed = true
    self.best = (best.key, best.value.figures.p50)
    leastRatio = ours.least / least
    // In a slow row there are too few batches to tell.
    let floor = result.results[Peers.floor]?.figures.p50 ?? 0
    overFloor = floor > 0 ? ours.p50 / floor : nil
  }
}

/// A demand on our figures that is no ratio to a rival in one row.
struct Demand {
  let name: String
  let value: Double
  let bound: Double
  /// Whether the value is to be at least the bound, not at most.
  var isFloor = false

  var holds: Bool { isFloor ? value >= bound : value <= bound }

  /// All that can be told from these rows.
  ///
  /// - Parameters:
  ///   - comparisons: of the rows.
  ///   - areHugePagesOn: the rivals' own switches for huge pages.
  static func all(
    _ rows: [RowResult], _ comparisons: [Comparison], areHugePagesOn: Bool
  ) -> [Demand] {
    var list: [Demand] = []
    func ours(_ name: String) -> Figures? {
      rows.first { $0.row.name == name }?.results[Peers.ours]?.figures
    }
    if let one = ours("threads/1"), let two = ours("threads/2") {
      list.append(
        Demand(
          name: "two threads: throughput of one", value: 2 * one.p50 / two.p50, bound: 1.9,
          isFloor: true))
    }
    if let low = ours("occupancy/5%"), let high = ours("occupancy/95%") {
      list.append(Demand(name: "p50, 95 % full ÷ 5 % full", value: high.p50 / low.p50, bound: 1.5))
    }
    for pages in [1, 2_048] {
      if let raw = ours("pair/\(pages)"), let owned = ours("PageRun/\(pages)") {
        list.append(
          Demand(
            name: "\(pages == 1 ? "1 page" : "\(pages) pages") by PageRun − by address, ns",
            value: owned.p50 - raw.p50, bound: 0.5))
      }
    }
    if let one = ours("pair/1") {
      if one.single50 > 0, one.single999 > 0 {
        list.append(
          Demand(
            name: "1 page, p99.9 ÷ p50, each pair timed", value: one.single999 / one.single50,
            bound: 5))
      }
      if let large = ours("pair/131072") {
        list.append(Demand(name: "1 GiB ÷ 1 page", value: large.p50 / one.p50, bound: 20))
      }
    }
    let replays = comparisons.filter { $0.row.isReplay }
    if !replays.isEmpty {
      let logarithms = replays.reduce(0) { $0 + log($1.ratio) }
      list.append(
        Demand(
          name: "all replays: ours ÷ best rival, geometric mean",
          value: exp(logarithms / Double(replays.count)), bound: areHugePagesOn ? 0.8 : 0.65))
    }
    for result in rows where result.row.isReplay {
      list.append(contentsOf: memory(result, bound: 1.05))
    }
    for result in rows where result.row.family == "memory" {
      list.append(contentsOf: memory(result, bound: 1.1))
    }
    return list
  }

  /// The peak beside that of the fastest rival, with which the time is compared, and of the
  /// leanest but raw `mmap`, which keeps nothing.
  private static func memory(_ result: RowResult, bound: Double) -> [Demand] {
    let rivals = result.results.filter {
      Peers.isRival($0.key) && $0.key != Peers.raw && $0.value.figures.residentPeak > 0
    }
    guard let ours = result.results[Peers.ours]?.figures else { return [] }
    let bests: [(what: String, key: (Figures) -> Double)] = [
      ("fastest", \.p50), ("leanest", \.residentPeak),
    ]
    return bests.compactMap { what, key in
      rivals.min { key($0.value.figures) < key($1.value.figures) }.map { best in
        Demand(
          name: "\(result.row.name): peak ÷ \(what), \(best.key)",
          value: ours.residentPeak / best.value.figures.residentPeak, bound: bound)
      }
    }
  }
}
