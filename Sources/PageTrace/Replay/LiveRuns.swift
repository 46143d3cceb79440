/// Which pages of which runs are live, while the events of a trace are gone through.
///
/// Most runs are freed whole, so a run is just its size until a part of it is freed; from then on
/// it has a list of its live pieces, sorted and disjoint. Memory stays proportional to the number
/// of events, whatever sizes they name.
struct LiveRuns {
  /// A half-open range of pages, from the run's own start.
  typealias Piece = Range<UInt32>

  /// The size of each run, by id; 0 when it is gone.
  private var sizes: [UInt32] = []
  /// Where the pieces of a run are in `pieces`; `whole` while nothing of it was freed.
  private var slots: [UInt32] = []
  private var pieces: [[Piece]] = []
  private var unusedSlots: [UInt32] = []

  private static let whole = UInt32.max

  /// How many runs there were.
  var count: Int { sizes.count }

  /// The size that the run had when nothing of it was freed, or nil when it is gone or never was.
  func size(of run: UInt64) -> UInt32? {
    guard run < UInt64(sizes.count) else { return nil }
    let size = sizes[Int(run)]
    return size == 0 ? nil : size
  }

  /// Whether nothing of a live run was freed.
  func isWhole(_ run: Int) -> Bool { slots[run] == Self.whole }

  /// Whether every page of `range` is live.
  func isLive(_ range: Piece, of run: Int) -> Bool {
    if isWhole(run) { return range.upperBound <= sizes[run] }
    let list = pieces[Int(slots[run])]
    let index = Self.firstPiece(in: list, endingAfter: range.lowerBound)
    return index < list.count && list[index].lowerBound <= range.lowerBound
      && range.upperBound <= list[index].upperBound
  }

  /// The live pieces of a run, in order; empty when it is gone.
  func livePieces(of run: Int) -> [Piece] {
    if sizes[run] == 0 { return [] }
    return isWhole(run) ? [0..<sizes[run]] : pieces[Int(slots[run])]
  }

  /// Adds the next run.
  mutating func add(pageCount: UInt32) {
    sizes.append(pageCount)
    slots.append(Self.whole)
  }

  /// - Precondition: the run is live and whole.
  mutating func resize(_ run: Int, to pageCount: UInt32) {
    sizes[run] = pageCount
  }

  /// - Precondition: `isLive(range, of: run)`.
  mutating func free(_ range: Piece, of run: Int) {
    if isWhole(run) {
      if range.lowerBound == 0 && range.upperBound == sizes[run] {
        sizes[run] = 0
        return
      }
      slots[run] = takeSlot(for: [0..<sizes[run]])
    }
    let slot = Int(slots[run])
    let index = Self.firstPiece(in: pieces[slot], endingAfter: range.lowerBound)
    let piece = pieces[slot][index]
    let before = piece.lowerBound..<range.lowerBound
    let after = range.upperBound..<piece.upperBound
    switch (before.isEmpty, after.isEmpty) {
    case (false, false):
      pieces[slot][index] = before
      pieces[slot].insert(after, at: index + 1)
    case (false, true):
      pieces[slot][index] = before
    case (true, false):
      pieces[slot][index] = after
    case (true, true):
      pieces[slot].remove(at: index)
      if pieces[slot].isEmpty {
        sizes[run] = 0
        unusedSlots.append(UInt32(slot))
      }
    }
  }

  private mutating func takeSlot(for list: [Piece]) -> UInt32 {
    if let slot = unusedSlots.popLast() {
      pieces[Int(slot)] = list
      return slot
    }
    pieces.append(list)
    return UInt32(pieces.count - 1)
  }

  /// The index of the first piece that ends after `page`, or the number of pieces.
  private static func firstPiece(in list: [Piece], endingAfter page: UInt32) -> Int {
    var low = 0
    var high = list.count
    while low < high {
      let middle = low + (high - low) / 2
      if list[middle].upperBound > page { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
