import PageAlloc
import SysMem

/// Memory that the program has locked goes back, too, where the kernel can.
package let lockedMemoryChecks: [Check] = [
  Check("locked memory: goes back on request, and is told of as any other") { recorder in
    guard let arena = makeArena(&recorder), let run = arena.take(16, &recorder) else { return }
    run.stamp(1)
    guard locks(run, &recorder) else { return }
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
    try? LinuxCalls().munlock(run.address, 16 << 13)
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
    guard locks(runs[1], &recorder) else { return }
    // The first range is locked: what the kernel says of the list is what it says of that.
    for index in [1, 3, 5, 7] { arena.give(runs[index], &recorder) }
    recorder.expect((try? arena.releaseFreeMemory()) != nil, "released, one by one")
    recorder.expectEqual(runs[1].residentBytes, 0, "resident of what is locked")
    calls.listCallCount.store(0, ordering: .relaxed)
    for index in [9, 11, 13, 15] { arena.give(runs[index], &recorder) }
    recorder.expect((try? arena.releaseFreeMemory()) != nil, "released, at once")
    recorder.expect(calls.listCallCount.load(ordering: .relaxed) > 0, "by a list")
    try? LinuxCalls().munlock(runs[1].address, 16 << 13)
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

/// Locks a run of 16 pages, as `mlockall` does behind the arena's back; and whether it goes back by
/// the advice for locked memory alone. A page of it is empty then.
private func locks(_ run: Run, _ recorder: inout Recorder) -> Bool {
  let kernel = LinuxCalls()
  do throws(Errno) {
    try kernel.mlock(run.address, 16 << 13)
    let part = run.part(15, 1)
    if (try? kernel.madvise(part.address, 8192, .dontNeed)) != nil {
      recorder.leaveOut("the kernel takes locked memory as any other")
      return false
    }
    try kernel.madvise(part.address, 8192, .dontNeedLocked)
    if !part.isZero {
      recorder.leaveOut("qemu-user takes the advice for locked memory, and ignores it")
      return false
    }
    return true
  } catch {
    recorder.leaveOut("no memory can be locked, or it cannot go back: Linux before 5.18")
    return false
  }
}
