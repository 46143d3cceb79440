import CSysMem
import PageAlloc
import SysMem

/// How free memory leaves: many ranges a call, and what the kernel refuses stays.
package let returnBatchChecks: [Check] = [
  Check("batch: a hundred holes go by two calls") { recorder in
    let calls = FakeCalls()
    guard let (arena, run) = holes(100, calls, &recorder) else { return }
    recorder.expectEqual((try? arena.releaseFreeMemory()) ?? -1, 100 * 8192, "given back")
    recorder.expectEqual(calls.listCallCount.load(ordering: .relaxed), 2, "calls of many ranges")
    recorder.expectEqual(calls.adviceCallCount.load(ordering: .relaxed), 0, "calls of one range")
    recorder.expectEqual(run.residentBytes, 101 * 8192, "resident")
  },

  Check("batch: without the call, or not allowed it, one range at a time") { recorder in
    for errno in [ENOSYS, EPERM, EINVAL, EMFILE] {
      recorder.context = "errno \(errno)"
      let calls = FakeCalls()
      calls.listErrno.store(errno, ordering: .relaxed)
      guard let (arena, run) = holes(100, calls, &recorder) else { return }
      recorder.expectEqual((try? arena.releaseFreeMemory()) ?? -1, 100 * 8192, "given back")
      recorder.expectEqual(calls.listCallCount.load(ordering: .relaxed), 1, "asked for once")
      recorder.expectEqual(calls.adviceCallCount.load(ordering: .relaxed), 100, "one by one")
      recorder.expectEqual(run.residentBytes, 101 * 8192, "resident")
    }
  },

  Check("batch: one refused range of many stays free, the others go") { recorder in
    let calls = FakeCalls()
    guard let (arena, run) = holes(100, calls, &recorder) else { return }
    calls.lockedAddress.store(run.part(81, 1).address, ordering: .relaxed)
    do throws(PageArenaError) {
      _ = try arena.releaseFreeMemory()
      recorder.fail("no error")
    } catch {
      switch error {
      case .system(let inner):
        recorder.expect(
          inner.errno == .invalidArgument && inner.address == run.part(81, 1).address,
          inner.description)
      default: recorder.fail(error.description)
      }
    }
    let statistics = arena.statistics
    recorder.expectEqual(statistics.returned.requestedBytes, 99 * 8192, "given back")
    recorder.expectEqual(statistics.returned.refusedBytes, 8192, "refused")
    recorder.expectEqual(statistics.freeMaybeResidentBytes, 8192, "free as before")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
    // It is found again, and handed out again.
    calls.lockedAddress.store(0, ordering: .relaxed)
    recorder.expectEqual((try? arena.releaseFreeMemory()) ?? -1, 8192, "given back later")
    recorder.expectEqual(run.residentBytes, 101 * 8192, "resident")
  },

  Check("batch: more refusals than there is room for end the pass, and lose nothing") { recorder in
    let calls = FakeCalls()
    guard let (arena, _) = holes(200, calls, &recorder) else { return }
    calls.refuse(.madvise)
    recorder.expect((try? arena.releaseFreeMemory()) == nil, "refused")
    recorder.expectEqual(arena.statistics.freeMaybeResidentBytes, 200 * 8192, "free as before")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
    calls.failNoMore()
    recorder.expectEqual((try? arena.releaseFreeMemory()) ?? -1, 200 * 8192, "given back later")
  },

  Check("batch: real calls of the kernel, one range and many") { recorder in
    guard let (arena, run) = holes(150, LinuxCalls(), &recorder) else { return }
    recorder.expectEqual((try? arena.scavenge(byteCount: 8192)) ?? -1, 8192, "one range")
    recorder.expectEqual((try? arena.releaseFreeMemory()) ?? -1, 149 * 8192, "many ranges")
    recorder.expectEqual(run.residentBytes, 151 * 8192, "resident")
    for page in 0..<301 where page % 2 == 0 {
      recorder.expect(run.part(page, 1).isStamped(UInt64(page)), "page \(page) lost its contents")
    }
  },

  Check("lazy: offered pages stay free, are counted apart, and can still be given back") {
    recorder in
    guard let (arena, run) = holes(100, LinuxCalls(), &recorder) else { return }
    let before = arena.statistics
    recorder.expectEqual((try? arena.releaseFreeMemoryLazily()) ?? -1, 100 * 8192, "offered")
    let after = arena.statistics
    recorder.expectEqual(
      after.freeMaybeResidentBytes, before.freeMaybeResidentBytes, "free and resident")
    recorder.expectEqual(after.scavengedBytes, before.scavengedBytes, "scavenged")
    recorder.expectEqual(after.returned.lazyBytes, 100 * 8192, "counted apart")
    recorder.expectEqual(after.returned.requestedBytes, 0, "counted as given back")
    // The kernel takes them only when it wants memory.
    recorder.expect(run.residentBytes > 101 * 8192, "offered, and taken at once")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
    guard let zeroed = arena.take(1, zeroed: true, &recorder) else { return }
    recorder.expect(zeroed.isZero, "zeroed is zero, whether the kernel took the page or not")
    arena.give(zeroed, &recorder)
    recorder.expectEqual((try? arena.releaseFreeMemory()) ?? -1, 100 * 8192, "given back")
    recorder.expectEqual(run.residentBytes, 101 * 8192, "resident")
  },
]

/// An arena with one long run, stamped, in which every other page is free.
func holes(
  _ count: Int, _ calls: any MemoryCalls, _ recorder: inout Recorder
) -> (PageArena, Run)? {
  guard let arena = makeArena(&recorder, calls: calls, caching: false),
    let run = arena.take(2 * count + 1, &recorder)
  else { return nil }
  for page in 0..<run.pages { run.part(page, 1).stamp(UInt64(page)) }
  for page in stride(from: 1, to: run.pages, by: 2) { arena.give(run.part(page, 1), &recorder) }
  return (arena, run)
}
