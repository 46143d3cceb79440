/// The bounds on resident memory: what is in use, and what is free but was not given back.
///
/// ```
///   0                             near the soft limit    soft                hard
///   |------------------------------------|----------------|-------------------|
///     an allocation costs nothing more     the background   an allocation       it is
///                                          gives back all   gives back what     refused
///                                          that is free     is beyond, if any
/// ```
package struct ResidencyLimits: Equatable, Sendable {
  /// What an allocation keeps to where there is free memory to be given back, in pages; `Int.max`
  /// for no bound.
  package let softPages: Int
  /// What an allocation never goes beyond, in pages; `Int.max` for no bound.
  package let hardPages: Int
  /// Pages that were taken off both, since others have them that count for the same bounds.
  private var othersPages = 0

  /// The same bounds for who shares them with others that have so many pages: below zero, where
  /// those have more than a bound.
  package func less(_ pages: Int) -> ResidencyLimits {
    func rest(_ bound: Int) -> Int { bound == .max ? .max : bound - pages }
    var limits = ResidencyLimits(softPages: rest(softPages), hardPages: rest(hardPages))
    limits.othersPages = pages
    return limits
  }

  /// No bounds.
  package static var none: ResidencyLimits { ResidencyLimits(softBytes: nil, hardBytes: nil) }

  /// Bounds in bytes, rounded down to pages; `nil` for none. 4 GiB and more, which no arena can
  /// reach, are none.
  ///
  /// - Parameters:
  ///   - softBytes: where it is `nil`, the hard limit is the soft one, too.
  ///   - hardBytes: not below `softBytes`.
  package init(softBytes: UInt64?, hardBytes: UInt64?) {
    softPages = Self.pages(within: softBytes ?? hardBytes)
    hardPages = Self.pages(within: hardBytes)
  }

  /// Bounds in pages; `Int.max` for none.
  ///
  /// - Parameter hardPages: not below `softPages`.
  package init(softPages: Int, hardPages: Int) {
    self.softPages = softPages
    self.hardPages = hardPages
  }

  /// Whether there is a bound at all. Where there is a hard one, there is a soft one.
  package var isAny: Bool { softPages != .max }

  /// The soft limit in bytes; `nil` for none.
  package var softBytes: UInt64? {
    softPages == .max ? nil : Self.bytes(softPages + othersPages)
  }
  /// The hard limit in bytes; `nil` for none.
  package var hardBytes: UInt64? {
    hardPages == .max ? nil : Self.bytes(hardPages + othersPages)
  }

  /// Beyond so many resident pages the background gives back whatever is free: a twentieth below
  /// the soft limit. `Int.max` where there is none.
  package var nearSoftPages: Int { isAny ? softPages - softPages / 20 : .max }

  /// Whether the background should keep away from the soft limit.
  package func isNearSoft(residentPages: Int) -> Bool { residentPages > nearSoftPages }

  /// How many of the resident pages are beyond the soft limit.
  package func excess(residentPages: Int) -> Int { max(0, residentPages - softPages) }

  /// Whether so many pages may be resident.
  package func allows(residentPages: Int) -> Bool { residentPages <= hardPages }

  /// Whether a cache may be refilled, which nobody judges afterwards: what is fresh must stay
  /// within the soft limit.
  ///
  /// - Parameter fresh: how many of the pages nothing backs yet.
  package func allowsRefill(fresh: Int, residentPages: Int) -> Bool {
    residentPages &+ fresh <= (fresh == 0 ? hardPages : softPages)
  }

  /// Whether a request cannot be had, whatever is given back.
  ///
  /// - Parameter inUse: pages that others have, or may have.
  package func isHopeless(_ pageCount: Int, inUse: Int) -> Bool {
    // Neither is negative: the difference may be, and does not overflow.
    inUse > hardPages - pageCount
  }

  /// What the caller is told of a request that the hard limit refuses.
  ///
  /// - Parameter inUse: pages that others have.
  /// - Precondition: there is a hard limit.
  package func refusal(_ pageCount: Int, inUse: Int) -> PageArenaError {
    // Somebody may have taken the limit away meanwhile.
    .limitReached(
      pages: pageCount, inUseBytes: Self.bytes(inUse + othersPages), limitBytes: hardBytes ?? .max)
  }

  private static func pages(within byteCount: UInt64?) -> Int {
    guard let byteCount, byteCount < UInt64(1) << 32 else { return .max }
    return Int(truncatingIfNeeded: byteCount >> UInt64(Geometry.pageShift))
  }

  private static func bytes(_ pages: Int) -> UInt64 { UInt64(pages) << UInt64(Geometry.pageShift) }
}
