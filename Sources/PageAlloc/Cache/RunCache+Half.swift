// What goes from one cache to another: half of a stack, as it lies there. Only for who may touch
// the caches.

extension RunCache {
  /// Runs of one size, as many as half a stack has.
  typealias Half = InlineArray<16, UInt32>

  /// Runs in a half.
  static var halfDepth: Int { depth / 2 }

  /// Whether the stack of a size is full.
  ///
  /// - Parameter pages: 1 ... 127; so below.
  func isFull(_ pages: Int) -> Bool { count(of: pages) == Self.depth }

  /// Takes the half that came last off a full stack.
  mutating func takeHalf(of pages: Int) -> Half {
    assert(isFull(pages))
    var half = Half(repeating: 0)
    let first = pages &* Self.depth &+ Self.halfDepth
    for index in 0..<Self.halfDepth {
      // A half is 16 runs long, and 128 stacks are 32 long; so below.
      unsafe half[unchecked: index] = runs[unchecked: first &+ index]
    }
    unsafe counts[unchecked: pages] = UInt8(Self.halfDepth)
    takeRoom(0 &- pages &* Self.halfDepth)
    return half
  }

  /// Whether the stack of a size is empty, and half of one keeps the cache within a limit of pages.
  func hasRoomForHalf(of pages: Int, limit: Int) -> Bool {
    count(of: pages) == 0 && roomTaken &+ pages &* Self.halfDepth <= limit
  }

  /// Puts a half on an empty stack.
  mutating func putHalf(_ half: Half, of pages: Int) {
    assert(count(of: pages) == 0)
    let first = pages &* Self.depth
    for index in 0..<Self.halfDepth {
      unsafe runs[unchecked: first &+ index] = half[unchecked: index]
    }
    unsafe counts[unchecked: pages] = UInt8(Self.halfDepth)
    unsafe filled[unchecked: pages &>> 6] |= 1 &<< UInt64(truncatingIfNeeded: pages)
    takeRoom(pages &* Self.halfDepth)
  }
}
