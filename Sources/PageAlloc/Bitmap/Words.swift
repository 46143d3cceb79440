// Bit routines on one 64-bit word. Bit 0, the least significant, is the lowest page.

/// The lowest position at which `count` ones stand in a row.
///
/// Each step lets a one survive where the ones that follow it reach twice as far, so a run of
/// `count` leaves a one at its low end after log2(`count`) steps; the last one goes as far as is
/// missing.
///
/// - Precondition: `count` is in 1 ... 64.
/// - Returns: the position, or `nil` where there is no such run.
/// - Complexity: O(log `count`).
@inlinable @inline(__always)
package func firstRun(of count: Int, in word: UInt64) -> Int? {
  // One and two pages are asked for most.
  var starts = count == 1 ? word : word & (word &>> 1)
  if starts == 0 { return nil }
  if count <= 2 { return starts.trailingZeroBitCount }
  var reach = 2
  var missing = count &- 2
  // Four at most, 2 ... 16: a known number, so that each becomes a shift by a constant.
  for _ in 0..<4 {
    if missing <= reach { break }
    starts &= starts &>> UInt64(truncatingIfNeeded: reach)
    if starts == 0 { return nil }
    missing &-= reach
    reach &+= reach
  }
  // 1 ... 32.
  starts &= starts &>> UInt64(truncatingIfNeeded: missing)
  return starts == 0 ? nil : starts.trailingZeroBitCount
}

/// A word in which every aligned group of `groupSize` bits with any one in it is all ones.
///
/// Adding "all but the top bit" to the lower bits of a group carries into its top bit just when one
/// of them is set, and never out of it.
///
/// - Precondition: `groupSize` is a power of two in 1 ... 64.
/// - Complexity: O(1).
package func fillAligned(_ word: UInt64, _ groupSize: Int) -> UInt64 {
  if groupSize == 1 { return word }
  let shift = UInt64(truncatingIfNeeded: groupSize &- 1)
  let low = lowestOfGroups(groupSize)
  let top = low &<< shift
  // Wraps nowhere: each sum stays in its group.
  let occupied = (((word & ~top) &+ ~top) | word) & top
  // A top bit less its lowest bit is all the bits below the top.
  return occupied | (occupied &- (occupied &>> shift))
}

/// A one at the lowest bit of every aligned group.
private func lowestOfGroups(_ groupSize: Int) -> UInt64 {
  switch groupSize {
  case 2: 0x5555_5555_5555_5555
  case 4: 0x1111_1111_1111_1111
  case 8: 0x0101_0101_0101_0101
  case 16: 0x0001_0001_0001_0001
  case 32: 0x0000_0001_0000_0001
  default: 1
  }
}

/// Ones at positions `first` ..< `first + count` of a word.
///
/// - Precondition: `count` is in 1 ... 64 and the range in 0 ..< 64.
@inlinable @inline(__always)
package func mask(from first: Int, count: Int) -> UInt64 {
  // The shift is 0 ... 63.
  (~0 &>> UInt64(truncatingIfNeeded: 64 &- count)) &<< UInt64(truncatingIfNeeded: first)
}
