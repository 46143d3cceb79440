/// How many runs there are of each size, by powers of two: of 1 page, of 2 and 3, of 4 to 7, ...
package struct SizeCounts {
  private var counts = InlineArray<20, Int>(repeating: 0)

  /// Powers of two: the longest run has 2^19 pages.
  package static var powers: Int { 20 }

  /// None.
  package init() {}

  /// The runs of 2^`power` pages and more, but fewer than twice as many; in what counts changes
  /// alone, any number.
  ///
  /// - Parameter power: 0 ..< ``powers``.
  package subscript(power: Int) -> Int {
    @inline(__always) get {
      assert(power >= 0 && power < Self.powers)
      // In range, by the assertion; so below. A checked access would copy the whole array.
      return unsafe counts[unchecked: power]
    }
    @inline(__always) set { unsafe counts[unchecked: power] = newValue }
  }

  /// A run of so many pages, at least 1, has come; or one has gone.
  @inline(__always)
  package mutating func add(_ pages: Int) { self[Self.power(of: pages)] &+= 1 }

  @inline(__always)
  package mutating func remove(_ pages: Int) { self[Self.power(of: pages)] &-= 1 }

  /// Adds changes that were counted elsewhere, of runs of up to so many pages, and empties those.
  package mutating func move(from changes: inout SizeCounts, upTo pages: Int) {
    for power in 0...Self.power(of: pages) {
      self[power] &+= changes[power]
      changes[power] = 0
    }
  }

  @inline(__always)
  private static func power(of pages: Int) -> Int {
    assert(pages > 0 && pages < 1 << powers)
    // Where it is seen not to be 0, that is one instruction.
    return Int.bitWidth &- 1 &- (pages | 1).leadingZeroBitCount
  }
}
