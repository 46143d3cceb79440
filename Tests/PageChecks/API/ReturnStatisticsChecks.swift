import CSysMem
import PageAlloc
import SysMem
import PageTrace
import Synchronization

/// Figures, huge pages, and how they are told.
package let returnStatisticsChecks: [Check] = [
  Check("statistics: JSON and text") { recorder in
    guard let arena = makeArena(&recorder, byteCount: 64 << 20),
      let run = arena.take(640, &recorder)
    else { return }
    run.stamp(1)
    arena.give(run.part(0, 128), &recorder)
    _ = try? arena.releaseFreeMemory()
    let json = arena.statistics.json
    for part in [
      "{\"reservedBytes\":67108864,", "\"inUseBytes\":4194304,", "\"freeMaybeResidentBytes\":0,",
      "\"returned\":{\"backgroundBytes\":0,\"requestedBytes\":1048576,",
      "\"backgroundShareMillionths\":0}}",
    ] {
      recorder.expect(contains(json, part), "\(part) in \(json)")
    }
    let text = arena.statistics.description
    for part in ["in use      4.0 MiB of 8.0 MiB committed", "1.0 MiB on request"] {
      recorder.expect(contains(text, part), "\(part) in \(text)")
    }
    recorder.expect(!contains(text, "offered"), "nothing was offered: \(text)")
    recorder.expect(!contains(text, "inaccessible"), "nothing is inaccessible: \(text)")
    run.part(128, 256).stamp(1)
    arena.give(run.part(128, 256), &recorder)
    _ = try? arena.releaseFreeMemoryLazily()
    let offered = arena.statistics.description
    recorder.expect(contains(offered, "0.0 MiB refused, 2.0 MiB offered"), offered)
    guard let closed = try? arena.allocateRun(pages: 64, access: .none) else {
      return recorder.fail("no run without access")
    }
    let withClosed = arena.statistics.description
    let lines = "2.5 MiB of 8.0 MiB committed, 64.0 MiB reserved\n            0.5 MiB inaccessible"
    recorder.expect(contains(withClosed, lines), withClosed)
    recorder.expect(contains(arena.statistics.json, "\"inaccessibleBytes\":524288,"), "in JSON")
    closed.deallocate()
  },

  Check("statistics: add up while runs go from thread to thread") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    let handover = Handover(arena)
    // Caches that a reading passes on its way from the one thread's to the other's.
    var between: [IdleCache] = []
    runThreads(
      [handover, handover],
      meanwhile: {
        handover.waitFor(.isFreeing)
        for _ in 0..<100 { if let idle = IdleCache(arena) { between.append(idle) } }
        handover.stage.store(.isOpen, ordering: .releasing)
        repeat {
          expectSums(of: arena.statistics, &recorder)
        } while handover.isUnderWay && recorder.isGood
        handover.stop()
      }
    ) { handover in
      // The first to come frees, the other one allocates.
      if handover.comers.add(1, ordering: .relaxed).oldValue == 0 {
        handover.free()
      } else {
        handover.allocate()
      }
    }
    recorder.expectEqual(handover.faults.load(ordering: .relaxed), 0, "faults in a thread")
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use at the end")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("statistics: every reading takes any sum over the caches") { recorder in
    let clock = FakeClock()
    var options = PageArena.Options.stepped(clock)
    options.threadCacheByteCount = 16 << 20
    options.memoryLimit = .bytes(hard: 16 << 20)
    guard let arena = makeArena(&recorder, options), let live = arena.take(300, &recorder),
      let cached = arena.take(100, &recorder)
    else { return }
    arena.give(cached, &recorder)
    expectSums(of: arena.statistics, &recorder)
    recorder.expectEqual(arena.statistics.inUseBytes, 300 << 13, "in use")
    for wrong in [1 << 20, -1 << 20, 150, -150, 450, 301] {
      recorder.context = "\(wrong) pages"
      arena.misstateCaches(by: wrong)
      expectSums(of: arena.statistics, &recorder)
      // The scavenger, its mark included; the limit; and what a refusal tells.
      _ = arena.backgroundStep()
      guard case .limitReached(_, let inUse, _) = arena.errorOfTaking(4000) else {
        recorder.fail("no refusal, or another")
        return
      }
      recorder.expect(inUse <= arena.statistics.readyBytes, "\(inUse) in use in a refusal")
      if let run = arena.take(200, &recorder) { arena.give(run, &recorder) }
      arena.misstateCaches(by: -wrong)
      clock.sleep(2_000_000_000)
    }
    arena.give(live, &recorder)
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use at the end")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("statistics: what the kernel refuses to be offered is counted") { recorder in
    let calls = FakeCalls()
    guard let arena = makeArena(&recorder, calls: calls, byteCount: 64 << 20),
      let run = arena.take(256, &recorder)
    else { return }
    run.stamp(1)
    arena.give(run, &recorder)
    calls.refuse(.madvise)
    recorder.expect((try? arena.releaseFreeMemoryLazily()) == nil, "an error")
    recorder.expectEqual(arena.statistics.returned.refusedBytes, 256 * 8192, "refused")
    recorder.expectEqual(arena.statistics.returned.lazyBytes, 0, "offered")
    recorder.expectEqual(arena.statistics.freeMaybeResidentBytes, 256 * 8192, "free as before")
  },

  Check("system files: a real one is read, one that is not there is not") { recorder in
    var text = SmallText()
    recorder.expect(
      LinuxFiles().read(SmallText("/proc/self/statm"), into: &text), "/proc/self/statm")
    recorder.expect(text.number(at: 0) ?? 0 > 0, "it begins with the pages of address space")
    recorder.expect(!LinuxFiles().read(SmallText("/proc/self/none"), into: &text), "no such file")
    recorder.expect(!LinuxFiles().read(SmallText("/proc/self"), into: &text), "a directory")
    recorder.expectEqual(text.count, 0, "bytes of a file that could not be read")
  },

  Check("huge pages: collapse tells what the kernel refuses for good") { recorder in
    let calls = FakeCalls()
    guard let arena = makeArena(&recorder, calls: calls), let run = arena.take(1024, &recorder)
    else { return }
    run.stamp(1)
    calls.refuse(.madvise)
    recorder.expect((try? arena.collapse()) == nil, "an error")
    recorder.expect(run.isStamped(1), "contents")
  },

  Check("statistics: the parts add up at any moment, while others work") { recorder in
    guard let arena = makeArena(&recorder, scavenging: .background(cpuShare: 0.5)) else { return }
    let workers = [Churn(arena, seed: 1), Churn(arena, seed: 2), Churn(arena, seed: 3)]
    runThreads(workers) { worker in
      if worker.seed > 1 { return worker.churn() }
      for _ in 0..<20_000 {
        let s = worker.arena.statistics
        if s.inUseBytes + s.freeMaybeResidentBytes + s.scavengedBytes != s.readyBytes {
          worker.faults.add(1, ordering: .relaxed)
        }
      }
    }
    for worker in workers {
      recorder.expectEqual(worker.faults.load(ordering: .relaxed), 0, "faults")
    }
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("huge pages: the policy reaches the kernel, and a refusal only counts") { recorder in
    let calls = FakeCalls()
    var options = PageArena.Options(calls: calls)
    options.scavenging = .manual
    for policy: PageArena.HugePages in [.system, .automatic, .prefer, .avoid] {
      recorder.context = "policy \(policy.rawValue)"
      options.hugePages = policy
      calls.adviceCallCount.store(0, ordering: .relaxed)
      guard let arena = makeArena(&recorder, options), arena.take(1, &recorder) != nil
      else { return }
      recorder.expectEqual(
        calls.adviceCallCount.load(ordering: .relaxed),
        policy == .system || policy == .automatic ? 0 : 1, "advice")
      // Beyond the first 8 MiB, where a small program ends.
      _ = arena.take(1024, &recorder)
      calls.refuse(.madvise)
      _ = arena.take(1024, &recorder)
      recorder.expectEqual(
        arena.statistics.returned.refusedAdvice, policy == .system ? 0 : 1, "refused advice")
      calls.failNoMore()
    }
  },

  Check("huge pages: collapse gathers what is in use, and the figure shows it") { recorder in
    guard let arena = makeArena(&recorder, caching: false), let run = arena.take(1024, &recorder)
    else { return }
    run.stamp(5)
    recorder.expectEqual(arena.hugePageBytes() ?? 0, 0, "before")
    do throws(PageArenaError) {
      let gathered = try arena.collapse()
      // The kernel may have none to give; what it says it gave must be there.
      let backed = arena.hugePageBytes()
      if isEmulated {
        recorder.leaveOut("what is there: qemu-user takes the advice, and ignores it")
      } else {
        recorder.expect(
          backed == nil || UInt.bitWidth == 32 || Int(backed ?? 0) >= gathered,
          "\(gathered) gathered, \(backed ?? 0) backed")
      }
      recorder.expect(gathered <= 8 << 20, "gathered")
    } catch {
      switch error {
      // A kernel without the call.
      case .system(let inner): recorder.expect(inner.errno == .invalidArgument, inner.description)
      default: recorder.fail(error.description)
      }
    }
    recorder.expect(run.isStamped(5), "contents")
    // Free units are not gathered.
    arena.give(run, &recorder)
    _ = try? arena.releaseFreeMemory()
    recorder.expectEqual((try? arena.collapse()) ?? 0, 0, "nothing is in use")
    recorder.expectEqual(run.residentBytes, 0, "resident")
  },

  Check("huge pages: collapse leaves alone what nobody may access, and what holds nothing") {
    recorder in
    let calls = HookedCalls()
    guard let arena = makeArena(&recorder, calls: calls, caching: false) else { return }
    var gathered: [UInt] = []
    calls.setHook { call in
      if case .madvise(let address, .collapse) = call { gathered.append(address) }
    }
    do throws(PageArenaError) {
      // Two units of a huge page each.
      var written = try arena.ownUnits(2)
      var closed = try arena.ownUnits(2)
      var emptied = try arena.ownUnits(2)
      var closedAndEmptied = try arena.ownUnits(2)
      let closedAtFirst = try arena.allocateRun(pages: 512, alignment: 2 << 20, access: .none)
      try closed.protect(.none)
      try emptied.discard()
      try closedAndEmptied.protect(.none)
      try closedAndEmptied.discard()
      // One of which the second half alone is empty.
      var mixed = try arena.ownUnits(1)
      try mixed.protect(.none)
      let halves = mixed.split(at: 128)
      let full = halves.lower
      var empty = halves.upper
      try empty.discard()
      let before = arena.statistics.maybeResidentBytes
      // What the kernel is asked for is all that matters: it may not have the call, and may gather
      // some on its own.
      _ = try? arena.collapse()
      recorder.expect(!gathered.isEmpty, "something was gathered")
      for address in gathered {
        let place = Int(bitPattern: address &- written.address)
        recorder.expect(place == 0 || place == 2 << 20, "it was written to: unit at \(place)")
      }
      try closedAndEmptied.protect(.readWrite)
      try empty.protect(.readWrite)
      recorder.expectEqual(arena.statistics.maybeResidentBytes - before, 5 << 20, "opened")
      recorder.expect(closedAndEmptied.isZero() && empty.isZero(), "what was empty is zero")
      try closed.protect(.readOnly)
      recorder.expect(
        written.isStamped(1, pages: 512) && closed.isStamped(1, pages: 512), "contents")
      closedAtFirst.deallocate()
      full.deallocate()
    } catch { recorder.fail(error.description) }
    calls.setHook(nil)
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },
]
