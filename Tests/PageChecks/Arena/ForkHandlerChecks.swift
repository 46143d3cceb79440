import PageAlloc
import SysMem

/// Handlers of fork that a program has of its own, and chains of forks.
///
/// They come first of all: the first check registers handlers before there is an arena.
package let forkHandlerChecks: [Check] = [
  Check("fork handlers: registered before the first arena, they may use it everywhere") {
    recorder in
    if leavesOutFork(&recorder) { return }
    guard ProgramHandlers.areRegistered, let arena = makeArena(&recorder) else { return }
    let uses = CountedUses(arena)
    let status = withHandlers(
      prepare: { uses.use() }, parent: { uses.use() }, child: { uses.use() }
    ) {
      inChildWithin(seconds: 5) {
        uses.use()
        return uses.isGood(3) ? 0 : 2
      }
    }
    recorder.expectEqual(status, 0, "the child's status")
    uses.use()
    recorder.expect(uses.isGood(3), "in the parent")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold in the parent")
  },

  Check("fork handlers: while a fork holds an arena, its thread uses it and others wait") {
    recorder in
    guard let arena = makeManualArena(&recorder), let other = makeArena(&recorder) else { return }
    let uses = CountedUses(arena)
    let others = CountedUses(arena)
    var early = -1
    arena.prepareForFork()
    runThreads(
      [others],
      meanwhile: {
        for _ in 0..<3 { uses.use() }
        recorder.expect((try? arena.releaseFreeMemory()) != nil, "memory goes back")
        recorder.expect(arena.statistics.inUseBytes == 0, "figures")
        recorder.expect(other.take(300, &recorder) != nil, "another arena")
        recorder.expect((try? PageArena()) != nil, "a new one, that goes again")
        sleep(milliseconds: 30)
        early = others.count
        arena.resumeInParentAfterFork()
      }
    ) { $0.use() }
    recorder.expectEqual(early, 0, "came in while the fork held the arena")
    recorder.expect(others.isGood(1) && uses.isGood(3), "used")
    // Once more changes nothing.
    arena.resumeInParentAfterFork()
    other.resumeInParentAfterFork()
    arena.resumeInChildAfterFork()
    uses.use()
    recorder.expect(uses.isGood(4), "used afterwards")
  },

  Check("fork handlers: an arena that is held twice goes again at once") { recorder in
    guard let arena = makeManualArena(&recorder), let other = makeManualArena(&recorder) else {
      return
    }
    // A lock that is waited for by its own holder would hang.
    endProcess(after: 20)
    defer { endProcess(after: 0) }
    for _ in 0..<3 where recorder.isGood {
      arena.prepareForFork()
      arena.prepareForFork()
      other.prepareForFork()
      arena.prepareForFork()
      arena.resumeInParentAfterFork()
      recorder.expect(ForkTurn.isMine, "the other one is still held")
      other.resumeInParentAfterFork()
      recorder.expect(!ForkTurn.isMine, "none is held any more")
      arena.resumeInParentAfterFork()
    }
    // Else nobody else gets at an arena any more.
    guard recorder.isGood else { return }
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("fork handlers: one that is let through waits for whoever gives memory back") { recorder in
    guard let arena = makeManualArena(&recorder), let run = arena.take(4096, &recorder) else {
      return
    }
    run.stamp(1)
    arena.give(run, &recorder)
    let releaser = CountedUses(arena)
    runThreads(
      [releaser],
      meanwhile: {
        for _ in 0..<200 {
          arena.prepareForFork()
          recorder.expect((try? arena.releaseFreeMemory()) != nil, "memory goes back")
          arena.resumeInParentAfterFork()
        }
        releaser.stop()
      }
    ) { uses in
      while !uses.isStopping {
        uses.use()
        _ = try? uses.arena.releaseFreeMemory()
      }
    }
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("fork handlers: a client's own lock over the fork, under which others use the arena") {
    recorder in
    if leavesOutFork(&recorder) { return }
    guard ProgramHandlers.areRegistered, let plain = makeArena(&recorder),
      let manual = makeManualArena(&recorder)
    else { return }
    for arena in [plain, manual] {
      let client = LockingClient(arena)
      let worker = LockingClient(sharing: client)
      let statuses = withHandlers(
        prepare: {
          client.lock()
          arena.prepareForFork()
        },
        parent: {
          arena.resumeInParentAfterFork()
          client.unlock()
        },
        child: {
          arena.resumeInChildAfterFork()
          client.unlock()
        }
      ) {
        var worst = 0
        runThreads(
          [worker],
          meanwhile: {
            for _ in 0..<(isEmulated ? 5 : 40) where worst == 0 {
              worst = inChildWithin(seconds: 5) { client.use() ? 0 : 2 }
            }
            worker.stop()
          }
        ) { $0.run() }
        return worst
      }
      recorder.expectEqual(statuses, 0, "a child's status")
      recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
    }
  },

  Check("fork handlers: in a chain of forks no cache and no mapping is lost (not under qemu)") {
    recorder in
    if leavesOutFork(&recorder) { return }
    if isEmulated {
      recorder.leaveOut("qemu-user aborts when a forked child of threads starts a thread")
      return
    }
    if isSanitized {
      recorder.leaveOut("the sanitizer's own mappings count: tables alone are looked at")
    }
    // More than have near slots, so that each thread has a table, too.
    var arenas: [PageArena] = []
    for _ in 0..<12 {
      guard let arena = makeArena(&recorder, byteCount: 64 << 20) else { return }
      arenas.append(arena)
    }
    // The C library has room for what a generation allocates: in a child, where the kernel does not
    // join what its heap grows by to what it had, that would be a mapping.
    let room = [UInt8](repeating: 1, count: 100_000)
    recorder.expectEqual(room.reduce(0) { $0 + Int($1) }, 100_000, "room")
    recorder.expectEqual(forkChain(arenas, generation: 0, ForkFigures()), 0, "the chain's status")
  },
]
