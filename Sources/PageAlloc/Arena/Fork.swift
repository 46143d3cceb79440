import CSysMem
import CThreadSlots
import SysMem
import Synchronization

// fork
// ====
//
// Only the thread that called `fork` exists in the child. A lock that another one held would never
// be free again there, and what it was changing would be half changed. So:
//
//   before    take the registry's lock; then the growth lock of every arena, and the heap lock of
//             every arena: nothing is being changed
//   parent    give them back
//   child     the scavenger's locks, list and thread are as new, and its next growth starts one; of
//             every arena, runs that were on their way to the kernel are free again, and so is what
//             the caches of threads held; the release lock is free. Give the others back.
//
// The release lock is not waited for, since its holder may be in the kernel for long; nor are those
// of the scavenger, since nothing that they guard is of use to a child.
//
// The handlers are registered when the library is loaded (CThreadSlots). A program's own handlers
// may use arenas all the same: those that it registers later run outside of ours; those registered
// before run while we hold the locks, and are let through (ForkTurn). Only who waits, in a handler
// registered before, for a thread that may use an arena needs more: an arena of
// `ForkHandling.manual`, whose locks the program's handler has taken when it may.

/// The handlers of `fork`.
enum ForkHandlers {
  /// What is known of a fork.
  private struct State {
    /// How many handlers hold the registry's lock: ours, and the program's for manual arenas.
    var depth = 0
    /// Ours is one of them.
    var holdsAutomatic = false
    /// What a rung below this one has to renew in a child.
    var renewOthers: (@convention(c) () -> Void)?
    /// The kernel's number of the thread that forks, which the child's only thread had before.
    var thread: Int32 = 0
  }

  // Guarded by the registry's lock.
  nonisolated(unsafe) private static var guarded = State()
  private static var state: State {
    get { unsafe guarded }
    set { unsafe guarded = newValue }
  }

  /// Has them do something from now on, before the first arena is made.
  static func register() {
    prepareForFork()
    process.store(csm_process(), ordering: .relaxed)
  }

  /// Has everything there that forks need, also where there is no arena.
  static func prepareForFork() {
    FutexLock.prepareForFork()
    cts_set_fork_handlers(
      { ForkHandlers.beforeFork() }, { ForkHandlers.inParent() }, { ForkHandlers.inChild() })
    computeOnce {
      MappingBudget.limit &+ (LinuxCalls.hasMarkers ? 1 : 0) &+ (ThreadEnd.isTold ? 1 : 0)
    }
  }

  /// Has what is computed once in a process be there before the next fork, which waits for the
  /// registry's lock: who asks for it while a thread computes it waits for that thread, and in a
  /// child that was forked just then for ever.
  ///
  /// - Parameter value: is made of all that, so that no compiler leaves anything out.
  static func computeOnce(_ value: () -> Int) {
    ArenaRegistry.withLock { computed.store(value(), ordering: .relaxed) }
  }

  private static let computed = Atomic<Int>(0)

  /// Has a rung below this one renew what it has, first of all in a child. One such function.
  static func inChild(renew: @escaping @convention(c) () -> Void) {
    ArenaRegistry.withLock { state.renewOthers = renew }
  }

  /// This is the process in which the first arena was made, or a child that our handler has seen:
  /// one that was made by other means, as `vfork` is, has numbers of threads that are not its own.
  static var knowsProcess: Bool { process.load(ordering: .relaxed) == csm_process() }

  /// The kernel's number of the process.
  private static let process = Atomic<Int32>(0)

  // What follows is called by the thread that forks, whose turn it is while it holds the lock.

  private static func begin() {
    if ForkTurn.isMine {
      state.depth += 1
      return
    }
    ArenaRegistry.lockForFork()
    ForkTurn.begin { ForkHandlers.renewChild() }
    state.thread = csm_thread_number()
    state.depth = 1
  }

  private static func finish() {
    state.depth -= 1
    if state.depth > 0 { return }
    ForkTurn.end()
    ArenaRegistry.unlockAfterFork()
  }

  fileprivate static func beforeFork() {
    begin()
    state.holdsAutomatic = true
    ArenaRegistry.forEach { if !$0.forksManually { $0.lockGrowthForFork() } }
    ArenaRegistry.forEach { if !$0.forksManually { $0.lockHeapForFork() } }
  }

  fileprivate static func inParent() {
    // Perhaps there was no arena yet before the fork.
    guard ForkTurn.isMine, state.holdsAutomatic else { return }
    state.holdsAutomatic = false
    // One that was made meanwhile, by a handler that was let through, is not held.
    ArenaRegistry.forEach { if !$0.forksManually, $0.isHeldByFork { $0.unlockAfterFork() } }
    finish()
  }

  fileprivate static func inChild() { ForkTurn.renewIfNewChild() }

  /// Takes part in a fork for arenas whose program's handler says when.
  ///
  /// - Parameter forEach: calls its argument with each of them.
  static func prepare(_ forEach: ((ArenaCore) -> Void) -> Void) {
    ForkTurn.renewIfNewChild()
    forEach { core in
      // What the thread holds already it does not take again: it is let go once.
      if !core.forksManually || (ForkTurn.isMine && core.isGrowthHeldByFork) { return }
      begin()
      core.lockGrowthForFork()
    }
    // One that came in between is not held.
    forEach { core in
      if core.forksManually, core.isGrowthHeldByFork, !core.isHeldByFork { core.lockHeapForFork() }
    }
  }

  /// The same in the parent.
  static func resumeInParent(_ core: ArenaCore) {
    guard core.forksManually, ForkTurn.isMine, core.isHeldByFork else { return }
    core.unlockAfterFork()
    finish()
  }

  /// The same in the child, for all arenas that are held.
  static func resumeInChild() { ForkTurn.renewIfNewChild() }

  /// In a child: does all that is to be done, for manual arenas, too, whoever comes first.
  private static func renewChild() {
    if let renewOthers = state.renewOthers { renewOthers() }
    ScavengerThread.renewInChild()
    SlotTables.dropOthers()
    let former = state.thread
    let now = csm_thread_number()
    ArenaRegistry.forEach { core in
      core.recorder?.stop()
      // The program's handler did not say that a manual one was to be held.
      if !core.isHeldByFork { return }
      core.pool?.forgetOthers()
      let pool = core.pool
      core.unlockInChild { heap, steps in
        // Who was changing the pool's limit may have told some of its arenas alone.
        if let pool { heap.resetPoolShare(pool, watching: pool.watch) }
        heap.reattachAll()
        heap.takeOrphanedCaches(but: former, now: now)
        steps.isFresh = true
        heap.forgetThread(core.plan)
        heap.limitHandler.forgetOthers(isCalling: ThisThread.record.asking == core.number)
      }
    }
    process.store(csm_process(), ordering: .relaxed)
    state.holdsAutomatic = false
    state.depth = 1
    finish()
  }
}
