import SysMem
import Synchronization

// What a growing arena keeps
// ==========================
//
// Free memory that a request does not fit into stays resident while other memory is taken for it: by and by a
// program would hold far more than it ever used at once. The scavenger in the background is slow, on purpose. So
// whoever takes memory that nothing backs yet looks, once in 4 MiB:
//
//   | in use, and free in between  ##..###.####....##.|####### taken, nothing there yet |
//     resident > most ever in use + half as much again as the headroom
//         --> about as much free memory goes back as was taken, at most: whole huge pages, from the top
//
// What there is beside less memory in use than there was stays: that is for the scavenger to judge, by time. So
// does what could not go back, once it is resident. Else each request for fresh memory would cost some that the
// next one needs: measured on recorded programs, with the headroom alone one gives 400 MiB back where 70 are
// enough, and takes a quarter longer.

/// The bound on what is resident while the arena takes fresh memory. Guarded by the heap lock.
struct Headroom: ~Copyable {
  /// Pages that nothing backed, taken since somebody last looked.
  private var takenPages = 0
  /// The most pages that were handed out whenever somebody counted them: at each look, and where more pages than
  /// ever are out of the allocator. What comes out of caches is not counted as it comes.
  private var peakInUse = 0
  /// The most pages that stayed resident after a look.
  private var peakResident = 0
  /// Where more pages than so many are out of the allocator, it is time to count.
  private(set) var nextCount = 0
  /// Free pages per 1,024 in use that may stay resident; `nil`: any number.
  private let per1024: Int?
  // Written with `heap` held; read relaxed without, as a hint.
  private let due = Atomic<Bool>(false)

  /// Somebody looks each time so many pages were taken: 4 MiB.
  private static var stepPages: Int { Geometry.pagesPerChunk }
  /// Pages more out of the allocator from one count to the next: 1 MiB.
  private static var countStep: Int { 128 }
  /// So many free pages may stay in any case, 24 MiB. With 16, programs that use 100 MiB took a fifth longer.
  private static var leastPages: Int { 3072 }

  init(_ options: PageArena.Options, hasHugePages: Bool) {
    if !hasHugePages {
      per1024 = nil
    } else if case .background(let headroom, _) = options.scavenging {
      per1024 = ScavengeGoal(headroom: headroom).headroomPer1024
    } else {
      per1024 = options.headroomPer1024
    }
    if per1024 == nil { nextCount = .max }
  }

  /// Whether somebody should look. Needs no lock.
  @inline(__always)
  var isDue: Bool { due.load(ordering: .relaxed) }

  /// Pages that nothing backed were taken.
  @inline(__always)
  mutating func note(taken pages: Int) {
    if per1024 == nil { return }
    takenPages &+= pages
    if takenPages >= Self.stepPages { due.store(true, ordering: .relaxed) }
  }

  /// So many pages are handed out, of so many that are out of the allocator.
  mutating func note(inUse: Int, outPages: Int) {
    peakInUse = max(peakInUse, inUse)
    nextCount = outPages + Self.countStep
  }

  /// How many of the resident pages should go back now.
  ///
  /// - Parameter inUse: pages handed out.
  mutating func excess(inUse: Int, residentPages: Int) -> Int {
    due.store(false, ordering: .relaxed)
    let taken = takenPages
    takenPages = 0
    guard let per1024 else { return 0 }
    peakInUse = max(peakInUse, inUse)
    let spare = Int(UInt64(peakInUse) * UInt64(per1024 + per1024 / 2) / 1024)
    let kept = peakInUse + max(spare, Self.leastPages)
    return max(0, min(taken, residentPages - max(kept, peakResident)))
  }

  /// So many pages stayed resident when the excess had gone back, as far as there was so much.
  mutating func note(stayed residentPages: Int) { peakResident = max(peakResident, residentPages) }
}

extension PageArena {
  /// Gives back what is beyond the headroom, after memory was taken that nothing backs yet.
  ///
  /// - Parameter cache: the caller's own, which gives way: what is at hand breaks up what could go back.
  @inline(never)
  func keepHeadroom(relieving cache: UnsafeMutablePointer<RunCache>?) {
    // The state lives as long as the arena; so below.
    unsafe state.locks.pointee.heap.lock()
    let resident = unsafe state.pointee.residentPages
    let inUse = unsafe state.pointee.handedOutPages
    let excess = unsafe state.pointee.headroom.excess(inUse: inUse, residentPages: resident)
    unsafe state.locks.pointee.heap.unlock()
    if excess == 0 { return }
    let released = returnPath.releaseAtOnce(bytes(excess), .headroom) {
      unsafe state.locks.pointee.heap.lock()
      unsafe state.pointee.giveBackSpares()
      if let cache = unsafe cache { unsafe state.pointee.takeAll(cache) }
      unsafe state.locks.pointee.heap.unlock()
    }
    unsafe state.locks.pointee.heap.lock()
    if let released {
      // As of the look: what others took meanwhile is for them to judge.
      let pages = Int(truncatingIfNeeded: released >> UInt64(Geometry.pageShift))
      unsafe state.pointee.headroom.note(stayed: resident - pages)
    } else {
      // Soon somebody looks again.
      unsafe state.pointee.headroom.note(taken: excess)
    }
    unsafe state.locks.pointee.heap.unlock()
  }
}
