// What regions have committed that count as the arena's: so much less is left to its pages.

extension Heap {
  /// Has pages of a region count, where the hard limit admits them.
  ///
  /// - Returns: whether something has to be given back for the soft limit; `nil`, with nothing
  ///   changed, where they are not admitted.
  mutating func countRegion(_ pageCount: Int) -> Bool? {
    guard admits(pageCount) else { return nil }
    setRegionPages(regionPages + pageCount)
    approachLook(by: pageCount)
    return limits.excess(residentPages: counts.resident) > 0
  }

  /// Pages of a region do not count any more.
  mutating func discountRegion(_ pageCount: Int) { setRegionPages(regionPages - pageCount) }
}
