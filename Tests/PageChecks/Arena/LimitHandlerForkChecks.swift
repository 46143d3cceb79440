import PageAlloc
import Synchronization

/// Children, which have the handler, and none of the threads that were in it.
package let limitHandlerForkChecks: [Check] = [
  Check("fork: the child has the limit handler, and nobody is in it") { recorder in
    if leavesOutFork(&recorder) { return }
    guard let asked = AskedArena(&recorder, hardPages: 1000, runs: 2, of: 400) else { return }
    let (arena, spare) = (asked.arena, asked.spare)
    let gate = Gate()
    // The first call is that of the thread that stays inside.
    asked.set({ $0 == 999 ? gate.pass() : spare.giveBack(for: $0) }, &recorder)
    let asker = Counter()
    var status = -1
    runThreads(
      [asker],
      meanwhile: {
        _ = wait(5) { gate.isInside.load(ordering: .sequentiallyConsistent) }
        status = inChild {
          guard (try? arena.run(500)) != nil else { return 2 }
          if spare.calls.load(ordering: .relaxed) != 1 { return 3 }
          // It would wait for the thread that the child does not have.
          guard (try? arena.replaceLimitHandler(nil)) != nil else { return 4 }
          if arena.errorOfTaking(900) == nil { return 5 }
          return spare.calls.load(ordering: .relaxed) == 1 ? 0 : 6
        }
        gate.isOpen.store(true, ordering: .sequentiallyConsistent)
      }
    ) { _ in _ = arena.errorOfTaking(999) }
    recorder.expectEqual(status, 0, "the child's status")
    // A fork in the middle of it: the child goes on there.
    let inside = Counter()
    let forking = { @Sendable (pages: Int) -> Bool in
      let status = inChild {
        if arena.errorOfTaking(900) == nil { return 2 }
        return spare.giveBack(for: pages) ? 0 : 3
      }
      if status == 0 { inside.add() }
      return spare.giveBack(for: pages)
    }
    asked.set(forking, &recorder)
    recorder.expect(arena.errorOfTaking(500) == nil, "taken in the parent")
    recorder.expectEqual(inside.count, 1, "the child inside")
    asked.end(&recorder)
  }
]
