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
