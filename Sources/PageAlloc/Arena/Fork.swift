import CSysMem

// fork
// ====
//
// Only the thread that called `fork` exists in the child. A lock that another one held would never
// be free again there, and what it was changing would be half changed. So, for every arena:
//
//   before    take the growth lock, then the heap lock: nothing is being changed
//   parent    give them back
//   child     the same; runs that were on their way to the kernel are free again, and so is what
//             the caches of threads held; the release lock and the scavenger are as new. The
//             child's next growth starts a thread.
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

private func beforeFork() {
  ScavengerThread.lockForFork()
  ArenaRegistry.lock()
  ArenaRegistry.forEach { $0.lockForFork() }
  // Last: who grows an arena may wake the scavenger.
  ScavengerThread.lockListForFork()
}

private func inParent() {
  ScavengerThread.unlockAfterFork()
  ArenaRegistry.forEach { $0.unlockAfterFork() }
  ArenaRegistry.unlock()
}

private func inChild() {
  ScavengerThread.unlockInChild()
  ArenaRegistry.forEach { core in
    core.unlockInChild { heap, steps in
      heap.reattachAll()
      heap.takeOrphanedCaches()
      steps.isFresh = true
      heap.forgetThread(core.plan)
    }
  }
  ArenaRegistry.unlock()
}
