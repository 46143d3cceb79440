/// In whose figures and limits a region counts, by what it has committed.
///
/// It is an owner as a run is: the arena's core lives at least as long.
struct RegionAccount: ~Copyable {
  private let core: ArenaCore
  /// Pages of 8 KiB that count, the last perhaps in part.
  private var pages = 0

  /// Nothing is committed yet.
  init(_ core: ArenaCore) {
    self.core = core
    core.countOwner()
  }

  deinit {
    core.discountRegion(pages)
    core.discountOwner()
  }

  /// Has the region count with so many bytes.
  ///
  /// - Throws: it would be more than before, and the arena's hard limit does not admit it.
  mutating func set(byteCount: Int) throws(PageArenaError) {
    let wanted = (byteCount + Int(PageSpace.bitsInPage)) >> Geometry.pageShift
    if wanted > pages { try core.countRegion(wanted - pages) }
    if wanted < pages { core.discountRegion(pages - wanted) }
    pages = wanted
  }
}
