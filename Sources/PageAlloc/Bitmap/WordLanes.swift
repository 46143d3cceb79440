// All eight words of a map side by side: what one shift does to a word, four instructions of any
// x86-64 do to all of them. Targets without such instructions do it word by word.

/// The eight words of a chunk's map.
package typealias WordLanes = SIMD8<UInt64>

extension WordLanes {
  /// Whether any bit of any word is one.
  @inline(__always)
  package var hasOnes: Bool {
    let half = lowHalf | highHalf
    let quarter = half.lowHalf | half.highHalf
    return (quarter.x | quarter.y) != 0
  }

  /// Whether a word's lower or upper half is all zero.
  ///
  /// Taking one from each half borrows into its top bit where it was zero. A borrow from the lower
  /// half may spoil the upper one, but only where the lower half was zero, which is the answer
  /// already.
  @inline(__always)
  package var hasEmptyHalf: Bool {
    let ones = WordLanes(repeating: 0x0000_0001_0000_0001)
    let tops = WordLanes(repeating: 0x8000_0000_8000_0000)
    // Wraps where the word was zero, which sets a top bit as it should.
    return ((self &- ones) & ~self & tops).hasOnes
  }

  /// Ones where a one is followed by another, `distance` places up in the same word.
  ///
  /// - Precondition: `distance` is in 0 ... 63.
  @inline(__always)
  private func reaching(_ distance: Int) -> WordLanes {
    self & (self &>> WordLanes(repeating: UInt64(truncatingIfNeeded: distance)))
  }

  /// The longest run of ones inside a word that is longer than `floor`, or `floor` itself.
  ///
  /// Each step lets a one survive where the ones from it on reach twice as far; so the runs of 1,
  /// 2, 4, ... are tried until there is none. From the last that there was, the steps down add what
  /// still fits.
  ///
  /// - Precondition: no run is longer than 63, and `floor` is in 0 ... 63.
  /// - Complexity: O(log longest); eight words a step.
  @inline(__always)
  package func longestRun(atLeast floor: Int) -> Int {
    if !hasOnes { return floor }
    var starts = self
    var reach = 1
    // Up to 32; a known number, so that each becomes a shift by a constant.
    for _ in 0..<5 {
      let further = starts.reaching(reach)
      if !further.hasOnes { break }
      starts = further
      reach &+= reach
    }
    // All are shorter than twice the reach.
    if floor >= reach &+ reach &- 1 { return floor }
    var longest = reach
    if floor >= reach {
      // 1 ... reach: floor is less than twice the reach.
      starts = starts.reaching(floor &+ 1 &- reach)
      if !starts.hasOnes { return floor }
      longest = floor &+ 1
    }
    var step = reach >> 1
    while step > 0 {
      let further = starts.reaching(step)
      if further.hasOnes {
        starts = further
        longest &+= step
      }
      step >>= 1
    }
    return longest
  }
}
