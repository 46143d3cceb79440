import PageAlloc

// What changes an owner's run, with every kind of count. A column is a count:
//
//   Int.min, -1, 0, 1 | the run's less one, the run's, one more | limit, limit + 1, Int.max
//
//   -   it succeeds         =   it succeeds, with nothing changed        O   outOfMemory
//   C   badPageCount        T   it traps, by contract                    S   notPlain
//   x   `false`, with nothing changed

/// What changes the size of a run.
private enum Resizer: CaseIterable {
  case grow, growZeroed, resize, resizeZeroed, shrink, split

  /// What comes of it where the run is followed by another.
  var letters: String {
    switch self {
    case .grow, .growZeroed: "======xxxx"
    case .resize, .resizeZeroed: "CCC--=-OCC"
    case .shrink: "TTT--=TTTT"
    case .split: "TTT--TTTTT"
    }
  }

  /// The same of a run between guards.
  var guardedLetters: String {
    switch self {
    case .resize, .resizeZeroed: "CCC--=SSCC"
    default: letters
    }
  }
}

private func counts(_ pages: Int) -> [Int] {
  [.min, -1, 0, 1, pages - 1, pages, pages + 1, pageLimit, pageLimit + 1, .max]
}

/// Runs that change their size.
package let resizeSweepChecks: [Check] = [
  Check("sweep: sizes that are refused change nothing, others are had") { recorder in
    for mode in SweepMode.allCases {
      for resizer in Resizer.allCases {
        for isGuarded in [false, true] { sweepSizes(resizer, isGuarded, mode, &recorder) }
      }
    }
  }
]

/// What traps by contract: each in a child of its own, so alone.
package let sweepTrapChecks: [Check] = [
  Check("sweep: sizes that are outside of the contract trap") { recorder in
    if leavesOutFork(&recorder) { return }
    for resizer in [Resizer.shrink, .split] {
      for (index, pages) in counts(6).enumerated()
      where resizer.letter(index, isGuarded: false) == "T" {
        recorder.context = "\(resizer), \(pages) pages"
        let end = inHeardChild(&recorder) {
          var inChild = Recorder()
          guard let arena = makeSweepArena(.caching, &inChild), var run = arena.own(6, &inChild)
          else { return }
          _ = resizer.change(&run, to: pages)
        }
        recorder.expect(end.isTrap, "it ends with \(end.status)")
      }
    }
  },

  Check("sweep: a run that is freed behind its owner's back traps at its end") { recorder in
    if leavesOutFork(&recorder) { return }
    // All of it, its start, its end, and something in between.
    for (first, pages) in [(0, 6), (0, 1), (5, 1), (2, 2)] {
      recorder.context = "\(pages) pages from page \(first)"
      let end = inHeardChild(&recorder) {
        var inChild = Recorder()
        guard let arena = makeSweepArena(.caching, &inChild), let run = arena.own(6, &inChild),
          let memory = unsafe try? arena.bytes(at: run.offset), let base = memory.baseAddress
        else { return }
        let all = unsafe Run(base, pages: 6)
        // The free itself is fine: no type tells whose the run is.
        if arena.errorOfGiving(all.part(first, pages)) != nil { return }
        run.deallocate()
      }
      recorder.expect(end.isTrap, "it ends with \(end.status)")
      end.expect("a run was freed behind its owner's back", &recorder)
    }
  },
]

/// Asks for every size that does not trap.
private func sweepSizes(
  _ resizer: Resizer, _ isGuarded: Bool, _ mode: SweepMode, _ recorder: inout Recorder
) {
  for (index, pages) in counts(6).enumerated()
  where resizer.letter(index, isGuarded: isGuarded) != "T" {
    recorder.context = "\(resizer), \(pages) pages, guarded: \(isGuarded), \(mode)"
    guard recorder.isGood, let arena = makeSweepArena(mode, &recorder),
      var run = arena.own(6, guarded: isGuarded, &recorder), let next = arena.take(1, &recorder)
    else { return }
    // Without a guard the next run follows, in whichever way it was got.
    if !isGuarded, next.address != run.address + 6 << 13 { fillNext(to: run, arena, &recorder) }
    run.stamp(9)
    arena.drainCaches()
    let before = (run.address, run.pages, arena.statistics)
    let end = resizer.change(&run, to: pages)
    let letter = resizer.letter(index, isGuarded: isGuarded)
    recorder.expect(
      end == ChangeEnd(letter, of: before.0, pages), end.error?.description ?? "no error")
    if letter == "-" {
      recorder.expectEqual(run.pages, pages, "pages of the run")
      recorder.expect(run.isStamped(9, pages: min(6, pages)), "contents")
    } else {
      recorder.expect(run.address == before.0 && run.pages == before.1, "the run is as it was")
      recorder.expect(run.isStamped(9, pages: 6), "contents")
      recorder.expect(arena.statistics.isAsBefore(before.2), "statistics")
    }
    let broken = arena.brokenInvariant()
    recorder.expect(broken == nil, broken?.description ?? "")
  }
}

/// Has a page taken right after a run, if it is free.
private func fillNext(to run: borrowing PageRun, _ arena: PageArena, _ recorder: inout Recorder) {
  for _ in 0..<64 {
    guard let page = arena.take(1, &recorder) else { return }
    if page.address == run.address + UInt(run.byteCount) { return }
  }
}

/// What came of a change.
private struct ChangeEnd: Equatable {
  var isDone = false
  var error: PageArenaError?

  init(isDone: Bool) { self.isDone = isDone }

  init(error: PageArenaError) {
    self.error = error
    // What there is instead depends on where the arena lies.
    if case .outOfMemory(let pages, _) = error {
      self.error = .outOfMemory(pages: pages, largestFreeRun: 0)
    }
  }

  /// What a letter stands for.
  init(_ letter: Unicode.Scalar, of address: UInt, _ pages: Int) {
    switch letter {
    case "-", "=": isDone = true
    case "C": error = .badPageCount(pages: pages, limit: pageLimit)
    case "O": error = .outOfMemory(pages: pages, largestFreeRun: 0)
    case "S": error = .notPlain(base: address)
    default: break
    }
  }
}

extension Resizer {
  fileprivate func letter(_ column: Int, isGuarded: Bool) -> Unicode.Scalar {
    PageChecks.letter(isGuarded ? guardedLetters : letters, column)
  }

  /// Changes the size of a run; the second half of one that is split goes.
  fileprivate func change(_ run: inout PageRun, to pages: Int) -> ChangeEnd {
    do throws(PageArenaError) {
      switch self {
      case .grow, .growZeroed:
        return ChangeEnd(isDone: run.grow(to: pages, zeroed: self == .growZeroed))
      case .resize, .resizeZeroed: try run.resize(to: pages, zeroed: self == .resizeZeroed)
      case .shrink: run.shrink(to: pages)
      case .split:
        let halves = run.split(at: pages)
        run = halves.lower
      }
      return ChangeEnd(isDone: true)
    } catch { return ChangeEnd(error: error) }
  }
}
