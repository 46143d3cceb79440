import Synchronization
import SysMem

// Taking back what caches hold
// ============================
//
// A drain empties the caches of other threads (see RunCache for the owner's side). Two of them may
// run at once: a program's own, and the scavenger's.
//
//   askForCaches   heap lock: the drain gets a number, and closes each cache that holds something
//   passBarrier    every thread of the process passes a barrier; no lock is held
//   takeCaches     heap lock: takes all from each closed cache whose owner is outside, and opens it
//
// The barrier tells of those caches alone that were closed before it. An owner may open its cache
// by the lock meanwhile (`serve`), another drain may close it again, and then the owner may be
// inside although nobody can see it yet: that drain's own barrier is still to come. So a closed
// cache keeps the number of the drain that closed it, and a drain leaves alone what a later one has
// closed. What an earlier one closed has been closed ever since, so both may take it.
//
// Where the kernel has no `membarrier`, a drain takes from the cache of its own thread alone; the
// owners of the others give everything back by themselves, when they next need their caches.

extension PageArena {
  /// Takes back what all caches hold, those of idle threads included.
  ///
  /// A thread that is inside its cache just then is asked to give everything back by itself, the
  /// next time it needs its cache; so is every other thread where the kernel has no `membarrier`.
  /// - Complexity: O(caches + runs in them), one call to the kernel.
  package func drainCaches() {
    // Inside its cache a thread is for nanoseconds, unless it was preempted there.
    _ = unsafe returnPath.drainCaches(own: cacheInFirstSlot(), looks: 100)
  }
}

extension ReturnPath {
  /// Takes back what all caches hold, as far as their owners are outside. Call without `heap`.
  ///
  /// - Parameters:
  ///   - own: the cache of the calling thread, which is outside of it.
  ///   - looks: how often to look for owners that are inside.
  /// - Returns: how many pages came back.
  func drainCaches(own: UnsafeMutablePointer<RunCache>?, looks: Int) -> Int {
    // The state lives until the arena's end; so below.
    unsafe state.locks.pointee.heap.lock()
    let inUse = unsafe state.pointee.inUsePages
    let asked = unsafe state.pointee.askForCaches()
    var drained = unsafe inUse - state.pointee.inUsePages
    unsafe state.locks.pointee.heap.unlock()
    guard let drain = asked else { return drained }
    let canSeeOthers = system.passBarrier()
    for _ in 0..<looks {
      unsafe state.locks.pointee.heap.lock()
      let inUse = unsafe state.pointee.inUsePages
      let isDone = unsafe state.pointee.takeCaches(
        closedBy: drain, canSeeOthers: canSeeOthers, own: own)
      drained += unsafe inUse - state.pointee.inUsePages
      unsafe state.locks.pointee.heap.unlock()
      if isDone || !canSeeOthers { break }
    }
    return drained
  }
}

// MARK: - Call with `heap` held. The caches live as long as the arena.

extension ArenaState {
  /// Asks all owners to stay outside, and gives spare runs back.
  ///
  /// - Returns: the number of this drain; `nil` where no cache holds anything.
  fileprivate mutating func askForCaches() -> UInt32? {
    giveBackSpares()
    let drain = nextDrain()
    var isAny = false
    var position = unsafe caches
    while let cache = unsafe position {
      if unsafe cache.pointee.heldPages != 0 {
        unsafe cache.pointee.front.close(by: drain)
        isAny = true
      }
      unsafe position = cache.pointee.next
    }
    return isAny ? drain : nil
  }

  /// Takes all from the caches that a drain closed, or found closed, and whose owners are outside.
  /// Call after a barrier in all threads, without which only `own` is known to be left alone.
  ///
  /// - Returns: whether all gave.
  fileprivate mutating func takeCaches(
    closedBy drain: UInt32, canSeeOthers: Bool, own: UnsafeMutablePointer<RunCache>?
  ) -> Bool {
    var isDone = true
    var position = unsafe caches
    while let cache = unsafe position {
      if unsafe cache.pointee.front.isClosed(by: drain) {
        if unsafe cache == own || (canSeeOthers && cache.pointee.front.isOutside) {
          unsafe serve(cache)
        } else {
          isDone = false
        }
      }
      unsafe position = cache.pointee.next
    }
    return isDone
  }

  /// Gives everything in a cache back if somebody asked for it. Call as the owner, or when the
  /// owner is known to be outside.
  mutating func serve(_ cache: UnsafeMutablePointer<RunCache>) {
    if unsafe !cache.pointee.front.isClosed { return }
    unsafe takeAll(cache)
    unsafe letIn(cache)
  }

  /// Lets the owner of a cache in again, unless the arena has gone, whose last runs are counted by
  /// the lock, or is in the checked mode, in which every run comes and goes by the lock.
  mutating func letIn(_ cache: UnsafeMutablePointer<RunCache>) {
    if owned.isOrphan || checks != nil {
      unsafe cache.pointee.front.close(by: nextDrain())
    } else {
      unsafe cache.pointee.front.open()
    }
  }

  /// A number for who is about to close caches, higher than all before.
  mutating func nextDrain() -> UInt32 {
    // Always odd, so that it is never the 0 of a cache that is open, also when it has gone round.
    lastDrain &+= 2
    return lastDrain
  }
}
