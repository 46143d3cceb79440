import PageAlloc
import Synchronization

/// The system's figures follow those of the heap, whoever comes in between. Where they do not, the
/// process traps.
package let readyFigureChecks: [Check] = [
  Check("ready bytes: what a cache was just refilled with is given back by another thread") {
    recorder in
    if leavesOutFork(&recorder) { return }
    if isEmulated {
      recorder.leaveOut("qemu-user aborts when a forked child of threads starts a thread")
      return
    }
    let status = inChildWithin(seconds: 30) {
      var options = PageArena.Options()
      options.scavenging = .manual
      guard let arena = try? PageArena(options) else { return 2 }
      let users = (0..<3).map { _ in PageUser(arena) }
      runThreads(
        users,
        meanwhile: {
          for _ in 0..<4000 { _ = try? arena.releaseFreeMemory() }
          for user in users { user.isStopping.store(true, ordering: .relaxed) }
        }
      ) { $0.run() }
      _ = try? arena.releaseFreeMemory()
      let (system, figures) = (arena.systemStatistics, arena.statistics)
      return system.readyBytes == figures.freeMaybeResidentBytes + figures.metadataBytes ? 0 : 3
    }
    recorder.expectEqual(status, 0, "the child's status")
  }
]

/// Takes and frees a page, which comes by a refill where others have emptied the caches.
private final class PageUser: Sendable {
  private let arena: PageArena
  let isStopping = Atomic<Bool>(false)

  init(_ arena: PageArena) { self.arena = arena }

  func run() {
    while !isStopping.load(ordering: .relaxed) {
      if let run = try? arena.run(1) { _ = arena.errorOfGiving(run) }
    }
  }
}
