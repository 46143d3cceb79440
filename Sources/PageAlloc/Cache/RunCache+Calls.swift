import Synchronization

// How many runs came and went by a cache
// ======================================
//
// The shortest way, where the hot run comes and goes, has an instruction to spare, but not two. So
// only frees are counted there, and how many runs were handed out follows from that:
//
//   taken back --> hot run --> handed out                      not counted
//   taken back --> hot run --> a stack, or the allocator       coldTakes - 1
//                              a stack, or a cut --> handed out    coldTakes + 1
//
//   handed out  =  frees + coldTakes - hot runs that are there now
//
// A long run never is the hot one: when it comes, that is as if it had stopped to be.
//
// The owner writes both counts, without an atomic addition. Who holds the heap lock reads them at
// any time, and adds to the heap's what is new since the last time: in the midst of a call that may
// be one too few.

/// Calls of a cache's owner that the cache served.
package struct CacheCalls {
  /// Runs that were handed out.
  package var allocations = 0
  /// Runs that were taken back.
  package var frees = 0

  /// None.
  package init() {}
}

extension RunCache {
  /// Counts runs that were handed out otherwise than as hot ones. Only for who may touch the cache.
  @inline(__always)
  borrowing func count(coldTakes more: Int) {
    coldTakes.store(coldTakes.load(ordering: .relaxed) &+ more, ordering: .relaxed)
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
    let frees = front.frees.load(ordering: .relaxed)
    let coldTakes = contents.coldTakes.load(ordering: .relaxed)
    // The counts may wrap around; and where the owner was in the midst of a call the last time, it
    // may have seemed to have made one more.
    let newFrees = max(0, frees &- contents.counted.frees)
    let newAllocations = max(
      0, frees &+ coldTakes &- front.hotRunCount() &- contents.counted.allocations)
    contents.counted.frees &+= newFrees
    contents.counted.allocations &+= newAllocations
    sum.frees &+= newFrees
    sum.allocations &+= newAllocations
  }
}
