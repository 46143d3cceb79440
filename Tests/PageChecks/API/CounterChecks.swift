import PageAlloc
import Synchronization
import SysMem

/// What has happened in an arena: counted along with every call.
package let counterChecks: [Check] = [
  Check("counters: what owners count goes on beyond a word, and one too many is taken back") {
    recorder in
    // How far a count has come since the last reading, and what is new.
    let half = UInt64(UInt.max / 2)
    let steps: [(by: Int, new: UInt64)] = [
      (5, 5), (-1, 0), (0, 0), (2, 1), (.max, half), (-2, 0), (3, 1), (.min + 100, half + 101),
    ]
    let counted = CountedCalls()
    var (allocations, frees) = (0, 0)
    for step in steps {
      recorder.context = "a step of \(step.by)"
      allocations &+= step.by
      frees &+= step.by
      var new = CacheCalls()
      counted.take(allocations: allocations, frees: frees, addedTo: &new)
      recorder.expectEqual(new.allocations, step.new, "allocations")
      recorder.expectEqual(new.frees, step.new, "frees")
    }
    recorder.context = ""
    // Two caches, each with as many as a word holds.
    var sum = CacheCalls()
    for _ in 0..<2 {
      let one = CountedCalls()
      one.take(allocations: .max, frees: .max, addedTo: &sum)
    }
    recorder.expectEqual(sum.frees, 2 * half, "of both")
  },

  Check("counters: every way to take a run and to give one back") { recorder in
    for mode in CounterMode.allCases {
      recorder.context = mode.name
      guard let arena = makeArena(&recorder, mode.options) else { return }
      var expected = CallCount()
      var random = SplitMix64(seed: 25)
      var runs: [Run] = []
      for step in 0..<4000 {
        let pages = random.below(6) == 0 ? 100 + random.below(300) : random.logarithmic(6)
        switch random.below(8) {
        case 0...2:
          let alignment = 8192 << (random.below(3) == 0 ? random.below(6) : 0)
          guard let run = arena.take(pages, alignment: alignment, zeroed: step & 7 == 0, &recorder)
          else { return }
          runs.append(run)
          expected.allocations += 1
        case 3...5:
          if runs.isEmpty { continue }
          runs.swapAt(random.below(runs.count), runs.count - 1)
          let run = runs.removeLast()
          // In two parts, now and then.
          let first = random.below(9) == 0 ? run.pages / 2 : 0
          if first > 0 { arena.give(run.part(0, first), &recorder) }
          arena.give(run.part(first, run.pages - first), &recorder)
          expected.frees += first > 0 ? 2 : 1
        case 6:
          guard let run = arena.own(pages, guarded: step & 7 == 0, &recorder) else { return }
          expected.allocations += 1
          // It may be hot when the next one comes, or when all goes back.
          run.deallocate()
          expected.frees += 1
        default:
          if random.below(16) == 0 { _ = try? arena.releaseFreeMemory() }
        }
        expected.expect(arena, &recorder)
        if !recorder.isGood { return recorder.fail("after step \(step)") }
      }
      recorder.expect(arena.statistics.growths > 0, "growths")
      recorder.expectEqual(arena.statistics.refusals, 0, "refusals")
      recorder.expect(arena.brokenInvariant() == nil, "invariants")
    }
  },

  Check("counters: runs that change, and those at an address") { recorder in
    guard let arena = makeArena(&recorder), let first = arena.take(4, &recorder),
      var owned = arena.own(8, &recorder)
    else { return }
    var expected = CallCount(allocations: 2)
    expected.expect(arena, &recorder)
    recorder.expect(owned.grow(to: 400), "it grows where it lies")
    expected.expect(arena, &recorder)
    owned.shrink(to: 300)
    expected.frees += 1
    expected.expect(arena, &recorder)
    // There is something behind it now: it moves.
    guard let behind = arena.take(100, &recorder) else { return }
    recorder.expect((try? owned.resize(to: 3000)) == true, "moved")
    expected.allocations += 2
    expected.frees += 1
    expected.expect(arena, &recorder)
    arena.give(first, &recorder)
    _ = try? arena.releaseFreeMemory()
    let isTaken = unsafe try? arena.allocate(at: first.pointer, pages: 4)
    recorder.expect(isTaken == true, "at an address")
    expected.allocations += 1
    expected.frees += 1
    expected.expect(arena, &recorder)
    owned.deallocate()
    arena.give(behind, &recorder)
    recorder.succeeds("freed, with its contents") { () throws(PageArenaError) in
      unsafe try arena.deallocateDiscarding(first.pointer, pages: 4)
    }
    expected.frees += 3
    expected.expect(arena, &recorder)
  },

  Check("counters: pages at a place that a limit refuses were neither taken nor freed") {
    recorder in
    let calls = FakeCalls()
    guard
      let arena = makeArena(
        &recorder, calls: calls, caching: false, limit: .bytes(hard: 100 << 13)),
      let low = arena.take(40, &recorder), let wall = arena.take(10, &recorder),
      var run = arena.own(10, &recorder)
    else { return }
    arena.give(low, &recorder)
    var expected = CallCount(allocations: 3, frees: 1)
    // 60 pages more fit, where 20 of those that are free go back.
    calls.refuse(.madvise)
    recorder.expect(!run.grow(to: 70), "the kernel takes none of them")
    expected.expect(arena, &recorder)
    calls.failNoMore()
    recorder.expect(run.grow(to: 70), "it takes them")
    expected.expect(arena, &recorder)
    run.deallocate()
    arena.give(wall, &recorder)
    expected.frees += 2
    expected.expect(arena, &recorder)
  },

  Check("counters: refusals, by the limit and for want of memory") { recorder in
    guard
      let arena = makeArena(
        &recorder, byteCount: 64 << 20, limit: .bytes(hard: 32 << 20))
    else { return }
    recorder.expect(arena.errorOfTaking(5000) != nil, "beyond the limit")
    recorder.expectEqual(arena.statistics.refusals, 1, "by the limit")
    recorder.expectEqual(arena.statistics.returned.limitRefusals, 1, "by the limit, told apart")
    recorder.succeeds("no limit") { () throws(PageArenaError) in
      try arena.setMemoryLimit(.none)
    }
    recorder.expect(arena.errorOfTaking(20_000) != nil, "beyond the arena's end")
    recorder.expectEqual(arena.statistics.refusals, 2, "for want of memory")
    recorder.expectEqual(arena.statistics.allocations, 0, "none was handed out")
    recorder.expect(arena.errorOfTaking(0) != nil, "no pages")
    recorder.expectEqual(arena.statistics.refusals, 2, "what makes no sense is not counted")
    let calls = FakeCalls()
    guard let poor = makeArena(&recorder, calls: calls) else { return }
    calls.refuse(.mprotect)
    recorder.expect(poor.errorOfTaking(1) != nil, "no memory to be committed")
    recorder.expectEqual(poor.statistics.refusals, 1, "by the kernel")
    calls.failNoMore()
    recorder.expectEqual(poor.statistics.growths, 0, "growths")
    guard poor.take(1, &recorder) != nil else { return }
    recorder.expectEqual(poor.statistics.growths, 1, "growths")
  },

  Check("counters: forty handles, each asked in its turn") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    var handles: [CountedHandle] = []
    for _ in 0..<40 { if let handle = CountedHandle(arena) { handles.append(handle) } }
    recorder.expectEqual(handles.count, 40, "handles")
    for handle in handles { handle.pairs(25) }
    // Each reading asks 8 of them.
    var frees: UInt64 = 0
    for reading in 1...5 {
      let more = arena.statistics.frees - frees
      frees += more
      recorder.expect(more >= 25 * 7 && more <= 25 * 9, "\(more) frees by reading \(reading)")
    }
    let late = arena.statistics
    recorder.expectEqual(late.frees, 1000, "frees")
    recorder.expectEqual(late.allocations, 1000, "allocations")
    for handle in handles { handle.pairs(25) }
    handles = []
    // Each told what it had counted as it went, whoever reads.
    recorder.expectEqual(arena.statistics.frees, 2000, "frees, when the handles are gone")
    recorder.expectEqual(arena.statistics.allocations, 2000, "allocations, when they are gone")
  },

  Check("counters: a hundred handles, asked two at a time, and none that is gone") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    var handles: [CountedHandle] = []
    for _ in 0..<100 { if let handle = CountedHandle(arena) { handles.append(handle) } }
    for handle in handles { handle.pairs(25) }
    var frees: UInt64 = 0
    for reading in 1...50 {
      let more = arena.statistics.frees - frees
      frees += more
      recorder.expect(more >= 24 && more <= 52, "\(more) frees by reading \(reading)")
    }
    recorder.expectEqual(arena.statistics.frees, 2500, "frees")
    // One is left, and asked by each reading, whatever became of the others.
    handles.removeSubrange(1...)
    recorder.expectEqual(arena.statistics.frees, 2500, "frees, when the others are gone")
    for round: UInt64 in 1...5 {
      handles[0].pairs(10)
      recorder.expectEqual(arena.statistics.frees, 2500 + 10 * round, "frees, of one handle")
    }
    // Others come into the places of those.
    for _ in 0..<5 { if let handle = CountedHandle(arena) { handles.append(handle) } }
    for handle in handles { handle.pairs(10) }
    recorder.expectEqual(arena.statistics.frees, 2550 + 60, "frees, of six handles")
  },

  Check("counters: only go up while four threads churn, and end right") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    var workers: [Churn] = []
    for seed: UInt64 in 1...4 { workers.append(Churn(arena, seed: seed)) }
    var last = arena.statistics
    var looks = 0
    runThreads(
      workers,
      meanwhile: {
        while looks < 2000 {
          let now = arena.statistics
          recorder.expect(
            now.allocations >= last.allocations && now.frees >= last.frees, "it only goes up")
          last = now
          looks += 1
        }
      }
    ) { $0.churn() }
    let end = arena.statistics
    recorder.expectEqual(end.allocations, end.frees, "all that was taken was given back")
    recorder.expect(end.allocations > 2000, "\(end.allocations) runs")
  },
]

/// What was called.
private struct CallCount {
  var allocations: UInt64 = 0
  var frees: UInt64 = 0

  func expect(_ arena: PageArena, _ recorder: inout Recorder, line: UInt = #line) {
    let statistics = arena.statistics
    recorder.expectEqual(statistics.allocations, allocations, "allocations", line: line)
    recorder.expectEqual(statistics.frees, frees, "frees", line: line)
  }
}

/// The ways of an arena by which runs come and go.
private enum CounterMode: CaseIterable {
  case cached, uncached, checked, limited

  var name: String {
    switch self {
    case .cached: "by caches"
    case .uncached: "by the lock"
    case .checked: "in the checked mode"
    case .limited: "with small caches"
    }
  }

  var options: PageArena.Options {
    var options = PageArena.Options(calls: LinuxCalls())
    options.scavenging = .manual
    options.diagnosis = .off
    switch self {
    case .cached: break
    case .uncached: options.threadCacheByteCount = 0
    case .checked:
      options.diagnosis = .checked(quarantineByteCount: 1 << 20)
      options.reportsMistakes = false
    case .limited: options.threadCacheByteCount = 1 << 20
    }
    return options
  }
}

/// A handle in a list.
final class CountedHandle {
  private var cache: PageArena.Cache

  init?(_ arena: PageArena) {
    guard let cache = try? arena.makeCache() else { return nil }
    self.cache = cache
  }

  /// Takes a run and gives it back, so many times.
  func pairs(_ count: Int) {
    for _ in 0..<count {
      guard let run = try? cache.run(3) else { return }
      _ = cache.errorOfGiving(run)
    }
  }
}
