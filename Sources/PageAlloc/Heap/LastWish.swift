import CDiagnosis
import Synchronization

/// What is to be done when the process ends: once, however many arenas wish for it.
struct LastWish: ~Copyable {
  private let isMade = Atomic<Bool>(false)

  /// Has `body` called when the process ends, from the first call on.
  func make(_ body: @convention(c) () -> Void) {
    if isMade.exchange(true, ordering: .relaxed) { return }
    // Where that is refused, it is not done, and everything else is as it was.
    _ = cdg_at_exit(body)
  }
}

extension ArenaRegistry {
  /// Runs `body` for each arena that is there when the process ends.
  static func forEachAtLast(_ body: (ArenaCore) -> Void) {
    // Threads may go on while the process ends, and one may hold the lock for good.
    withLockIfFree { forEach(body) }
  }
}
