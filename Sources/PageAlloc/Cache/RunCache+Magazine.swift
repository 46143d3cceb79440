// What a cache has to do with magazines: half of a full stack goes, and comes to an empty one. Only
// for who may touch the cache.

extension RunCache {
  /// Whether the stack of a size is full.
  ///
  /// - Parameter pages: 1 ... 127; so below.
  package func isFull(_ pages: Int) -> Bool { count(of: pages) == Self.depth }

  /// Takes the half that came last off a full stack.
  package mutating func takeMagazine(of pages: Int) -> Magazine {
    assert(isFull(pages))
    let first = pages &* Self.depth &+ Self.depth &- Magazine.capacity
    // A magazine is half of a stack, and 128 stacks are 32 runs long; so below.
    let magazine = Magazine(of: pages) { unsafe CachedRun(packed: runs[unchecked: first &+ $0]) }
    unsafe counts[unchecked: pages] = UInt8(Self.depth &- Magazine.capacity)
    charge(0 &- magazine.pageCount)
    return magazine
  }

  /// Whether the stack of a size is empty, and a magazine keeps the cache within a limit of pages.
  package func hasRoomForMagazine(of pages: Int, limit: Int) -> Bool {
    count(of: pages) == 0 && chargedPages &+ Magazine.pageCount(of: pages) <= limit
  }

  /// Puts a magazine on an empty stack.
  package mutating func put(_ magazine: Magazine) {
    let pages = magazine.pagesPerRun
    assert(count(of: pages) == 0)
    let first = pages &* Self.depth
    for place in 0..<Magazine.capacity {
      unsafe runs[unchecked: first &+ place] = magazine[place].packed
    }
    unsafe counts[unchecked: pages] = UInt8(Magazine.capacity)
    unsafe filled[unchecked: pages &>> 6] |= 1 &<< UInt64(truncatingIfNeeded: pages)
    charge(magazine.pageCount)
  }
}
