import CDiagnosis
import SysMem
import Synchronization

/// The figures of the arenas that are there when the process ends, on standard error.
enum LastStatistics {
  private static let areAskedFor = Atomic<Bool>(false)

  /// Has them written when the process ends, from the first call on.
  static func start() {
    if areAskedFor.exchange(true, ordering: .relaxed) { return }
    // Without it they are not written, and everything else is as it was.
    _ = cdg_at_exit { LastStatistics.write() }
  }

  private static func write() {
    // Threads may go on while the process ends, and one may hold the lock for good.
    ArenaRegistry.withLockIfFree {
      ArenaRegistry.forEach { core in
        guard core.withHeapIfFree({ _ in true }) != nil else { return }
        PageArena.Statistics(core).write(of: core, "when the process ended")
      }
    }
  }
}

extension PageArena.Statistics {
  /// Writes a line for each figure that is not 0 to standard error.
  func write(of core: ArenaCore, _ when: StaticString) {
    var head = core.beginLine("statistics:")
    head.append(when)
    head.append(":")
    head.write()
    for figure in figures where figure.value != 0 {
      var line = DumpLine()
      line.append("  ")
      line.append(text: figure.name)
      line.append(" ", figure.value)
      line.write()
    }
  }
}
