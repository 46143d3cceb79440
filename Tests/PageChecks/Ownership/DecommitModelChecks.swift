import PageAlloc

/// Runs of which random parts come and go.
package let decommitModelChecks: [Check] = [
  Check("decommit: random parts of random runs, against a model") { recorder in
    for seed in UInt64(1)...6 {
      let limit = PageArena.MemoryLimit.bytes(hard: 600 * 8192)
      guard let arena = makeArena(&recorder, caching: seed % 2 == 0, limit: limit),
        recorder.isGood
      else { return }
      recorder.context = "seed \(seed)"
      var model = DecommitModel(arena, seed: seed)
      for step in 0..<400 where recorder.isGood {
        recorder.context = "seed \(seed), step \(step)"
        model.step(&recorder)
      }
      model.end(&recorder)
      arena.expectPages(inUse: 0, inaccessible: 0, &recorder)
    }
  }
]

/// Runs, and what each of their pages should hold.
private struct DecommitModel: ~Copyable {
  private let arena: PageArena
  private var random: SplitMix64
  private var runs = RunList(capacity: 12)
  /// Of each page the word that it starts with; `nil` where it is decommitted.
  private var words: [[UInt64?]] = []
  private var last: UInt64 = 0

  init(_ arena: PageArena, seed: UInt64) {
    self.arena = arena
    random = SplitMix64(seed: seed)
  }

  mutating func step(_ recorder: inout Recorder) {
    if words.count < 3 || random.below(6) == 0 && words.count < 11 { return take(&recorder) }
    let index = random.below(words.count)
    var run = runs.swapRemove(index)
    let end = words.count - 1
    words.swapAt(index, end)
    guard var pages = words.popLast() else { return }
    let start = random.below(pages.count)
    let range = start..<(start + 1 + random.below(pages.count - start))
    let isAllMemory = !pages.contains { $0 == nil }
    var error: PageArenaError?
    do throws(PageArenaError) {
      switch random.below(12) {
      case 0...3:
        try run.decommit(in: range)
        for page in range { pages[page] = nil }
      case 4...6:
        try run.commit(in: range)
        for page in range where pages[page] == nil { pages[page] = 0 }
      case 7:
        try run.protect(.readWrite, in: range)
        for page in range where pages[page] == nil { pages[page] = 0 }
      case 8:
        try run.discard(in: range)
        for page in range where pages[page] != nil { pages[page] = 0 }
      case 9 where pages.count > 1 && words.count < 10:
        let cut = 1 + random.below(pages.count - 1)
        let halves = run.split(at: cut)
        run = halves.lower
        if random.below(2) == 0 {
          keep(halves.upper, Array(pages[cut...]))
          pages.removeLast(pages.count - cut)
        } else if let rest = run.join(halves.upper) {
          // One was inaccessible as a whole, and is not alike.
          keep(rest, Array(pages[cut...]))
          pages.removeLast(pages.count - cut)
        }
      case 10:
        let more = pages.count + 1 + random.below(20)
        if run.grow(to: more, zeroed: true) {
          while pages.count < more { pages.append(0) }
        }
      default:
        if isAllMemory, random.below(2) == 0 {
          recorder.expectEqual(run.committedByteCount, run.byteCount, "all of it is memory")
        }
        run.deallocate()
        return expectFigures(&recorder)
      }
    } catch let refusal { error = refusal }
    if let error {
      guard case .limitReached = error else { return recorder.fail(error.description) }
    }
    for page in pages.indices where pages[page] != nil && random.below(4) == 0 {
      last += 1
      var all = run.mutableElements(of: UInt64.self)
      all[page * 1024] = last
      pages[page] = last
    }
    keep(run, pages, &recorder)
  }

  private mutating func take(_ recorder: inout Recorder) {
    let count = 1 + random.below(100)
    do throws(PageArenaError) {
      if random.below(3) == 0 {
        let run = try arena.allocateRun(pages: count, access: .none)
        keep(run, Array(repeating: nil, count: count))
      } else {
        let run = try arena.allocateRun(pages: count, zeroed: true)
        keep(run, Array(repeating: 0, count: count))
      }
    } catch {
      guard case .limitReached = error else { return recorder.fail(error.description) }
    }
    expectFigures(&recorder)
  }

  private mutating func keep(_ run: consuming PageRun, _ pages: [UInt64?]) {
    runs.append(run)
    words.append(pages)
  }

  /// Looks at a run, and keeps it.
  private mutating func keep(
    _ run: consuming PageRun, _ pages: [UInt64?], _ recorder: inout Recorder
  ) {
    recorder.expectEqual(run.pages, pages.count, "pages")
    let run = run
    for page in pages.indices {
      if let word = pages[page] {
        if run.firstWord(page) != word { recorder.fail("page \(page) of \(pages.count)") }
      } else if page % 8 == 0, run.isReadable(page) {
        recorder.fail("page \(page) can be read")
      }
    }
    let memory = pages.count { $0 != nil }
    recorder.expectEqual(run.committedByteCount, memory * 8192, "committed")
    keep(run, pages)
    expectFigures(&recorder)
  }

  private func expectFigures(_ recorder: inout Recorder) {
    var (inUse, inaccessible) = (0, 0)
    for pages in words {
      inUse += pages.count
      inaccessible += pages.count { $0 == nil }
    }
    arena.expectPages(inUse: UInt64(inUse), inaccessible: UInt64(inaccessible), &recorder)
  }

  mutating func end(_ recorder: inout Recorder) {
    runs.removeAll()
    words = []
  }
}
