// What a growing arena keeps
// ==========================
//
// Free memory that a request does not fit into stays resident while other memory is taken for it:
// by and by a program would hold far more than it ever used at once. The scavenger in the
// background is slow, on purpose. So whoever takes memory that nothing backs yet looks, once in 4
// MiB:
//
//   | in use, and free in between  ##..###.####....##.|####### taken, nothing there yet |
//     resident > most ever in use + half as much again as the headroom
//         --> about as much free memory goes back as was taken, at most: whole huge pages,
//             from the top
//
// What there is beside less memory in use than there was stays: that is for the scavenger to judge,
// by time.
//
// And each height is paid for once. What was resident when somebody looked, and gave some of it
// back, may be resident again: more goes back only beyond that height. A steady load of runs that
// do not fit each other's holes needs some height; held below it, each 4 MiB that went back would
// be taken again as fresh memory, and paid for again, without end. So a program that goes on
// growing beside its holes gives back 4 MiB for each 4 MiB that it rises, and one that has found
// its height gives back nothing more.

/// The bound on what is resident while an arena takes fresh memory. All in pages.
package struct GrowthHeadroom: Equatable, Sendable {
  /// Pages that nothing backed, taken since somebody last looked.
  private var takenPages = 0
  /// The most pages that were handed out whenever somebody counted them: at each look, and where
  /// more pages than ever are out of the allocator. What comes out of caches is not counted as it
  /// comes.
  private var peakInUse = 0
  /// The most pages that were resident at a look, and were paid for.
  private var peakResident = 0
  /// Where more pages than so many are out of the allocator, it is time to count.
  package private(set) var nextCount = 0
  /// Free pages per 1,024 in use that may stay resident; `nil`: any number.
  private let per1024: Int?

  /// Somebody looks each time so many pages were taken: 4 MiB.
  package static var stepPages: Int { Geometry.pagesPerChunk }
  /// Pages more out of the allocator from one count to the next: 1 MiB.
  package static var countStep: Int { 128 }
  /// So many free pages may stay in any case, 24 MiB. With 16, programs that use 100 MiB took a
  /// fifth longer.
  package static var leastPages: Int { 3072 }

  /// The bound of an arena that has taken nothing yet.
  ///
  /// - Parameter per1024: free pages per 1,024 in use that may stay resident; `nil` for any number.
  package init(per1024: Int?) {
    self.per1024 = per1024
    if per1024 == nil { nextCount = .max }
  }

  /// Pages that nothing backed were taken.
  ///
  /// - Returns: whether somebody should look what must go back; see
  ///   ``excess(inUse:residentPages:)``.
  @inline(__always)
  package mutating func note(taken pages: Int) -> Bool {
    if per1024 == nil { return false }
    takenPages &+= pages
    return takenPages >= Self.stepPages
  }

  /// So many pages are handed out, of so many that are out of the allocator.
  package mutating func note(inUse: Int, outPages: Int) {
    peakInUse = max(peakInUse, inUse)
    nextCount = outPages + Self.countStep
  }

  /// How many of the resident pages should go back now. That was a look: the next one is due 4 MiB
  /// later.
  ///
  /// - Parameter inUse: pages handed out.
  package mutating func excess(inUse: Int, residentPages: Int) -> Int {
    let taken = takenPages
    takenPages = 0
    guard let per1024 else { return 0 }
    peakInUse = max(peakInUse, inUse)
    let spare = Int(UInt64(peakInUse) * UInt64(per1024 + per1024 / 2) / 1024)
    let kept = peakInUse + max(spare, Self.leastPages)
    return max(0, min(taken, residentPages - max(kept, peakResident)))
  }

  /// Of so many resident pages the excess has gone back, as far as there was so much: they may be
  /// resident again.
  package mutating func note(paidFor residentPages: Int) {
    peakResident = max(peakResident, residentPages)
  }
}
