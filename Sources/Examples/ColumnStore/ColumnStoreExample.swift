// A column store with snapshots: readers scan what was there at one moment, while a writer goes on.
//
// A column is a list of runs that can be copied (SharedPageRun), so a snapshot is a copy of a few
// lists. The writer writes in place where it has a run for itself, and else to a copy of 64 KiB.

import Foundation
import PageAlloc
import Support
import Synchronization

let pagesOfChunk = 8
let rowCount = 4 << 20

/// Numbers in chunks; a copy shares them until one side writes.
struct Column: Sendable {
  static let rowsOfChunk = pagesOfChunk * PageArena.pageSize / MemoryLayout<Int64>.stride
  private let arena: PageArena
  private var chunks: [SharedPageRun] = []
  /// How many chunks had to be copied to be written to.
  private(set) var copies = 0

  init(_ arena: PageArena, rows: Int, _ value: (Int) -> Int64) throws(PageArenaError) {
    self.arena = arena
    for first in stride(from: 0, to: rows, by: Self.rowsOfChunk) {
      var run = try arena.allocateRun(pages: pagesOfChunk)
      _ = run.initialize(of: Int64.self) { output in
        while !output.isFull { output.append(value(first + output.count)) }
      }
      chunks.append(SharedPageRun(run))
    }
  }

  subscript(row: Int) -> Int64 {
    let chunk = chunks[row / Self.rowsOfChunk]
    return chunk.elements(of: Int64.self)[row % Self.rowsOfChunk]
  }

  mutating func set(_ row: Int, to value: Int64) throws(PageArenaError) {
    let chunk = row / Self.rowsOfChunk
    let offset = row % Self.rowsOfChunk * MemoryLayout<Int64>.stride
    let done: Void? = chunks[chunk].withMutableBytesIfUnique {
      $0.storeBytes(of: value, toByteOffset: offset, as: Int64.self)
    }
    if done != nil { return }
    // A snapshot has it, too.
    let shared = chunks[chunk]
    var run = try arena.allocateRun(pages: pagesOfChunk)
    run.copyBytes(from: shared.bytes)
    run.copyBytes(from: [value].span, toByteOffset: offset)
    chunks[chunk] = SharedPageRun(run)
    copies += 1
  }

  func sum() -> Int64 {
    var sum: Int64 = 0
    for chunk in chunks {
      let values = chunk.elements(of: Int64.self)
      for index in values.indices { sum &+= values[index] }
    }
    return sum
  }
}

/// The same by hand: arrays of arrays.
struct ArrayColumn: Sendable {
  private var chunks: [[Int64]] = []

  init(rows: Int, _ value: (Int) -> Int64) {
    for first in stride(from: 0, to: rows, by: Column.rowsOfChunk) {
      chunks.append((first..<first + Column.rowsOfChunk).map(value))
    }
  }

  subscript(row: Int) -> Int64 {
    get { chunks[row / Column.rowsOfChunk][row % Column.rowsOfChunk] }
    set { chunks[row / Column.rowsOfChunk][row % Column.rowsOfChunk] = newValue }
  }

  func sum() -> Int64 {
    var sum: Int64 = 0
    for chunk in chunks {
      let values = chunk.span
      for index in values.indices { sum &+= values[index] }
    }
    return sum
  }
}

/// What the writer does: it moves amounts from row to row, so that all sums stay what they were.
struct Transfer {
  let from: Int
  let to: Int
  let amount: Int64
}

struct Transfers {
  private var draw = Draw(seed: 1)

  mutating func next() -> Transfer {
    Transfer(
      from: draw.next(below: rowCount), to: draw.next(below: rowCount),
      amount: Int64(draw.next(below: 100)))
  }
}

func balance(_ row: Int) -> Int64 { Int64(row % 1000) }
let expectedSum = (0..<rowCount).reduce(Int64(0)) { $0 + balance($1) }

/// What threads share.
final class Table: Sendable {
  let column: Mutex<Column>
  let scans = Atomic<Int>(0)
  let transfers = Atomic<Int>(0)

  init(_ column: Column) { self.column = Mutex(column) }

  func read(times: Int) {
    for _ in 0..<times {
      let snapshot = column.withLock { $0 }
      let sum = snapshot.sum()
      require(sum == expectedSum, "a snapshot's sum is \(sum), and not \(expectedSum)")
      scans.add(1, ordering: .relaxed)
    }
  }

  func write(untilScans count: Int) {
    var moves = Transfers()
    while scans.load(ordering: .relaxed) < count {
      let move = moves.next()
      do {
        try column.withLock { try $0.apply(move) }
      } catch { require(false, "\(error)") }
      transfers.add(1, ordering: .relaxed)
    }
  }
}

extension Column {
  mutating func apply(_ move: Transfer) throws(PageArenaError) {
    try set(move.from, to: self[move.from] - move.amount)
    try set(move.to, to: self[move.to] + move.amount)
  }
}

/// Transfers in one thread; every 1,000 of them a snapshot, of which the first write to each chunk
/// then makes a copy.
func transferTime<Table>(_ table: inout Table, _ apply: (inout Table, Transfer) throws -> Void)
  throws -> Double
{
  let count = 20_000
  var snapshots: [Table] = []
  var moves = Transfers()
  return try nanoseconds {
    for index in 0..<count {
      if index % 1000 == 0 { snapshots = [table] }
      try apply(&table, moves.next())
    }
    require(snapshots.count == 1, "the last snapshot")
  } / Double(count)
}

@main
enum ColumnStoreExample {
  static func main() throws {
    let arena = try PageArena()
    let table = Table(try Column(arena, rows: rowCount, balance))
    inThreads(4) { $0 == 0 ? table.write(untilScans: 60) : table.read(times: 20) }
    var column = table.column.withLock { $0 }
    require(column.sum() == expectedSum, "the sum at the end")
    require(column.copies > 0, "the writer copied nothing")
    // No snapshot is left, and neither are its chunks. What threads have at hand is exact once it
    // was taken back.
    try arena.releaseFreeMemory()
    require(arena.statistics.inUseBytes == UInt64(rowCount * 8), "\(arena.statistics)")

    var array = ArrayColumn(rows: rowCount, balance)
    let scan = best { nanoseconds { require(column.sum() == expectedSum, "the column") } }
    let arrayScan = best { nanoseconds { require(array.sum() == expectedSum, "the array") } }
    print("\(rowCount) rows, \(rowCount / Column.rowsOfChunk) chunks of 64 KiB")
    print(
      "60 snapshots beside \(table.transfers.load(ordering: .relaxed)) transfers: each sum right, "
        + "\(column.copies) chunks copied")
    compare(
      "a scan", scan / Double(rowCount), by: "Array", arrayScan / Double(rowCount),
      unit: "ns a row")

    let transfer = try best { try transferTime(&column) { try $0.apply($1) } }
    let arrayTransfer = try best {
      try transferTime(&array) {
        $0[$1.from] -= $1.amount
        $0[$1.to] += $1.amount
      }
    }
    require(column.sum() == expectedSum && array.sum() == expectedSum, "the sums of both")
    compare(
      "a transfer, with a snapshot every 1,000", transfer / 1000, by: "Array",
      arrayTransfer / 1000, unit: "µs")
  }
}
