import Foundation

/// All that a run found.
struct Report {
  let date = Date()
  let mode: String
  let peers: Peers
  let rows: [RowResult]
  let comparisons: [Comparison]
  let demands: [Demand]
  /// Nanoseconds of a pair of `mmap` and `munmap` here.
  let mmapPair: Double?

  init(mode: String, peers: Peers, rows: [RowResult], go: GoFigures) {
    self.mode = mode
    self.peers = peers
    self.rows = rows
    mmapPair = rows.first { $0.row.name == "pair/1" }?.results["mmap"]?.figures.p50
    let agree = mmapPair.map { GoFigures.mmapPair.contains($0) } ?? false
    comparisons = rows.compactMap { Comparison($0, go, machinesAgree: agree) }
    demands = Demand.all(rows)
  }
}
