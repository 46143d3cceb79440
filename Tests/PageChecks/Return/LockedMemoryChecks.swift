import PageAlloc
import SysMem

/// Memory that the program has locked goes back, too, where the kernel can.
package let lockedMemoryChecks: [Check] = [
  Check("locked memory: goes back on request, and is told of as any other") { recorder in
    guard let arena = makeArena(&recorder), let run = arena.take(16, &recorder) else { return }
    run.stamp(1)
    let kernel = LinuxCalls()
    do throws(Errno) {
      // As `mlockall` does behind the arena's back.
      try kernel.mlock(run.address, 16 << 13)
      let part = run.part(15, 1)
      if (try? kernel.madvise(part.address, 8192, .dontNeed)) != nil {
        return recorder.leaveOut("the kernel takes locked memory as any other")
      }
      try kernel.madvise(part.address, 8192, .dontNeedLocked)
      guard part.isZero else {
        return recorder.leaveOut("qemu-user takes the advice for locked memory, and ignores it")
      }
    } catch {
      return recorder.leaveOut("no memory can be locked, or it cannot go back: Linux before 5.18")
    }
    arena.give(run, &recorder)
    let before = arena.statistics
    recorder.expect((try? arena.releaseFreeMemory()) != nil, "released")
    recorder.expectEqual(run.residentBytes, 0, "resident")
    let after = arena.statistics
    recorder.expectEqual(
      after.scavengedBytes - before.scavengedBytes, before.freeMaybeResidentBytes, "scavenged")
    recorder.expectEqual(after.returned.refusedBytes, 0, "refused")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
    guard let again = arena.take(16, &recorder) else { return }
    recorder.expectEqual(again.address, run.address, "the same place")
    recorder.expect(again.isZero, "zero")
    try? kernel.munlock(run.address, 16 << 13)
  },

  Check("locked memory: other ranges go back many at once all the same") { recorder in
    let calls = FakeCalls(hugePageSize: 0)
    var options = PageArena.Options(calls: calls)
    options.scavenging = .manual
    guard let arena = makeArena(&recorder, options) else { return }
    var runs: [Run] = []
    for _ in 0..<24 {
      guard let run = arena.take(16, &recorder) else { return }
      run.stamp(1)
      runs.append(run)
    }
    runs.sort { $0.address > $1.address }
    let kernel = LinuxCalls()
    guard (try? kernel.mlock(runs[1].address, 16 << 13)) != nil,
      (try? kernel.madvise(runs[1].address, 8192, .dontNeed)) == nil,
      (try? kernel.madvise(runs[1].address, 8192, .dontNeedLocked)) != nil
    else { return recorder.leaveOut("no memory can be locked, or it cannot go back") }
    // The first range is locked: what the kernel says of the list is what it says of that.
    for index in [1, 3, 5, 7] { arena.give(runs[index], &recorder) }
    recorder.expect((try? arena.releaseFreeMemory()) != nil, "released, one by one")
    recorder.expectEqual(runs[1].residentBytes, 0, "resident of what is locked")
    calls.listCallCount.store(0, ordering: .relaxed)
    for index in [9, 11, 13, 15] { arena.give(runs[index], &recorder) }
    recorder.expect((try? arena.releaseFreeMemory()) != nil, "released, at once")
    recorder.expect(calls.listCallCount.load(ordering: .relaxed) > 0, "by a list")
    try? kernel.munlock(runs[1].address, 16 << 13)
  },

  Check("locked memory: what the kernel refuses otherwise is refused as ever") { recorder in
    let calls = FakeCalls()
    var options = PageArena.Options(calls: calls)
    options.scavenging = .manual
    guard let arena = makeArena(&recorder, options), let run = arena.take(16, &recorder)
    else { return }
    arena.give(run, &recorder)
    calls.lockedAddress.store(run.address, ordering: .relaxed)
    recorder.expect((try? arena.releaseFreeMemory()) == nil, "refused by either advice")
    recorder.expectEqual(arena.statistics.returned.refusedBytes, 16 * 8192, "refused")
    calls.lockedAddress.store(0, ordering: .relaxed)
    recorder.expect((try? arena.releaseFreeMemory()) != nil, "released later")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },
]
