// Owners and the end of an arena
// ==============================
//
// A `PageRun` must never outlive its memory, and must not count references of the arena, which
// would cost more than the run itself. So the arena counts its live owners, under the lock where it
// takes that anyway, else in the cache that a run comes from or goes to; its end closes the caches
// for good, adds up, and looks at the sum:
//
//   last reference goes, no owner lives      the core ends
//   last reference goes, owners live         the core is an orphan; nothing can be taken from it
//   an orphan's last owner goes              the core ends
//
// An owner refers to the arena's core, which lives that long; so it costs an owner nothing to hold.

/// What an arena knows of its owners.
package struct Owners {
  /// Owners that live, but for those that the caches count.
  package var live = 0
  /// The caches count none any more: `live` is all.
  package private(set) var isSum = false
  /// The arena itself has gone.
  package var isOrphan = false

  /// None.
  package init() {}

  /// The arena has gone, and the last owner, too.
  package var haveAllGone: Bool { isOrphan && isSum && live == 0 }

  /// Takes over what the closed caches have counted.
  package mutating func add(counted: Int) {
    live += counted
    isSum = true
  }

  /// A cache goes that has counted so many: once the caches are closed they are taken over already.
  package mutating func keep(counted: Int) {
    if !isSum { live &+= counted }
  }

  /// An owner goes.
  ///
  /// - Returns: whether it was the last of an orphan.
  package mutating func removeOne() -> Bool {
    live &-= 1
    return haveAllGone
  }
}
