// One limit for many arenas
// =========================
//
// Each arena has a share of the pool's limit, and keeps to it as to a limit of its own. What no
// arena has is spare:
//
//   |<------------------------- the pool's limit ------------------------->|
//   |  share of arena 0  | share of 1 |     share of arena 2     |  spare   |
//
// Who needs more takes what it needs of the spare, and half of the rest, so that it comes again
// less and less often. Where too little is spare, the others give up what they do not use. So the
// shares never add up to more than the limit, and a far one costs nothing.

/// The bounds on what the arenas of a pool may have resident together.
package struct PoolLimits: Equatable, Sendable {
  /// In pages; `Int.max` for no bound. Not above `hardPages`.
  package let softPages: Int
  /// In pages; `Int.max` for no bound.
  package let hardPages: Int

  /// No bounds.
  package static var none: PoolLimits { PoolLimits(softPages: .max, hardPages: .max) }

  /// Bounds in pages. Who reads both in the middle of a change may find a soft one above the hard
  /// one: then it is as that.
  package init(softPages: Int, hardPages: Int) {
    self.softPages = min(softPages, hardPages)
    self.hardPages = hardPages
  }

  /// Bounds in bytes, rounded down to pages; `nil` for none.
  ///
  /// - Parameters:
  ///   - softBytes: where it is `nil`, the hard limit is the soft one, too.
  ///   - hardBytes: not below `softBytes`.
  package init(softBytes: UInt64?, hardBytes: UInt64?) {
    softPages = Self.pages(softBytes ?? hardBytes)
    hardPages = Self.pages(hardBytes)
  }

  /// Whether there is a bound at all. Where there is a hard one, there is a soft one.
  package var isAny: Bool { softPages != .max }

  /// What shares add up to at most, in pages; 0 where there is no bound.
  package var totalPages: Int { hardPages != .max ? hardPages : isAny ? softPages : 0 }

  /// The bounds of an arena that has so much of the total.
  package func limits(ofShare share: Int) -> ResidencyLimits {
    if !isAny { return .none }
    if hardPages == .max { return ResidencyLimits(softPages: share, hardPages: .max) }
    if softPages == hardPages { return ResidencyLimits(softPages: share, hardPages: share) }
    let part = Double(softPages) / Double(hardPages)
    return ResidencyLimits(
      softPages: min(share, Int(Double(share) * part)), hardPages: share)
  }

  /// How large a share must be at least so that so many pages are within the soft bound.
  package func share(forSoft pages: Int) -> Int {
    if hardPages == .max || softPages == hardPages { return pages }
    if softPages == 0 { return pages == 0 ? 0 : .max }
    let share = Double(pages) * (Double(hardPages) / Double(softPages))
    // One more for what was rounded down.
    return share < Double(Int.max / 2) ? Int(share) + 1 : .max
  }

  /// What an arena gets that needs so many pages more, where so many are spare; `nil` where that is
  /// too little.
  package static func grant(for need: Int, spare: Int) -> Int? {
    if need > spare { return nil }
    // More than an arena can hold is of no use to it.
    return need + min((spare - need) / 2, Geometry.pageCount)
  }

  private static func pages(_ byteCount: UInt64?) -> Int {
    guard let byteCount else { return .max }
    return Int(clamping: byteCount >> UInt64(Geometry.pageShift))
  }
}
