import CSysMem
import Synchronization

// The thread that forks
// =====================
//
// A fork holds locks from its first handler to its last. Programs have handlers of their own, which
// may run in between, in the same thread, and may want the same locks: that thread is let through.
// Nobody else changes what the locks guard meanwhile, and this thread is in the middle of nothing.
//
// In the child a handler of the program's may come before ours. What the locks guard is then still
// as the parent's threads left it, so the first lock that it wants has our handler run at once.

/// Which thread's fork is under way.
package enum ForkTurn {
  // Written by that thread alone: to every other one it only matters that it is not itself.
  private static let thread = Atomic<UInt>(0)
  /// The process that it began in.
  private static let process = Atomic<Int32>(0)
  // Written by the thread whose turn it is, before the turn begins.
  nonisolated(unsafe) private static var renew: (@convention(c) () -> Void)?

  /// The calling thread's fork begins.
  ///
  /// - Parameter renew: what a child has to do before anything else; it ends the turn.
  package static func begin(renew: @escaping @convention(c) () -> Void) {
    unsafe self.renew = renew
    process.store(csm_process(), ordering: .relaxed)
    thread.store(csm_thread_self(), ordering: .relaxed)
  }

  /// It is over.
  package static func end() { thread.store(0, ordering: .relaxed) }

  /// It is the calling thread's, which may go where a fork holds a lock.
  package static var isMine: Bool { thread.load(ordering: .relaxed) == csm_thread_self() }

  /// It is the calling thread's, and this is the child, in which nothing was done yet.
  package static var isNewChild: Bool {
    isMine && process.load(ordering: .relaxed) != csm_process()
  }

  /// Does in a child what is to be done there first, if that was not done yet.
  package static func renewIfNewChild() {
    // Set by the turn's beginning, and read by the thread whose turn it is.
    if isNewChild, let renew = unsafe renew { renew() }
  }
}
