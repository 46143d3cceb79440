// What a cache may hold, which the heap changes.

extension RunCache {
  /// Makes room for a run of so many pages, up to the most that the capacity may be; and tells what
  /// the cache holds.
  package mutating func raiseCapacity(for pages: Int, limit: Int) {
    switch CacheBudget.Kind(pages) {
    case .short:
      capacity = CacheBudget.raised(capacity, .short, toHold: chargedPages &+ pages, most: limit)
    case .long: long.raiseCapacity(for: pages, limit: limit)
    }
    tell()
  }

  /// Lets the cache hold what it holds; and tells what that is.
  package mutating func coverCharge() {
    capacity = max(capacity, chargedPages)
    tell()
  }

  /// Allows nothing, when all was taken out; and tells that.
  package mutating func resetCapacity() {
    dropUnusedCharge()
    capacity = 0
    long.resetCapacity()
    tell()
  }

  /// What the owner may put by without a word to the arena.
  package var totalCapacity: Int { capacity &+ long.capacity }

  /// The same of one of the kinds.
  package func capacity(_ kind: CacheBudget.Kind) -> Int {
    switch kind {
    case .short: capacity
    case .long: long.capacity
    }
  }

  /// The cache holds nothing, and will not before the heap lets it.
  var isBare: Bool { totalCapacity == 0 && heldPages == 0 }
}
