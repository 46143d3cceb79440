import CTestSystem
import PageAlloc
import SysMem
import Synchronization

// qemu's user mode (7.2, linked dynamically) fails an assertion of its own when a thread is started
// in a child that was forked from a program with threads, also in a plain C program. There the
// children start none.

/// Children of `fork`, and processes with little address space.
package let forkChecks: [Check] = [
  Check("fork: by a signal's handler that finds its thread under a lock it traps by name") {
    recorder in
    if leavesOutFork(&recorder) { return }
    guard let arena = makeArena(&recorder) else { return }
    let end = inHeardChild(&recorder) {
      arena.underHeapLock { _ = inChild { 0 } }
    }
    recorder.expect(end.isTrap, "status \(end.status)")
    end.expect("PageArenaError.reentered", &recorder)
  },

  Check("fork: the child allocates, frees and scavenges, while the parent's threads are at it") {
    recorder in
    if leavesOutFork(&recorder) { return }
    var options = PageArena.Options.quick()
    if isEmulated { options.scavenging = .manual }
    guard let arena = makeArena(&recorder, options), let kept = arena.take(100, &recorder)
    else { return }
    kept.stamp(9)
    let workers = [Churn(arena, seed: 1, steps: 6000), Churn(arena, seed: 2, steps: 6000)]
    let children = Forker(arena, kept)
    // The first thread forks; the others hold locks now and then, as does the scavenger.
    runThreads([workers[0], workers[1], Churn(arena, seed: 0)]) { worker in
      if worker.seed == 0 { children.run(12) } else { worker.churn() }
    }
    recorder.expectEqual(children.refused.load(ordering: .relaxed), 0, "forks refused")
    recorder.expectEqual(children.worst.load(ordering: .relaxed), 0, "a child's status")
    for worker in workers {
      recorder.expectEqual(worker.faults.load(ordering: .relaxed), 0, "faults in a thread")
    }
    recorder.expect(kept.isStamped(9), "the parent's memory")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold in the parent")
  },

  Check("fork: in a child, too, nobody takes out of a cache what a lowered limit does not allow") {
    recorder in
    if leavesOutFork(&recorder) { return }
    guard let arena = makeArena(&recorder), let kept = arena.take(200, &recorder),
      let run = arena.take(1, &recorder)
    else { return }
    recorder.expect((try? arena.setMemoryLimit(.bytes(hard: 100 << 13))) != nil, "lowered")
    let status = inChild {
      guard arena.errorOfGiving(run) == nil else { return 2 }
      guard case .limitReached? = arena.errorOfTaking(1) else { return 3 }
      return arena.brokenInvariant() == nil ? 0 : 4
    }
    recorder.expectEqual(status, 0, "the child's status")
    arena.give(run, &recorder)
    guard case .limitReached? = arena.errorOfTaking(1) else { return recorder.fail("taken") }
    arena.give(kept, &recorder)
  },

  Check("fork: a thread is inside its cache just then; the child works, and knows its pages") {
    recorder in
    if leavesOutFork(&recorder) { return }
    guard let arena = makeArena(&recorder), let kept = arena.take(200, &recorder) else { return }
    kept.stamp(9)
    let worker = Insider(arena)
    var lost = 0
    var worst = 0
    runThreads(
      [worker],
      meanwhile: {
        guard wait(5, until: { worker.cachedPages.load(ordering: .acquiring) > 0 }) else { return }
        let cached = worker.cachedPages.load(ordering: .relaxed)
        // It is inside for a good part of its time, so that a few forks are enough.
        for _ in 0..<400 where lost < 3 && worst == 0 {
          let status = inChild { useWithout(worker: cached, arena, kept) }
          if status == 1 { lost += 1 } else { worst = status }
        }
        worker.isStopping.store(true, ordering: .relaxed)
      }
    ) { $0.run() }
    recorder.expectEqual(worst, 0, "a child's status")
    recorder.expect(lost > 0, "no fork found the thread inside")
    recorder.expectEqual(worker.faults.load(ordering: .relaxed), 0, "faults in the thread")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold in the parent")
  },

  Check("fork: runs on their way from one cache to another are the child's, too") { recorder in
    if leavesOutFork(&recorder) { return }
    withHandover(&recorder, runs: 320, of: 1) {
      arena, _, _, recorder throws(PageArenaError) in
      let before = arena.statistics
      let status = inChild {
        var runs: [Run] = []
        for index in 0..<320 {
          guard let run = try? arena.run(1) else { return 2 }
          run.stamp(UInt64(index))
          runs.append(run)
        }
        let used = arena.statistics
        if used.inUseBytes != 320 << 13 { return 3 }
        // Nothing that was never used: all that was freed is there.
        if used.scavengedBytes != before.scavengedBytes { return 4 }
        for index in 0..<320 {
          if !runs[index].isStamped(UInt64(index)) { return 5 }
          if arena.errorOfGiving(runs[index]) != nil { return 6 }
        }
        guard (try? arena.releaseFreeMemory()) == 320 << 13 else { return 7 }
        return arena.brokenInvariant() == nil ? 0 : 8
      }
      recorder.expectEqual(status, 0, "the child's status")
      recorder.expectEqual(arena.statistics.cachedBytes, before.cachedBytes, "in the parent")
    }
  },

  Check("fork: the scavenger starts again in the child (not under qemu)") { recorder in
    if leavesOutFork(&recorder) { return }
    if isEmulated {
      recorder.leaveOut("qemu-user aborts when a forked child of threads starts a thread")
      return
    }
    // With files to sleep on, where the kernel grants them: the child has its own.
    var options = PageArena.Options.quick()
    options.scavengesUnderPressure = LinuxFiles().isWatchingStalls
    guard let arena = makeArena(&recorder, options), let run = arena.take(1024, &recorder)
    else { return }
    run.stamp(1)
    arena.give(run, &recorder)
    recorder.expect(wait(5) { arena.scavengerThread.isParked }, "parked in the parent")
    let status = inChild {
      if arena.scavengerThread.exists { return 2 }
      guard let run = try? arena.run(1024) else { return 3 }
      run.stamp(1)
      if arena.errorOfGiving(run) != nil { return 4 }
      // A free starts no thread; the next growth does.
      if arena.scavengerThread.exists { return 5 }
      guard let more = try? arena.run(4096) else { return 7 }
      if !arena.scavengerThread.exists { return 8 }
      if arena.errorOfGiving(more) != nil { return 9 }
      return wait(5) { arena.statistics.maybeResidentBytes <= 1 << 20 } ? 0 : 6
    }
    recorder.expectEqual(status, 0, "the child's status")
    // The parent's thread is not affected.
    guard let again = arena.take(1024, &recorder) else { return }
    again.stamp(1)
    arena.give(again, &recorder)
    recorder.expect(wait(5) { arena.statistics.maybeResidentBytes <= 1 << 20 }, "in the parent")
  },

  Check("fork: an arena that was made and dropped leaves nothing for fork to trip over") {
    recorder in
    if leavesOutFork(&recorder) { return }
    for keep in 0..<3 {
      var arenas: [PageArena] = []
      for _ in 0..<3 {
        guard let arena = makeArena(&recorder, byteCount: 64 << 20) else { return }
        arenas.append(arena)
      }
      // The first, the middle, the last of the list.
      arenas.remove(at: keep)
      let status = inChild {
        for arena in arenas {
          guard let run = try? arena.run(10) else { return 2 }
          if arena.errorOfGiving(run) != nil { return 3 }
        }
        return 0
      }
      recorder.expectEqual(status, 0, "the child's status")
    }
  },

  Check("fork: where there is no room for a thread, the next growth tries for one again") {
    recorder in
    if leavesOutFork(&recorder) { return }
    if isSanitized || isEmulated {
      recorder.leaveOut("sanitizers and emulators need address space of their own")
      return
    }
    guard let arena = makeArena(&recorder, .quick()) else { return }
    let status = inChild {
      if ctest_limit_address_space(1 << 20) != 0 { return 2 }
      // No room at all; threads that have ended left their stacks to the next ones.
      guard takeAllStacks() else { return 10 }
      guard let run = try? arena.run(1024) else { return 3 }
      if arena.scavengerThread.exists { return 4 }
      if ctest_limit_address_space(.max) != 0 { return 5 }
      if arena.errorOfGiving(run) != nil { return 6 }
      if arena.scavengerThread.exists { return 7 }
      guard (try? arena.run(4096)) != nil else { return 8 }
      return arena.scavengerThread.exists ? 0 : 9
    }
    recorder.expectEqual(status, 0, "the child's status")
  },

  Check("address space: under ulimit -v an arena is smaller, or there is one clear error") {
    recorder in
    if isSanitized {
      recorder.leaveOut("a sanitizer takes more address space than any limit leaves")
      return
    }
    if isEmulated {
      // qemu's own memory counts against the limit.
      recorder.leaveOut("qemu-user needs more address space than the limit leaves")
      return
    }
    // What the process has already differs between targets, so the room is what is added to it.
    for (megabytes, isArena) in [(8, false), (400, true)] {
      recorder.context = "\(megabytes) MiB of room"
      let status = inChild {
        guard let used = addressSpace() else { return 2 }
        if ctest_limit_address_space(UInt(used) + UInt(megabytes) << 20) != 0 { return 3 }
        do throws(PageArenaError) {
          var options = PageArena.Options()
          options.scavenging = .background(headroom: 0)
          options.generationNanoseconds = 10_000_000
          let arena = try PageArena(options)
          if !isArena { return 4 }
          guard let run = try? arena.run(2048) else { return 5 }
          run.stamp(1)
          // Growth until the end is an error, too.
          while (try? arena.run(4096)) != nil {}
          if arena.errorOfGiving(run) != nil { return 6 }
          return wait(5) { arena.statistics.returned.backgroundBytes > 0 } ? 0 : 7
        } catch {
          switch error {
          case .noAddressSpace, .system: return isArena ? 8 : 0
          default: return 9
          }
        }
      }
      recorder.expectEqual(status, 0, "the child's status")
    }
  },
]
