import CSysMem
import SysMem
import Synchronization

/// What the arenas of a pool have in common: one limit, and each other.
package final class PoolAccount: Sendable {
  private let softPages: Atomic<Int>
  private let hardPages: Atomic<Int>
  /// The part of a control group's bound that is the limit, as the bits of a `Double`; 0 for none.
  private let groupFraction: Atomic<UInt64>
  /// Held while the limit is changed.
  private let settings = FutexLock()
  /// The kernel's number of the thread that changes it.
  private let setter = Atomic<Int32>(0)
  /// What of the limit no arena has: the total less all shares. Negative where a limit was lowered.
  private let spare: Atomic<Int>
  /// The pool's own table of its arenas; 0 for none, `beingMade` meanwhile.
  private let arenas: WordTable
  /// Where the heads of the arenas lie; 0 where there is none yet.
  private let heads: WordTable
  /// Threads that look at arenas of the pool just now. As long as there are any, none ends.
  private let visitors = Atomic<Int>(0)
  private let isClosed = Atomic<Bool>(false)

  /// What stands in the table of arenas for one that a thread is just making.
  static var beingMade: UInt { 1 }

  /// - Parameters:
  ///   - arenas: a word for each arena that there may be, which the account does not unmap.
  ///   - heads: likewise.
  package init(
    _ limits: PoolLimits, groupFraction: Double, arenas: WordTable, heads: WordTable
  ) {
    self.groupFraction = Atomic(groupFraction.bitPattern)
    softPages = Atomic(limits.softPages)
    hardPages = Atomic(limits.hardPages)
    spare = Atomic(limits.totalPages)
    self.arenas = arenas
    self.heads = heads
  }

  /// The bounds in force.
  package var limits: PoolLimits {
    PoolLimits(
      softPages: softPages.load(ordering: .relaxed), hardPages: hardPages.load(ordering: .relaxed))
  }

  /// What finds the bounds of each arena, where a control group says.
  var watch: GroupWatch? {
    let fraction = Double(bitPattern: groupFraction.load(ordering: .relaxed))
    if fraction == 0 { return nil }
    return GroupWatch(fraction: fraction, processorCount: Int(csm_processor_count()))
  }

  /// Runs `body` as the one thread that changes the limit, or adds an arena to those that have it.
  ///
  /// - Throws: ``PageArenaError/reentered``: this one is at it.
  func withSettings(_ body: () throws(PageArenaError) -> Void) throws(PageArenaError) {
    // Who was at it in the parent is not in its child.
    ForkTurn.renewIfNewChild()
    let thread = csm_thread_number()
    if setter.load(ordering: .relaxed) == thread { throw .reentered }
    lockSettings(for: thread)
    defer { unlockSettings() }
    try body()
  }

  /// Takes the lock of the settings, and says who has it: a signal's handler finds neither or both,
  /// or the mark.
  private func lockSettings(for thread: Int32) {
    let mark = InsideMark(.poolSettings)
    settings.lock(mark)
    setter.store(thread, ordering: .relaxed)
    mark.end()
  }

  private func unlockSettings() {
    let mark = InsideMark(.poolSettings)
    setter.store(0, ordering: .relaxed)
    settings.unlock()
    mark.end()
  }

  /// Puts other bounds in force, with the heap lock of one of the arenas held, so that a fork finds
  /// all of it done or nothing. The arenas keep their shares: whoever does that has them look anew,
  /// in the same section.
  func set(_ limits: PoolLimits, groupFraction: Double) {
    let before = self.limits.totalPages
    softPages.store(limits.softPages, ordering: .relaxed)
    hardPages.store(limits.hardPages, ordering: .relaxed)
    self.groupFraction.store(groupFraction.bitPattern, ordering: .relaxed)
    giveBack(limits.totalPages - before)
  }

  /// Takes of what is spare.
  ///
  /// - Parameter need: pages, at least 1.
  /// - Returns: how many there were, at least so many; `nil` where there is too little.
  package func take(_ need: Int) -> Int? {
    var found = spare.load(ordering: .relaxed)
    while let grant = PoolLimits.grant(for: need, spare: found) {
      let (isMine, now) = spare.weakCompareExchange(
        expected: found, desired: found - grant, ordering: .relaxed)
      if isMine { return grant }
      found = now
    }
    return nil
  }

  /// The bounds of an arena that has so much of the total. Where the arenas have more than the
  /// total together, since it was lowered, none may take anything: what one frees is not another's.
  func limits(ofShare share: Int) -> ResidencyLimits {
    limits.limits(ofShare: missingPages > 0 ? 0 : share)
  }

  /// By how many pages the shares are more than the limit, once it was lowered.
  var missingPages: Int {
    limits.isAny ? max(0, -spare.load(ordering: .relaxed)) : 0
  }

  /// A share became smaller by so many pages; negative, where one grew.
  package func giveBack(_ pages: Int) { spare.add(pages, ordering: .relaxed) }

  /// Calls `body` with each arena of the pool, as long as it returns `true`. None ends meanwhile.
  func forEach(_ body: (ArenaCore) -> Bool) {
    ForkTurn.renewIfNewChild()
    visitors.add(1, ordering: .sequentiallyConsistent)
    defer { visitors.subtract(1, ordering: .releasing) }
    if isClosed.load(ordering: .sequentiallyConsistent) { return }
    for index in 0..<heads.count {
      // The head of an arena that was added, and that does not end before this visit does.
      let head = heads.load(index)
      if head != 0, !body(unsafe ArenaCore(at: head)) { return }
    }
  }

  /// The pool goes: nobody looks at its arenas any more, by way of this.
  package func close() {
    ForkTurn.renewIfNewChild()
    isClosed.store(true, ordering: .sequentiallyConsistent)
    var patience = Patience()
    while visitors.load(ordering: .sequentiallyConsistent) > 0 { patience.goesOn() }
  }

  /// In a child of `fork`, where no other thread is: nobody visits, nor changes the limit, nor is
  /// making an arena: whoever needs one there makes it from the beginning.
  func forgetOthers() {
    visitors.store(0, ordering: .relaxed)
    if !isClosed.load(ordering: .relaxed) {
      for index in 0..<arenas.count where arenas.load(index) == Self.beingMade {
        arenas.store(index, 0)
      }
    }
    // Who held the lock may not have been noted yet, or not any more.
    setter.store(0, ordering: .relaxed)
    settings.reset()
  }
}
