/// How much free memory is kept, and from when on it is too much. All in pages.
package struct ScavengeGoal: Equatable, Sendable {
  /// Free pages that may stay resident, per 1,024 pages in use.
  package let headroomPer1024: Int
  /// More may stay resident than the headroom by so much, 1 MiB: smaller heaps are not worth a
  /// wake-up.
  package static var slackPages: Int { 128 }

  /// Fewer pages freed, half of that, are not worth one either: so much more may stay for good.
  package static var leastFreedPages: Int { slackPages / 2 }

  /// The goal for a headroom, as a part of what is in use: 0.1 for a tenth.
  ///
  /// - Precondition: 0 ... 16.
  package init(headroom: Double) { headroomPer1024 = Int(headroom * 1024) }

  /// What may stay resident.
  ///
  /// - Parameters:
  ///   - inUse: pages in use now.
  ///   - peak: the most pages in use lately; free pages up to that are likely to be wanted again.
  ///   - limits: the background keeps away from the soft one.
  package func residentPages(inUse: Int, peak: Int, limits: ResidencyLimits) -> Int {
    let base = max(inUse, peak)
    let target = base + scaled(base) + Self.slackPages
    return min(target, max(limits.nearSoftPages, inUse + Self.slackPages))
  }

  /// So many free resident pages are too many, by frees alone, when there are `free` now.
  ///
  /// Each page freed adds one to what is free and takes the headroom of one from what may stay.
  package func wakeAbove(inUse: Int, free: Int, limits: ResidencyLimits) -> Int {
    let gap = UInt64(max(0, inUse + scaled(inUse) + Self.slackPages - inUse - free))
    var more = Int(gap * 1024 / UInt64(1024 + headroomPer1024))
    if limits.isNearSoft(residentPages: inUse + free) { more = min(more, Self.slackPages) }
    return free + max(more, Self.leastFreedPages)
  }

  /// By how much ``wakeAbove(inUse:free:limits:)`` becomes less where so many fewer pages are
  /// resident: these were in use, and are not free and resident now. Each takes with it the
  /// headroom of one, for frees to pass the goal the earlier.
  package func wakesEarlier(byFewer pages: Int) -> Int {
    Int(UInt64(pages) * UInt64(headroomPer1024) / UInt64(1024 + headroomPer1024))
  }

  private func scaled(_ pages: Int) -> Int {
    Int(UInt64(pages) * UInt64(headroomPer1024) / 1024)
  }
}
