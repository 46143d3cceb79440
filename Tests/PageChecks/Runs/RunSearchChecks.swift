import PageAlloc
import SysMem

/// The run table beside a list of runs.
package let runSearchChecks: [Check] = [
  Check("run table: the run that any page lies in, beside a list, as runs of all lengths change") {
    recorder in
    for seed in UInt64(1)...3 {
      recorder.context = "seed \(seed)"
      var model = RunTableModel(seed: seed)
      for _ in 0..<4_000 where recorder.isGood { model.step(&recorder) }
    }
  },

  Check("run table: pages freed off either end of the longest run") { recorder in
    let table = BareTable()
    let (first, count) = (512, 500_000)
    table.runs.setLength(first, count)
    var run = first..<(first + count)
    while run.count > 1, recorder.isGood {
      let isFront = run.count & 1 == 0
      // Fewer steps than pages, and each length near the shortest long one.
      let step = max(1, min(run.count / 40, run.count - 120))
      let rest =
        isFront
        ? (run.lowerBound + step)..<run.upperBound : run.lowerBound..<(run.upperBound - step)
      table.runs.cut(isFront ? run.lowerBound : rest.upperBound, step, outOf: run)
      run = rest
      expectRun(table, around: run.lowerBound, run, &recorder)
      expectRun(table, around: run.upperBound - 1, run, &recorder)
      expectRun(table, around: run.upperBound, nil, &recorder)
      expectRun(table, around: run.lowerBound - 1, nil, &recorder)
    }
  },

  Check("run table: a page at the end of a long run is found as soon as one at its front") {
    recorder in
    let table = BareTable()
    table.runs.setLength(512, 262_144)
    let start = Moment.now
    for offset in 0..<200 {
      expectRun(table, around: 512 + 262_143 - offset, 512..<262_656, &recorder)
    }
    // 5 µs each in a build without optimization; a walk from the end takes a thousand times that.
    let nanoseconds = Moment.now.elapsed(since: start)
    recorder.expect(nanoseconds < 200 * 100_000, "\(nanoseconds / 200) ns a page")
  },
]

private func expectRun(
  _ table: BareTable, around page: Int, _ expected: Range<Int>?, _ recorder: inout Recorder
) {
  let found = table.runs.run(around: page, lowest: 512)
  recorder.expect(
    found == expected,
    "page \(page): \(found?.lowerBound ?? -1) ..< \(found?.upperBound ?? -1), not "
      + "\(expected?.lowerBound ?? -1) ..< \(expected?.upperBound ?? -1)")
}

/// Runs that are taken, cut, put into a cache and taken out again.
private struct RunTableModel {
  private let table = BareTable()
  private var random: SplitMix64
  /// Where each page's run starts and ends; empty for pages that are nobody's. Page 512 is the
  /// first.
  private var owner = [Range<Int>](repeating: 0..<0, count: 8192)
  /// Runs that a cache holds.
  private var cached: [Range<Int>] = []

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  private mutating func below(_ bound: Int) -> Int {
    Int(truncatingIfNeeded: random.next() % UInt64(bound))
  }

  private mutating func set(_ pages: Range<Int>, _ run: Range<Int>) {
    for page in pages { owner[page - 512] = run }
  }

  private func isFree(_ run: Range<Int>) -> Bool {
    if cached.contains(where: { $0.overlaps(run) }) { return false }
    return run.allSatisfy { owner[$0 - 512].isEmpty }
  }

  mutating func step(_ recorder: inout Recorder) {
    let page = 512 + below(owner.count)
    let run = owner[page - 512]
    expectRun(table, around: page, run.isEmpty ? nil : run, &recorder)
    let choice = below(6)
    if run.isEmpty {
      let longest = choice < 2 ? 127 : choice < 4 ? 300 : 3000
      let new = page..<(page + 1 + below(longest))
      if new.upperBound <= 512 + owner.count, isFree(new) {
        table.runs.setLength(page, new.count)
        set(new, new)
      } else if let index = cached.indices.last, choice == 5 {
        takeOut(at: index)
      }
    } else if choice == 0 {
      // A cache takes it, and leaves what tells its length.
      table.runs.leave(run.lowerBound)
      set(run, 0..<0)
      cached.append(run)
    } else {
      let end = min(run.upperBound, page + 1 + below(choice < 3 ? 2 : 400))
      let start = choice == 5 ? run.lowerBound : page
      table.runs.cut(start, end - start, outOf: run)
      set(start..<end, 0..<0)
      set(run.lowerBound..<start, run.lowerBound..<start)
      set(end..<run.upperBound, end..<run.upperBound)
    }
  }

  /// The cache hands the run out again, or gives it back.
  private mutating func takeOut(at index: Int) {
    let run = cached.remove(at: index)
    if below(2) == 0 {
      table.runs.comeBack(run.lowerBound, run.count)
      set(run, run)
    } else {
      table.runs.forget(run.lowerBound, run.count)
    }
  }
}

extension RunTable {
  /// As the heap does it.
  fileprivate func cut(_ page: Int, _ count: Int, outOf run: Range<Int>) {
    clear(run.lowerBound)
    if page > run.lowerBound { setLength(run.lowerBound, page - run.lowerBound) }
    let end = page + count
    if end < run.upperBound { setLength(end, run.upperBound - end) }
  }

  /// A cache takes a run.
  fileprivate func leave(_ page: Int) { setByte(page, 0) }

  /// A cache hands a run out.
  fileprivate func comeBack(_ page: Int, _ count: Int) { setFirstByte(page, count) }
}
