import CSysMem
import SysMem
import Synchronization

// fork
// ====
//
// Only the thread that called `fork` exists in the child. A lock that another one held would never be
// free again there, and what it was changing would be half changed. So, for every arena:
//
//   before    take the growth lock, then the heap lock: nothing is being changed
//   parent    give them back
//   child     the same; runs that were on their way to the kernel are free again, and so is what threads
//             had at hand; the release lock and the scavenger are as new. A thread is started when
//             there is something to give back.
//
// The release lock is not waited for, since its holder may be in the kernel for long.

/// The handlers of `fork`, registered once.
enum ForkHandlers {
  private static let isRegistered: Bool =
    // Without memory for the handlers, `fork` is as dangerous as with any lock.
    csm_at_fork({ beforeFork() }, { inParent() }, { inChild() }) == 0

  /// Registers them, before the first arena is made.
  static func register() { _ = isRegistered }
}

private func forEachArena(_ body: (UnsafeMutablePointer<ArenaState>) -> Void) {
  var arena = unsafe ArenaRegistry.first
  while let state = unsafe arena {
    // In the list, whose lock is held, so it lives.
    unsafe body(state)
    unsafe arena = state.pointee.nextArena
  }
}

private func beforeFork() {
  ArenaRegistry.lock()
  unsafe forEachArena {
    unsafe $0.locks.pointee.growth.lock()
    unsafe $0.locks.pointee.heap.lock()
  }
}

private func inParent() {
  unsafe forEachArena {
    unsafe $0.locks.pointee.heap.unlock()
    unsafe $0.locks.pointee.growth.unlock()
  }
  ArenaRegistry.unlock()
}

private func inChild() {
  unsafe forEachArena {
    unsafe $0.locks.pointee.release.reset()
    unsafe $0.pointee.reattachAll()
    unsafe $0.pointee.takeOrphanedCaches()
    unsafe $0.locks.pointee.wakeUp.reset()
    unsafe $0.locks.pointee.stallWatch.close()
    unsafe $0.steps.pointee.isFresh = true
    unsafe $0.pointee.forgetThread()
    unsafe $0.locks.pointee.heap.unlock()
    unsafe $0.locks.pointee.growth.unlock()
  }
  ArenaRegistry.unlock()
}

extension ArenaState {
  /// Takes what the caches of threads that are gone have at hand. Call with `heap` held.
  ///
  /// A cache whose owner was inside just then may be half changed: it is made empty, and what it had stays
  /// in use, nobody's. The caches stay owned, since one may be that of a handle, which the child can use.
  fileprivate mutating func takeOrphanedCaches() {
    // A copy: what is changed on the way is the state, which the list is a part of.
    let caches = self.caches
    unsafe caches.forEach { cache in
      if unsafe cache.pointee.front.isOutside {
        unsafe takeAll(cache)
      } else {
        unsafe cache.pointee.forget()
        unsafe resetBound(of: cache)
        lostCaches += 1
      }
      unsafe self.caches.reopen(cache)
    }
  }
}

extension ArenaState {
  /// There is no thread any more. Call with `heap` held.
  fileprivate mutating func forgetThread() {
    scavenger.hasThread = false
    if scavenger.phase != .manual {
      scavenger.phase = .off
      armScavenger()
    }
  }
}
