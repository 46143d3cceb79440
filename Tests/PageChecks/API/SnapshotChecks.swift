import PageAlloc
import Synchronization

/// What an arena looks like.
package let snapshotChecks: [Check] = [
  Check("snapshot: every page is what it is, and they add up to the statistics") { recorder in
    guard let arena = makeArena(&recorder, caching: false) else { return }
    recorder.expectEqual(arena.snapshot().pageCount, 0, "before the first run")
    guard let short = arena.take(3, &recorder), let long = arena.take(900, &recorder),
      let guarded = arena.own(2, guarded: true, &recorder), let last = arena.take(5, &recorder)
    else { return }
    arena.give(long.part(100, 50), &recorder)
    var snapshot = arena.snapshot()
    func expect(_ run: Run, _ state: PageState, _ what: String) {
      let first = Int((run.address - snapshot.address) >> 13)
      for page in first..<first + run.pages {
        recorder.expect(snapshot[page] == state, "\(what), \(page): \(snapshot[page].name)")
      }
    }
    expect(short, .inUse, "a short run")
    expect(long.part(0, 100), .inUse, "before the hole")
    expect(long.part(100, 50), .free, "the hole")
    expect(long.part(150, 750), .inUse, "behind it")
    expect(last, .inUse, "the last")
    let page = Int((guarded.address - snapshot.address) >> 13)
    recorder.expect(snapshot[page] == .inUse && snapshot[page + 1] == .inUse, "guarded")
    recorder.expect(
      snapshot[page - 1] == .guardPage && snapshot[page + 2] == .guardPage, "its guards")
    recorder.expectEqual(snapshot.count(of: .neverUsed) % 512, 0, "what lies before it")
    expectSums(snapshot, arena, &recorder)
    recorder.expect((try? arena.releaseFreeMemory()) != nil, "released")
    snapshot = arena.snapshot()
    expect(long.part(100, 50), .empty, "the hole, given back")
    recorder.expectEqual(snapshot.count(of: .free), 0, "free with contents")
    recorder.expectEqual(
      snapshot.longestFreeRun, arena.statistics.largestCommittedRun, "the longest free run")
    expectSums(snapshot, arena, &recorder)
  },

  Check("snapshot: pages that were decommitted are in use, and cost nothing") { recorder in
    guard let arena = makeArena(&recorder, caching: false), var run = arena.own(1500, &recorder)
    else { return }
    do throws(PageArenaError) {
      try run.decommit(in: 100..<1300)
      try run.commit(in: 512..<516)
      var space = try arena.allocateRun(pages: 32, access: .none)
      try space.commit(in: 0..<8)
      var snapshot = arena.snapshot()
      let (first, second) = (snapshot.page(at: run.address), snapshot.page(at: space.address))
      for page in 0..<1500 {
        let isClosed = (100..<1300).contains(page) && !(512..<516).contains(page)
        recorder.expect(
          snapshot[first + page] == (isClosed ? .guardPage : .inUse), "page \(page) of the run")
      }
      for page in 0..<32 {
        recorder.expect(
          snapshot[second + page] == (page < 8 ? .inUse : .guardPage), "page \(page) of the space")
      }
      recorder.expectEqual(
        snapshot.count(of: .guardPage), Int(arena.statistics.inaccessibleBytes >> 13),
        "inaccessible")
      expectSums(snapshot, arena, &recorder)
      var found: [Int] = []
      arena.forEachRun { found.append($0.pages) }
      recorder.expect(found.sorted() == [32, 1500], "runs as a whole")
      run.deallocate()
      space.deallocate()
      snapshot = arena.snapshot()
      recorder.expectEqual(snapshot.count(of: .guardPage), 0, "at the end")
      expectSums(snapshot, arena, &recorder)
    } catch { recorder.fail(error.description) }
  },

  Check("snapshot: what a thread has at hand, and what is in quarantine") { recorder in
    for isChecked in [false, true] {
      let made = isChecked ? makeCheckedArena(&recorder) : makeArena(&recorder)
      guard let arena = made, let run = arena.take(4, &recorder) else { return }
      arena.give(run, &recorder)
      let snapshot = arena.snapshot()
      let first = Int((run.address - snapshot.address) >> 13)
      for page in first..<first + 4 {
        recorder.expect(snapshot[page] == .atHand, "\(page): \(snapshot[page].name)")
      }
      expectSums(snapshot, arena, &recorder)
    }
  },

  Check("snapshot: as text, stretch by stretch") { recorder in
    guard let arena = makeArena(&recorder, caching: false), let run = arena.take(7, &recorder)
    else { return }
    let snapshot = arena.snapshot()
    var pages = 0
    var stretches = 0
    var last: PageState?
    snapshot.forEachStretch { range, state in
      recorder.expectEqual(range.lowerBound, pages, "in order")
      recorder.expect(state != last, "two of a kind")
      for page in range { recorder.expect(snapshot[page] == state, "page \(page)") }
      pages = range.upperBound
      last = state
      stretches += 1
    }
    recorder.expectEqual(pages, snapshot.pageCount, "all pages")
    let text = snapshot.text
    recorder.expectEqual(text.utf8.count { $0 == 10 }, 1 + stretches, "lines")
    let start = "pagealloc-snapshot 1 pages \(pages) page-size 8192 base 0x"
    recorder.expect(text.utf8.starts(with: start.utf8), text)
    recorder.expectEqual(snapshot.count(of: .inUse), 7, "in use")
    arena.give(run, &recorder)
    recorder.expect(arena.snapshot().fragmentation <= 1, "fragmentation")
  },

  Check("snapshot: taken while four threads churn") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    var workers: [Churn] = []
    for seed: UInt64 in 1...4 { workers.append(Churn(arena, seed: seed)) }
    var looks = 0
    runThreads(
      workers,
      meanwhile: {
        while looks < 50 {
          let snapshot = arena.snapshot()
          let total = PageState.allCases.reduce(0) { $0 + snapshot.count(of: $1) }
          recorder.expectEqual(total, snapshot.pageCount, "pages of all states")
          recorder.expectEqual(snapshot.pageCount % 512, 0, "whole chunks")
          recorder.expect(
            snapshot.fragmentation >= 0 && snapshot.fragmentation <= 1, "fragmentation")
          looks += 1
        }
      }
    ) { $0.churn() }
    for worker in workers {
      recorder.expectEqual(worker.faults.load(ordering: .relaxed), 0, "faults in a thread")
    }
    let snapshot = arena.snapshot()
    recorder.expectEqual(snapshot.count(of: .inUse), 0, "in use at the end")
    expectSums(snapshot, arena, &recorder)
  },
]

extension PageSnapshot {
  /// The page that lies at an address.
  fileprivate func page(at address: UInt) -> Int { Int((address - self.address) >> 13) }
}

/// Where nobody else is at work, it is what the statistics say.
private func expectSums(
  _ snapshot: PageSnapshot, _ arena: PageArena, _ recorder: inout Recorder, line: UInt = #line
) {
  let statistics = arena.statistics
  let inUse = snapshot.count(of: .inUse) + snapshot.count(of: .guardPage)
  recorder.expectEqual(inUse, Int(statistics.inUseBytes >> 13), "in use", line: line)
  let free = snapshot.count(of: .free) + snapshot.count(of: .atHand)
  recorder.expectEqual(
    free, Int(statistics.freeMaybeResidentBytes >> 13), "free with contents", line: line)
  recorder.expectEqual(
    snapshot.count(of: .empty), Int(statistics.scavengedBytes >> 13), "empty", line: line)
  let ready = snapshot.pageCount - snapshot.count(of: .neverUsed)
  recorder.expectEqual(ready, Int(statistics.readyBytes >> 13), "committed", line: line)
}
