import SysMem

/// What the control group of the process leaves to an arena, and when to ask the group again.
///
/// The group's bound is for everybody in it: other arenas, tables, malloc, stacks, other processes.
/// So an arena asks what is used, again and again, and keeps away from the end by a margin, for
/// what others take between its look and its clients' first writes:
///
/// ```
///   0                                                                 the group's bound
///   |----- others ------|------- this arena -------|------ left ------|-- margin --|
///                                                  |- 1/8 -| the next look
/// ```
///
/// What others use is the difference of what the group uses and of what the arena has. Where the
/// arena's clients have not touched all they have yet, that is too little; so the most of the last
/// looks counts, for half a second to a whole one.
package struct GroupWatch: Sendable {
  /// The share of what there is for the arena that is its soft limit.
  private let fraction: Double
  /// What is never used, in bytes.
  private let marginBytes: UInt64
  /// The most that others used, in this half of a second and in the one before, in bytes.
  private var others: UInt64 = 0
  private var othersBefore: UInt64 = 0
  /// When this half began.
  private var start = Moment(nanoseconds: 0)
  /// When the group was last asked.
  private var lastLook = Moment(nanoseconds: 0)

  /// - Parameters:
  ///   - fraction: more than 0, at most 1.
  ///   - processorCount: each may have some of the group's memory in hand that nobody uses.
  package init(fraction: Double, processorCount: Int) {
    self.fraction = fraction
    marginBytes = UInt64(1) << 20 + UInt64(max(1, processorCount)) << 18
  }

  /// So many fresh pages may be taken without a look where much is left: 4 MiB.
  package static var mostPagesBetweenLooks: Int { 512 }
  /// A request for no more fresh pages than this never looks by itself, but what was taken before
  /// it: 128 KiB.
  package static var pagesWithoutLook: Int { 16 }
  /// A look that is so old, in nanoseconds, tells nothing any more of the group's bound.
  private static var lateNanoseconds: UInt64 { 250_000_000 }
  private static var halfNanoseconds: UInt64 { 500_000_000 }

  /// Whether the last look is too old for whoever takes fresh memory.
  package func isLate(_ now: Moment) -> Bool {
    now.elapsed(since: lastLook) >= Self.lateNanoseconds
  }

  /// Takes notice of what the group said.
  ///
  /// - Parameters:
  ///   - group: `nil` where there is no bound.
  ///   - ownPages: what the arena had when it asked.
  /// - Returns: the bounds of the arena, and how many fresh pages it may take until the next look.
  package mutating func note(
    _ group: CgroupMemory?, ownPages: Int, now: Moment
  ) -> (limits: ResidencyLimits, pagesUntilLook: Int) {
    lastLook = now
    guard let group else { return (.none, Self.mostPagesBetweenLooks) }
    guard let used = group.usedBytes else {
      return (limits(group.limitBytes, margin: 0), Self.mostPagesBetweenLooks)
    }
    let own = UInt64(ownPages) << UInt64(Geometry.pageShift)
    if now.elapsed(since: start) >= Self.halfNanoseconds {
      // After a long pause, neither of the two is of use any more.
      othersBefore = now.elapsed(since: start) >= 2 * Self.halfNanoseconds ? 0 : others
      others = 0
      start = now
    }
    others = max(others, used - min(used, own))
    let most = max(others, othersBefore)
    let limits = limits(group.limitBytes - min(group.limitBytes, most), margin: marginBytes)
    let left = limits.hardPages - min(limits.hardPages, ownPages)
    return (limits, min(left / 8, Self.mostPagesBetweenLooks))
  }

  /// The bounds of an arena that may have so many bytes.
  private func limits(_ byteCount: UInt64, margin: UInt64) -> ResidencyLimits {
    let hard = byteCount - min(byteCount, margin)
    // Below 2^62, so that the product fits.
    return ResidencyLimits(
      softBytes: min(hard, UInt64(Double(byteCount) * fraction)), hardBytes: hard)
  }
}
