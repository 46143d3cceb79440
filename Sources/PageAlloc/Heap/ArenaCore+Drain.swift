import Synchronization

// Taking back what caches hold
// ============================
//
// A drain empties the caches of other threads (see RunCache for the owner's side). Two of them may
// run at once: a program's own, and the scavenger's.
//
//   closeForDrain   heap: the drain gets a number, and closes each cache that holds something
//   passBarrier     every thread of the process passes a barrier; no lock is held
//   drainClosed     heap: takes all from each closed cache whose owner is outside, and opens it
//
// The barrier tells of those caches alone that were closed before it. An owner may open its cache
// by the lock meanwhile, another drain may close it again, and then the owner may be inside
// although nobody can see it yet: that drain's own barrier is still to come. So a closed cache
// keeps the number of the drain that closed it, and a drain leaves alone what a later one has
// closed. What an earlier one closed has been closed ever since, so both may take it.
//
// Where the kernel refuses `membarrier`, the owners pass a fence instead, and so does a drain (see
// CacheList). Where it refuses for the first time later than the arena was made, the owners of
// caches that are open give everything back by themselves, when they next need their caches; from
// then on they pass a fence, too.
//
// Tests/Model searches this protocol for faults. Who changes a step changes it there, too.

extension ArenaCore {
  /// Takes back what all caches hold, as far as their owners are outside.
  ///
  /// A thread that is inside its cache just then gives everything back by itself, the next time it
  /// needs its cache.
  /// - Parameters:
  ///   - own: the cache of the calling thread, which is outside of it.
  ///   - looks: how often to look for owners that are inside. They are for nanoseconds, unless
  ///     preempted.
  /// - Returns: how many pages came back.
  /// - Complexity: O(caches that may hold something + runs in them), one call to the kernel.
  @discardableResult
  func drainCaches(own: CacheReference?, looks: Int = 100) -> Int {
    drain(own: own, looks: looks).pages
  }

  private func drain(own: CacheReference?, looks: Int) -> Drained {
    var drained = Drained()
    let asked = withHeap { heap in
      let before = heap.counts.allocated
      defer { drained.pages += before - heap.counts.allocated }
      return heap.closeForDrain()
    }
    guard let drain = asked else { return drained }
    let canSeeOthers = passBarrier()
    for _ in 0..<looks {
      let isDone = withHeap { heap in
        let before = heap.counts.allocated
        defer { drained.pages += before - heap.counts.allocated }
        return heap.drainClosed(by: drain, canSeeOthers: canSeeOthers, own: own)
      }
      // To look once more helps only where an owner can be seen to go.
      drained.isPending = !isDone && (canSeeOthers || withHeap { $0.areOwnersFenced })
      if !drained.isPending { break }
    }
    return drained
  }

  /// Makes every thread of the process pass a barrier, or at least this one.
  ///
  /// - Returns: `false` where the kernel refuses.
  func passBarrier() -> Bool {
    if system.passBarrier() { return true }
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    return false
  }

  /// The same for a thread that has no cache and can wait for the next time.
  @discardableResult
  func drainCachesOfOthers() -> Drained { drain(own: nil, looks: 1) }
}

/// What came of a drain.
struct Drained {
  /// How many pages came back.
  var pages = 0
  /// An owner was inside at the last look: what his cache holds is still to come.
  var isPending = false
}
