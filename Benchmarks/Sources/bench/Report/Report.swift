import Foundation
import PageRivals

/// All that a run found.
struct Report {
  let date = Date()
  let mode: String
  /// In which the rivals ran.
  let surroundings: Surroundings
  let peers: Peers
  let rows: [RowResult]
  let comparisons: [Comparison]
  let demands: [Demand]
  /// Nanoseconds of a pair of `mmap` and `munmap` here.
  let mmapPair: Double?
  /// The table that the engine is compared with.
  let go: GoFigures

  init(
    mode: String, surroundings: Surroundings, peers: Peers, rows: [RowResult],
    go tables: [GoFigures]
  ) {
    self.mode = mode
    self.surroundings = surroundings
    self.peers = peers
    self.rows = rows
    mmapPair = rows.first { $0.row.name == "pair/1" }?.results[Peers.raw]?.figures.p50
    let agreeing = mmapPair.flatMap { pair in tables.first { $0.mmapPair.contains(pair) } }
    let go = agreeing ?? tables[0]
    self.go = go
    comparisons = rows.compactMap { Comparison($0, go, machinesAgree: agreeing != nil) }
    demands = Demand.all(rows, comparisons, areHugePagesOn: surroundings.hugePages)
  }
}
