import PageAlloc
import Synchronization
import SysMem

/// Huge pages for what an arena grows by, where they come quickly.
package let hugeGrowthChecks: [Check] = [
  Check("huge growth: beyond the first 8 MiB, and nothing is touched") { recorder in
    let calls = FakeCalls()
    guard let heap = Growing(calls, FakeClock(), &recorder) else { return }
    recorder.expect(calls.takeWishes() == [], "nothing of the first 8 MiB")
    guard let run = heap.grow(&recorder) else { return }
    recorder.expect(calls.takeWishes() == [heap.wish(run, 0, 4, true)], "all of the next chunk")
    recorder.expectEqual(run.residentBytes, 0, "resident")
  },

  Check("huge growth: where the kernel makes many wait, not the next 4, 16, 64 MiB") { recorder in
    let calls = FakeCalls()
    let events = StallingKernel()
    guard let heap = Growing(calls, FakeClock(), files: events, &recorder) else { return }
    // What came to the counters before each look, and the growths without that follow it. Each
    // growth is of 32 MiB, so that a look is due with every second one that asks.
    for (stalls, pause) in [(9, 0), (9, 1), (9, 1), (9, 2), (8, 0), (9, 1)] as [(UInt64, Int)] {
      events.allocated.add(32, ordering: .relaxed)
      events.stalls.add(stalls, ordering: .relaxed)
      for _ in 0..<2 {
        recorder.expectEqual(events.looks.load(ordering: .relaxed), 0, "looks, yet")
        guard let run = heap.arena.take(8 * 512, &recorder) else { return }
        recorder.expect(calls.takeWishes() == [heap.wish(run, 0, 32, true)], "asked for")
        _ = heap.arena.backgroundStep()
      }
      recorder.expectEqual(events.looks.exchange(0, ordering: .relaxed), 1, "looks")
      for _ in 0..<pause { _ = heap.arena.take(8 * 512, &recorder) }
      recorder.expect(calls.takeWishes() == [], "not asked for")
    }
  },

  Check("huge growth: the thread looks at the kernel's counters, and gives nothing back for it") {
    recorder in
    let events = StallingKernel()
    var options = PageArena.Options()
    options.calls = FakeCalls()
    options.files = events
    options.threadCacheByteCount = 0
    guard let arena = makeArena(&recorder, options) else { return }
    for _ in 0..<20 { guard arena.take(512, &recorder) != nil else { return } }
    let isSeen = wait(30) { events.looks.load(ordering: .relaxed) > 0 }
    recorder.expect(isSeen, "looked")
    let isParked = wait(30) { arena.scavengerThread.isParked }
    recorder.expect(isParked, "parked")
    recorder.expectEqual(arena.statistics.returned.backgroundBytes, 0, "given back")
  },

  Check("huge growth: an arena that is large has more made accessible than it grows by") {
    recorder in
    let calls = FakeCalls()
    guard let heap = Growing(calls, FakeClock(), &recorder) else { return }
    let start = heap.first.address
    // How many chunks a run takes, and which ones become accessible for it.
    let steps: [(taken: Int, from: Int, to: Int)] = [
      (13, 2, 15), (1, 15, 16), (1, 16, 18), (1, 18, 18), (1, 18, 20), (61, 20, 80), (1, 80, 88),
      (7, 88, 88),
      // 12 MiB are all that the kernel has: what is needed, not 32 MiB.
      (2, 88, 90), (1, 90, 91),
    ]
    for step in steps {
      if step.from == 88, step.taken == 2 {
        calls.committableBytes.store(12 << 20, ordering: .relaxed)
      }
      guard heap.arena.take(512 * step.taken, &recorder) != nil else { return }
      let memory = AdvisedRange(
        address: start + UInt(step.from) << 22, byteCount: UInt(step.to - step.from) << 22)
      let expected = step.from == step.to ? [] : [HugePageWish(memory, true)]
      recorder.expect(calls.takeWishes() == expected, "to \(step.to)")
    }
    recorder.expect(heap.arena.errorOfTaking(512) != nil, "nothing is left")
    recorder.expectEqual(heap.arena.statistics.readyBytes, 91 << 22, "grown")
    recorder.expect(heap.arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("huge growth: for a run that lies apart, to be aligned, and not before it") { recorder in
    let calls = FakeCalls()
    guard let heap = Growing(calls, FakeClock(), &recorder), let first = heap.grow(&recorder)
    else { return }
    var end = first.address + 4 << 20
    var apart = 0
    for (count, alignment) in [(4, 16 << 20), (4, 32 << 20), (8, 64 << 20), (4, 256 << 20)] {
      _ = calls.takeWishes()
      guard let run = heap.arena.take(128 * count, alignment: alignment, &recorder)
      else { return }
      let expected = [heap.wish(run, 0, UInt(count), true)]
      recorder.expect(calls.takeWishes() == expected, "at \(alignment >> 20) MiB")
      if run.address != end { apart += 1 }
      end = run.address + UInt(count) << 20
    }
    recorder.expect(apart > 0, "one of them lies apart")
  },

  Check("huge growth: what was advised against can be gathered all the same") { recorder in
    guard let heap = Growing(FakeCalls(), FakeClock(), &recorder), let run = heap.grow(&recorder)
    else { return }
    run.stamp(1)
    heap.arena.give(run.part(0, 100), &recorder)
    recorder.expect((try? heap.arena.releaseFreeMemory()) != nil, "given back")
    guard let again = heap.arena.take(100, &recorder) else { return }
    recorder.expectEqual(again.address, run.address, "the same place")
    again.stamp(1)
    guard LinuxCalls().hugePageSize == 2 << 20 else {
      return recorder.leaveOut("the kernel has no huge pages of 2 MiB")
    }
    do throws(PageArenaError) {
      // The kernel may have none to give.
      _ = try heap.arena.collapse()
    } catch {
      switch error {
      // A kernel without the call.
      case .system(let inner) where !hasCollapse(run):
        recorder.expect(inner.errno == .invalidArgument, inner.description)
      default: recorder.fail(error.description)
      }
    }
    recorder.expect(again.isStamped(1), "contents")
  },

  Check("huge growth: what cannot be gathered all the same is advised against as before") {
    recorder in
    let calls = HookedCalls()
    var options = PageArena.Options.stepped(FakeClock())
    options.calls = calls
    guard let arena = makeArena(&recorder, options), arena.take(1024, &recorder) != nil,
      let run = arena.take(1024, alignment: 4 << 20, &recorder)
    else { return }
    run.stamp(1)
    // The kernel has none just then; before, it said that the advice stands against it.
    var (advice, refusals) = ([MemoryAdvice](), 0)
    calls.setHook { call throws(Errno) in
      guard case .madvise(_, let told) = call else { return }
      advice.append(told)
      if told != .collapse { return }
      refusals += 1
      throw refusals % 2 == 1 ? .invalidArgument : .tryAgain
    }
    recorder.expectEqual((try? arena.collapse()) ?? -1, 0, "gathered")
    calls.setHook(nil)
    recorder.expect(refusals > 0 && advice.contains(.hugePage), "it was asked for")
    recorder.expectEqual(
      advice.count { $0 == .hugePage }, advice.count { $0 == .noHugePage }, "taken back each time")
    recorder.expect(run.isStamped(1), "contents")
  },

  Check("huge growth: little in many units goes back by few calls") { recorder in
    let calls = FakeCalls()
    guard let heap = Growing(calls, FakeClock(), &recorder) else { return }
    var runs: [Run] = []
    for _ in 0..<16 {
      guard let run = heap.grow(&recorder) else { return }
      runs.append(run)
    }
    for run in runs { heap.arena.give(run, &recorder) }
    recorder.expect((try? heap.arena.releaseFreeMemory()) != nil, "given back")
    // A page of each unit, and nothing else.
    var pages: [Run] = []
    for run in runs {
      for unit in 0..<2 {
        guard let page = heap.arena.take(1, alignment: 2 << 20, &recorder) else { return }
        recorder.expectEqual(page.address, run.part(unit * 256, 1).address, "a unit's first page")
        page.stamp(2)
        pages.append(page)
      }
    }
    for page in pages { heap.arena.give(page, &recorder) }
    _ = calls.takeGivenBack()
    let before = calls.listCallCount.load(ordering: .relaxed)
    recorder.expectEqual(
      (try? heap.arena.scavenge(byteCount: 32 << 13)) ?? 0, 32 << 13, "given back")
    recorder.expectEqual(calls.listCallCount.load(ordering: .relaxed) - before, 1, "calls")
    for range in calls.takeGivenBack() {
      recorder.expectEqual(range.byteCount, 2 << 20, "a unit at a time")
    }
  },

  Check("huge growth: none under a limit, and none any more when one is set") { recorder in
    let calls = FakeCalls()
    guard let heap = Growing(calls, FakeClock(), &recorder) else { return }
    guard let run = heap.grow(&recorder) else { return }
    _ = heap.grow(&recorder)
    _ = calls.takeWishes()
    recorder.succeeds("a limit") { () throws(PageArenaError) in
      try heap.arena.setMemoryLimit(.bytes(soft: 1 << 30))
    }
    recorder.expect(calls.takeWishes() == [heap.wish(run, 0, 8, false)], "not where they were")
    _ = heap.grow(&recorder)
    recorder.expect(calls.takeWishes() == [], "nor where it grows")
    recorder.succeeds("a limit that no arena can reach") { () throws(PageArenaError) in
      try heap.arena.setMemoryLimit(.bytes(soft: UInt64(1) << 32))
    }
    recorder.expect(calls.takeWishes() == [], "that is none: nothing is advised against")
    guard let later = heap.grow(&recorder) else { return }
    recorder.expect(calls.takeWishes() == [heap.wish(later, 0, 4, true)], "and growing asks")
  },

  Check("huge growth: a unit of which a part goes back is not filled again") { recorder in
    let calls = FakeCalls()
    guard let heap = Growing(calls, FakeClock(), &recorder) else { return }
    guard let run = heap.grow(&recorder) else { return }
    run.stamp(1)
    _ = calls.takeWishes()
    heap.arena.give(run.part(0, 100), &recorder)
    recorder.expect((try? heap.arena.releaseFreeMemory()) != nil, "given back")
    recorder.expect(calls.takeWishes() == [heap.wish(run, 0, 2, false)], "the first unit")
    heap.arena.give(run.part(256, 256), &recorder)
    recorder.expect((try? heap.arena.releaseFreeMemory()) != nil, "given back")
    recorder.expect(calls.takeWishes() == [], "a unit that went as a whole")
    recorder.expect(heap.arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("huge growth: what the kernel backs beyond what was touched goes back with it") {
    recorder in
    let calls = FakeCalls()
    guard let heap = Growing(calls, FakeClock(), &recorder) else { return }
    // One page of a new chunk is in use.
    guard let page = heap.arena.take(1, &recorder) else { return }
    page.stamp(1)
    guard LinuxCalls().hugePageSize == 2 << 20, heap.arena.hugePageBytes() == 2 << 20 else {
      return recorder.leaveOut("the kernel does not back the arena by huge pages of 2 MiB")
    }
    let unit = page.part(0, 256)
    recorder.expectEqual(unit.residentBytes, 2 << 20, "backed")
    let before = heap.arena.statistics
    heap.arena.give(page, &recorder)
    _ = calls.takeGivenBack()
    recorder.expectEqual((try? heap.arena.releaseFreeMemory()) ?? 0, 8192, "counted as given back")
    recorder.expect(
      calls.takeGivenBack() == [AdvisedRange(address: page.address, byteCount: 2 << 20)],
      "the kernel is told of the unit")
    recorder.expectEqual(unit.residentBytes, 0, "backed")
    let after = heap.arena.statistics
    recorder.expectEqual(after.scavengedBytes - before.scavengedBytes, 8192, "scavenged")
    recorder.expect(heap.arena.brokenInvariant() == nil, "the invariants hold")
  },
]

/// An arena without caches that has grown twice: 8 MiB, all in use.
private struct Growing {
  let arena: PageArena
  /// The first 4 MiB.
  let first: Run

  init?(
    _ calls: FakeCalls, _ clock: FakeClock, files: (any SystemFiles)? = nil,
    _ recorder: inout Recorder
  ) {
    var options = PageArena.Options.stepped(clock)
    options.calls = calls
    if let files { options.files = files }
    guard let arena = makeArena(&recorder, options), let first = arena.take(512, &recorder),
      arena.take(512, &recorder) != nil
    else { return nil }
    self.arena = arena
    self.first = first
  }

  /// Takes a chunk more.
  func grow(_ recorder: inout Recorder) -> Run? {
    arena.take(512, &recorder)
  }

  /// What is said about so many MiB from a place in a run on, in MiB.
  func wish(_ run: Run, _ start: UInt, _ count: UInt, _ areWelcome: Bool) -> HugePageWish {
    HugePageWish(
      AdvisedRange(address: run.address + start << 20, byteCount: count << 20), areWelcome)
  }
}

/// Whether the kernel has `MADV_COLLAPSE`, asked of memory that it has no reason to refuse.
private func hasCollapse(_ run: Run) -> Bool {
  (try? LinuxCalls().madvise(run.part(256, 256).address, 2 << 20, .collapse)) != nil
}

/// A kernel that tells how it came by huge pages, as a check wants it.
private final class StallingKernel: SystemFiles {
  let allocated = Atomic<UInt64>(0)
  let stalls = Atomic<UInt64>(0)
  /// How often somebody looked.
  let looks = Atomic<Int>(0)

  func read(_ path: borrowing SmallText, into text: inout SmallText) -> Bool { false }

  func hugePageEvents() -> HugePageEvents? {
    looks.add(1, ordering: .relaxed)
    var events = HugePageEvents()
    events.allocated = allocated.load(ordering: .relaxed)
    events.stalls = stalls.load(ordering: .relaxed)
    return events
  }
}
