import CDiagnosis
import CSysMem
import PageAlloc
import SysMem
import Synchronization

/// What happens to freed runs of a checked arena.
package let quarantineChecks: [Check] = [
  Check("checked: what was freed is out of reach, oldest out first, and comes back empty") {
    recorder in
    for markers in [true, false] {
      recorder.context = "markers \(markers)"
      let calls = FakeCalls()
      calls.hasGuardMarkers.store(markers, ordering: .relaxed)
      guard let arena = makeCheckedArena(&recorder, calls: calls, quarantineByteCount: 32 << 13)
      else { return }
      var runs: [Run] = []
      for index in 0..<12 {
        guard let run = arena.take(4, &recorder) else { return }
        run.stamp(UInt64(index))
        runs.append(run)
      }
      for index in 0..<8 { arena.give(runs[index], &recorder) }
      recorder.expectEqual(arena.statistics.quarantinedBytes, 32 << 13, "bytes withheld")
      for index in 0..<8 {
        let last = runs[index].address + (4 << 13) - 1
        recorder.expect(
          isOutOfReach(runs[index].address) && isOutOfReach(last), "run \(index) is out of reach")
      }
      recorder.expect(!isOutOfReach(runs[8].address), "a run in use is not")
      for index in 8..<10 { arena.give(runs[index], &recorder) }
      recorder.expectEqual(arena.statistics.quarantinedBytes, 32 << 13, "bytes withheld, still")
      if tools == 0 {
        for index in 0..<2 { recorder.expect(isReadable(runs[index].address), "\(index) is out") }
      }
      recorder.expect(isOutOfReach(runs[2].address), "2 is in")
      // The two that left lie side by side, and are zero without being cleared.
      guard let again = arena.take(8, zeroed: true, &recorder) else { return }
      recorder.expect(again == runs[0].part(0, 8), "their place is free")
      recorder.expect(again.isZero, "zero")
      arena.give(again, &recorder)
      for index in 10..<12 { arena.give(runs[index], &recorder) }
      recorder.expectEmpty(arena)
      recorder.expect(arena.emptyQuarantine() > 0, "something was in it")
      recorder.expectEmpty(arena)
    }
  },

  Check("checked: nothing fails for want of what is in quarantine") { recorder in
    guard
      let arena = makeCheckedArena(
        &recorder, quarantineByteCount: 1 << 30, byteCount: 64 << 20, limit: .bytes(hard: 32 << 20))
    else { return }
    // Half of the limit at a time, four times over.
    for round in 0..<8 {
      guard let run = arena.take(2048, &recorder) else { return }
      run.part(0, 8).stamp(UInt64(round))
      arena.give(run, &recorder)
    }
    recorder.succeeds("no limit") { () throws(PageArenaError) in try arena.setMemoryLimit(.none) }
    let most = 14 * 512
    for _ in 0..<4 {
      guard let run = arena.take(most, &recorder) else { return }
      arena.give(run, &recorder)
    }
    recorder.expectEmpty(arena)
  },

  Check("checked: nothing fails for want of what another thread takes out of quarantine") {
    recorder in
    let calls = HookedCalls()
    guard
      let arena = makeCheckedArena(
        &recorder, calls: calls, quarantineByteCount: 1 << 30, byteCount: 64 << 20,
        limit: .bytes(hard: 32 << 20)),
      let run = arena.take(4096, &recorder)
    else { return }
    arena.give(run, &recorder)
    let emptying = Emptying(of: arena, calls)
    var again: Run?
    runThreads(
      [emptying],
      meanwhile: {
        emptying.waitUntilInside()
        again = arena.take(2048, &recorder)
      }
    ) { $0.run() }
    calls.setHook(nil)
    if let again { arena.give(again, &recorder) }
    recorder.expectEmpty(arena)
  },

  Check("checked: a run that the kernel cannot fence waits in quarantine all the same") {
    recorder in
    let calls = FakeCalls(physicalPageSize: 65_536)
    guard let arena = makeCheckedArena(&recorder, calls: calls), let run = arena.take(3, &recorder)
    else { return }
    run.stamp(1)
    arena.give(run, &recorder)
    if tools == 0 { recorder.expect(run.isStamped(1), "not fenced") }
    recorder.expect(arena.diagnose(run.address)?.state == .quarantined, "in quarantine")
    guard let other = arena.take(3, zeroed: true, &recorder) else { return }
    recorder.expect(other != run, "not handed out")
    arena.give(other, &recorder)
    arena.emptyQuarantine()
    guard let again = arena.take(3, zeroed: true, &recorder) else { return }
    recorder.expect(again == run && again.isZero, "cleared")
    arena.give(again, &recorder)
    recorder.expectEqual(calls.misalignedCount.load(ordering: .relaxed), 0, "no page was cut")
    recorder.expectEmpty(arena)
  },

  Check("checked: with access rights for fences, there are never too many mappings") { recorder in
    let calls = FakeCalls()
    calls.hasGuardMarkers.store(false, ordering: .relaxed)
    guard let arena = makeCheckedArena(&recorder, calls: calls, quarantineByteCount: 1 << 30) else {
      return
    }
    let count = is32Bit ? 2_000 : 20_000
    for index in 0..<count {
      // Every other page stays, so that nothing joins.
      guard let run = arena.take(1, &recorder), arena.take(1, &recorder) != nil else { return }
      arena.give(run, &recorder)
      if index == 0 { recorder.expect(isOutOfReach(run.address), "the first is fenced") }
    }
    let broken = arena.brokenInvariant()
    recorder.expect(broken == nil, broken?.description ?? "")
    recorder.expectEqual(arena.leaks.pages, count, "pages in use")
    recorder.expectEqual(arena.emptyQuarantine(), count, "all come back")
  },

  Check("checked: AddressSanitizer and memcheck are told what may be accessed") { recorder in
    guard tools != 0 else {
      return recorder.leaveOut("the program runs under neither")
    }
    guard let arena = makeCheckedArena(&recorder), let run = arena.take(4, &recorder) else {
      return
    }
    recorder.expect(cdg_is_forbidden(tools, run.address) == 0, "in use")
    arena.give(run.part(2, 2), &recorder)
    recorder.expect(cdg_is_forbidden(tools, run.part(1, 1).address) == 0, "the rest is in use")
    recorder.expect(cdg_is_forbidden(tools, run.part(2, 1).address) != 0, "in quarantine")
    arena.emptyQuarantine()
    recorder.expect(cdg_is_forbidden(tools, run.part(3, 1).address) != 0, "free")
    guard let again = arena.take(2, zeroed: true, &recorder) else { return }
    recorder.expect(again == run.part(2, 2) && again.isZero, "in use again")
    recorder.expect(cdg_is_forbidden(tools, again.address) == 0, "and accessible")
    arena.give(again, &recorder)
    arena.give(run.part(0, 2), &recorder)
    recorder.expectEmpty(arena)
  },

  Check("checked: threads that free each other's runs") { recorder in
    guard let arena = makeCheckedArena(&recorder, quarantineByteCount: 2 << 20) else { return }
    let workers = (0..<4).map { Worker(arena: arena, seed: UInt64($0)) }
    runThreads(workers) { $0.run() }
    for worker in workers {
      recorder.expectEqual(worker.failures.load(ordering: .relaxed), 0, "failures of a thread")
    }
    recorder.expectEmpty(arena)
  },
]

/// Takes runs, writes to them, and frees them, all on a thread of its own.
private final class Worker: Sendable {
  let arena: PageArena
  let seed: UInt64
  let failures = Atomic<Int>(0)

  init(arena: PageArena, seed: UInt64) {
    self.arena = arena
    self.seed = seed
  }

  func run() {
    var random = SplitMix64(seed: seed)
    var held: [Run] = []
    for step in 0..<(UInt.bitWidth == 64 ? 3000 : 300) {
      if held.count < 16, let run = try? arena.run(1 + Int(random.next() % 20)) {
        run.stamp(seed << 32)
        held.append(run)
      } else {
        let run = held.swapRemoveRandom(&random)
        if !run.isStamped(seed << 32) { failures.add(1, ordering: .relaxed) }
        if arena.errorOfGiving(run) != nil { failures.add(1, ordering: .relaxed) }
      }
      if step % 64 == 0 { arena.emptyQuarantine(to: Int(random.next() % 128)) }
      if step % 256 == 0, arena.leaks.pages < 0 { failures.add(1, ordering: .relaxed) }
    }
    for run in held where arena.errorOfGiving(run) != nil { failures.add(1, ordering: .relaxed) }
  }
}

/// A thread that empties the quarantine, and has the first run in its hands for 20 ms.
private final class Emptying: Sendable {
  private let arena: PageArena
  private let isInside = Atomic<Bool>(false)

  init(of arena: PageArena, _ calls: HookedCalls) {
    self.arena = arena
    calls.setHook { call in
      // Without markers, which these calls have not, that ends a run's time there.
      if call != .replace { return }
      self.isInside.store(true, ordering: .releasing)
      usleep(20_000)
    }
  }

  func run() { arena.emptyQuarantine() }

  func waitUntilInside() { while !isInside.load(ordering: .acquiring) { sched_yield() } }
}

extension Array {
  fileprivate mutating func swapRemoveRandom(_ random: inout SplitMix64) -> Element {
    swapAt(Int(random.next() % UInt64(count)), count - 1)
    return removeLast()
  }
}
