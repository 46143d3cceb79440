import SysMem

// Looks at the control group
// ==========================
//
// What the group leaves is the arena's limit from one look to the next (GroupWatch). A look reads
// files, so nobody holds the heap lock meanwhile:
//
//   before pages are taken       every few MiB of fresh ones, more often where little is left, and
//                                before each larger request that goes beyond that
//   after fresh pages were taken where the last look was long ago
//   before a request is refused  always

extension ArenaCore {
  /// Asks the group if that is due before so many pages are taken.
  @inline(__always)
  func lookAhead(_ pages: Int) {
    if pages > pagesUntilLook { lookBeforeTaking(pages) }
  }

  @inline(never)
  private func lookBeforeTaking(_ pages: Int) {
    if pages > GroupWatch.pagesWithoutLook || pagesUntilLook < 0 { lookAtGroup() }
  }

  /// Asks the group if the last answer is old.
  ///
  /// - Parameter untouched: pages that the caller took, and that nobody has touched yet.
  @inline(__always)
  func lookIfLate(untouched: Int) {
    if pagesUntilLook != .max, untouched != 0 { lookNowIfLate(untouched) }
  }

  @inline(never)
  private func lookNowIfLate(_ untouched: Int) {
    let now = clock.now()
    if withHeap({ $0.watch?.isLate(now) ?? false }) { lookAtGroup(untouched: untouched) }
  }

  /// Asks the group, and puts the limits in force that follow; nothing where none is watched.
  @inline(never)
  func lookAtGroup(untouched: Int = 0) {
    if pagesUntilLook == .max { return }
    // Before the group is asked: what others take and touch meanwhile counts as others', for now.
    let own = withHeap { $0.counts.resident + $0.regionPages } - untouched
    let group = cgroupMemory(files)
    let now = clock.now()
    withHeap { $0.note(group, ownPages: max(0, own), now: now) }
  }
}
