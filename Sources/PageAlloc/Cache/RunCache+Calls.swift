import Synchronization

// How many runs came and went by a cache
// ======================================
//
// The shortest way, where the hot run comes and goes, has an instruction to spare, but not two. So
// only frees are counted there, and how many runs were handed out follows from that:
//
//   taken back --> hot run --> handed out                      not counted
//   taken back --> hot run --> a stack, or the allocator       coldFrees + 1
//                              a stack, or a cut --> handed out    coldTakes + 1
//
//   handed out  =  frees + coldTakes - hot runs that are there now - coldFrees
//
// A long run never is the hot one: when it comes, that is as if it had stopped to be.
//
// The owner writes the counts, without an atomic addition. Who holds the heap lock reads them at
// any time, and adds to the heap's what is new since the last time. In the midst of a call that may
// be one too few, never one too many, which nobody would take off again: what makes it more is read
// first, and what makes it less is written first. (A processor that lets stores pass each other may
// show one too many all the same, until the next call.)

/// Calls of caches' owners that the caches served.
package struct CacheCalls {
  /// Runs that were handed out.
  package var allocations: UInt64 = 0
  /// Runs that were taken back.
  package var frees: UInt64 = 0

  /// None.
  package init() {}
}

/// What was counted of a cache's calls already. It wraps around, as what the owner counts does: on
/// a 32-bit host within minutes.
///
/// Atomic, so that who holds the heap lock changes it without an access to all of the cache, whose
/// owner may be changing the rest.
package struct CountedCalls: ~Copyable {
  private let allocations = Atomic<Int>(0)
  private let frees = Atomic<Int>(0)

  /// Nothing was.
  package init() {}

  /// Takes over what is new, and adds it to what is known of others. For one at a time.
  package borrowing func take(
    allocations now: Int, frees: Int, addedTo sum: inout CacheCalls
  ) {
    sum.allocations &+= Self.news(now, since: self.allocations)
    sum.frees &+= Self.news(frees, since: self.frees)
  }

  /// How far a count has come; not at all where it seems to have gone back a little: in the midst
  /// of a call the owner may seem to have made one less.
  private static func news(_ now: Int, since before: borrowing Atomic<Int>) -> UInt64 {
    let difference = now &- before.load(ordering: .relaxed)
    if difference < 0, difference >= -mostSteps { return 0 }
    before.store(now, ordering: .relaxed)
    return UInt64(UInt(bitPattern: difference))
  }

  private static var mostSteps: Int { 8 }
}

extension RunCache {
  /// Counts runs that were handed out otherwise than as hot ones. Only for who may touch the cache.
  @inline(__always)
  borrowing func count(coldTakes more: Int) {
    coldTakes.store(coldTakes.load(ordering: .relaxed) &+ more, ordering: .relaxed)
  }

  /// Counts runs that are hot no more, before they are taken from there, or that came otherwise.
  /// Only for who may touch the cache.
  @inline(__always)
  borrowing func count(coldFrees more: Int) {
    coldFrees.store(coldFrees.load(ordering: .relaxed) &+ more, ordering: .relaxed)
  }
}

extension CacheFront {
  /// How many hot runs there are.
  func hotRunCount() -> Int { (isHot(.raw) ? 1 : 0) &+ (isHot(.owned) ? 1 : 0) }
}

extension CacheReference {
  /// Calls since somebody asked last. For who holds the heap lock; the owner may be inside.
  package func takeNewCalls() -> CacheCalls {
    var new = CacheCalls()
    addNewCalls(to: &new)
    return new
  }

  /// The same, added to those of others.
  @inline(__always)
  func addNewCalls(to sum: inout CacheCalls) {
    // In this order.
    let frees = front.frees.load(ordering: .acquiring)
    let coldTakes = contents.coldTakes.load(ordering: .acquiring)
    let hotRuns = front.hotRunCount()
    atomicMemoryFence(ordering: .acquiring)
    let coldFrees = contents.coldFrees.load(ordering: .relaxed)
    contents.counted.take(
      allocations: frees &+ coldTakes &- hotRuns &- coldFrees, frees: frees, addedTo: &sum)
  }
}
