import PageAlloc

/// The end of an arena whose owners come and go by the threads' caches.
package let lastRunChecks: [Check] = [
  Check("run: owners at hand are counted when the arena goes first") { recorder in
    for pages in [1, 64, 127, 128] {
      recorder.context = "\(pages) pages"
      let calls = FakeCalls()
      var first: PageRun?
      var second: PageRun?
      do {
        guard let arena = makeArena(&recorder, calls: calls) else { return }
        // The second time they come out of the cache, and the third.
        for _ in 0..<3 {
          first = nil
          second = nil
          first = arena.own(pages, &recorder)
          second = arena.own(pages, &recorder)
        }
        recorder.expectEqual(arena.statistics.inUseBytes, UInt64(2 * pages) * 8192, "in use")
        recorder.expect(arena.brokenInvariant() == nil, "invariants")
      }
      if var run = first.take() {
        run.stamp(6)
        recorder.expect(run.isStamped(6, pages: pages), "contents of the first")
        // In an arena that went, a run is taken and another given back.
        recorder.succeeds("resize") { () throws(PageArenaError) in try run.resize(to: 300) }
        recorder.expect(run.isStamped(6, pages: pages), "contents when resized")
      }
      recorder.expect(calls.mappedByteCount.load(ordering: .relaxed) > 0, "mapped with the second")
      if var run = second.take() { run.stamp(7) }
      recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "mapped at the end")
    }
  },

  Check("run: an arena goes while threads drop its runs, with barriers in them and without") {
    recorder in
    for round in 0..<24 where recorder.isGood {
      let calls = FakeCalls()
      calls.hasBarriers.store(round % 3 != 0, ordering: .relaxed)
      var droppers: [Dropper] = []
      do {
        guard let arena = makeArena(&recorder, calls: calls) else { return }
        for _ in 0..<4 { droppers.append(Dropper(arena)) }
      }
      runThreads(droppers) { $0.run() }
      var faults = 0
      for dropper in droppers { faults += dropper.faults }
      recorder.expectEqual(faults, 0, "faults")
      recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "mapped at the end")
    }
  },
]

/// A thread that takes runs, lets go of the arena, and drops the runs.
private final class Dropper: @unchecked Sendable {
  // @unchecked: one thread's, and the check's when that has ended.
  private var arena: PageArena?
  var faults = 0

  init(_ arena: PageArena) { self.arena = arena }

  func run() {
    var runs = RunList(capacity: 64)
    for round in 0..<40 {
      while !runs.isFull {
        guard let arena, var run = try? arena.allocateRun(pages: 1 + (runs.count + round) % 9)
        else {
          faults += 1
          return
        }
        run.stamp(UInt64(runs.count))
        runs.append(run)
      }
      // The first to let go does so early, the last ends the arena, or leaves that to a run.
      let rest = round == 39 ? 0 : 16
      if round == 39 { arena = nil }
      while runs.count > rest {
        let run = runs.swapRemove(runs.count - 1)
        if !run.isStamped(UInt64(runs.count), pages: run.pages) { faults += 1 }
      }
    }
  }
}
