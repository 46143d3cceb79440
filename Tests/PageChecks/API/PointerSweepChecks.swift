import PageAlloc

// What has a bare address, of an arena and of a pool, at every kind of place and with every kind of
// count: the places and the counts of FreeSweepChecks. A letter is what comes of it:
//
//   -   it is done              x   `false`                   ?   either, or an error: not made
//   t   it is done, but where what was freed may be kept from everybody: either
//   C   badPageCount            F   foreign                   P   pastEndOfRun
//   M   misaligned              N   notInUse                  A   notAStart
//   n   notInUse, with the first page that is not             E   one of F, N and n
//
// A pool says of what lies in none of its arenas that it is foreign, whatever the count.

/// What comes of a call.
private enum CallEnd: Equatable {
  case done, refused, failed(PageArenaError)
}

/// Runs of any length and alignment.
package let pointerSweepChecks: [Check] = [
  Check("sweep: what has a bare address, refused, changes nothing in an arena") { recorder in
    for mode in SweepMode.allCases { sweepCalls(mode, inPool: false, &recorder) }
  },
  Check("sweep: what has a bare address, refused, changes nothing in a pool") { recorder in
    guard !leavesOutPoolSweep(&recorder) else { return }
    for mode in SweepMode.allCases { sweepCalls(mode, inPool: true, &recorder) }
  },
  Check("sweep: what has a bare address succeeds where it is to") { recorder in
    for mode in SweepMode.allCases {
      if isEmulated, mode != .caching { continue }
      sweepSuccesses(mode, inPool: false, &recorder)
    }
  },
  Check("sweep: what has a bare address of a pool succeeds where it is to") { recorder in
    guard !leavesOutPoolSweep(&recorder) else { return }
    for mode in SweepMode.allCases { sweepSuccesses(mode, inPool: true, &recorder) }
  },
]

private func leavesOutPoolSweep(_ recorder: inout Recorder) -> Bool {
  if is32Bit { recorder.leaveOut("a host of 32 bits has one arena") }
  return is32Bit || leavesOutPools(&recorder)
}

extension SweepArena {
  fileprivate var runs: [Run] { [short, long, last, across] }

  fileprivate func stamp() {
    for (index, run) in runs.enumerated() { run.stamp(UInt64(index) << 32) }
  }

  fileprivate func expectStamped(_ recorder: inout Recorder) {
    for (index, run) in runs.enumerated() {
      recorder.expect(run.isStamped(UInt64(index) << 32), "contents of run \(index)")
    }
  }

  /// Whose calls are made: the arena's or the pool's.
  fileprivate var memory: any PageMemory { pool ?? arena }

  /// Makes a call of the arena or the pool.
  fileprivate func end(_ call: PointerCall, _ run: Run) -> CallEnd {
    do throws(PageArenaError) {
      return try memory.make(call, run) ? .done : .refused
    } catch { return .failed(error) }
  }

  /// Whether the pool knows of a place that it is in none of its arenas.
  private func isElsewhere(_ place: Run) -> Bool {
    pool != nil && place.address &- arena.origin >= 1 << (UInt.bitWidth == 64 ? 32 : 31)
  }

  /// The letter of a call at a place, as it is in this arena.
  fileprivate func letter(
    _ call: PointerCall, _ row: FreeRow, _ column: Int, _ mode: SweepMode, _ place: Run
  ) -> Unicode.Scalar {
    if isElsewhere(place) { return "F" }
    let kind = PlaceKind(row)
    switch PageChecks.letter(call.letters(kind, row), column) {
    // What was freed may be in quarantine.
    case "t": return mode == .checked && kind == .free ? "?" : "-"
    // The other arena of the pool has as much.
    case "O" where pool != nil: return "?"
    case let letter: return letter
    }
  }
}

/// Whether an end is what a letter stands for.
private func isExpected(
  _ end: CallEnd, _ letter: Unicode.Scalar, _ run: Run, _ place: Run
) -> Bool {
  switch (letter, end) {
  case ("-", .done), ("=", .done), ("x", .refused): true
  case ("O", .failed(.outOfMemory(let pages, _))): pages == run.pages
  case ("A", .failed(let error)): error == .notAStart(base: run.address)
  case ("n", .failed(let error)): error == .notInUse(base: run.address, pages: 1)
  case ("E", .failed(.foreign)), ("E", .failed(.notInUse)): true
  case ("-", .failed), ("=", .failed), ("x", .failed), ("E", .failed): false
  case (_, .failed(let error)): error == freeError(letter, run, rest: place.pages)
  default: false
  }
}

extension CallEnd {
  fileprivate var text: String {
    switch self {
    case .done: "done"
    case .refused: "false"
    case .failed(let error): error.description
    }
  }
}

/// Makes every call that is to change nothing.
private func sweepCalls(_ mode: SweepMode, inPool: Bool, _ recorder: inout Recorder) {
  guard let swept = SweepArena(mode, inPool: inPool, &recorder),
    let twin = SweepArena(mode, inPool: inPool, &recorder)
  else { return }
  swept.stamp()
  // What takes pages at a place has all others give theirs back first.
  swept.arena.drainCaches()
  twin.arena.drainCaches()
  withCache(of: swept.arena, &recorder) { cache, recorder throws(PageArenaError) in
    let before = swept.statistics
    for row in freeRows {
      let place = row.place(swept)
      for call in PointerCall.allCases {
        for (column, pages) in freeCounts(place.pages).enumerated() {
          let letter = swept.letter(call, row, column, mode, place)
          if letter == "-" || letter == "?" { continue }
          recorder.context = "\(row.name), \(call), \(pages) pages, \(mode)"
          let run = place.part(0, pages)
          let end = swept.end(call, run)
          recorder.expect(isExpected(end, letter, run, place), end.text)
          recorder.expect(swept.statistics.isAsBefore(before), "statistics")
        }
      }
      expectKnown(row, place, swept, &recorder)
      recorder.expect(swept.statistics.isAsBefore(before), "statistics")
      swept.expectStamped(&recorder)
      swept.expectSound(&recorder)
      if !recorder.isGood { return }
    }
    recorder.context = "\(mode)"
    try expectSamePattern(swept, &cache, twin, &recorder)
  }
}

/// What is told of an address, and an owner for it.
private func expectKnown(
  _ row: FreeRow, _ place: Run, _ swept: SweepArena, _ recorder: inout Recorder
) {
  recorder.context = "\(row.name)"
  let first = Int((swept.guarded.address &- swept.arena.origin) >> 22) << 9
  let isGrown = (swept.page(first, 1).address..<swept.page(swept.end, 1).address)
    .contains(place.address)
  recorder.expect(swept.memory.holds(place.address) == isGrown, "whether it is the arena's")
  let run = swept.runs.first { place.address &- $0.address < UInt($0.pages) << 13 }
  let extent = swept.memory.extent(at: place.address)
  recorder.expect(
    extent?.address == run?.address && extent?.pages == run?.pages, "the run that it lies in")
  for (column, pages) in freeCounts(place.pages).enumerated() {
    let part = place.part(0, pages)
    let isElsewhere = swept.letter(.free, row, column, .bare, place) == "F"
    let expected = freeError(
      isElsewhere ? "F" : PageChecks.letter(row.adopts, column), part, rest: place.pages)
    do throws(PageArenaError) {
      let owner = try swept.memory.own(part)
      recorder.expect(expected == nil && owner.pages == pages, "adopted, \(pages) pages")
      recorder.expect(leak(owner, &recorder) == part, "the same run")
    } catch { recorder.expect(error == expected, "\(error.description), \(pages) pages") }
  }
}

/// Makes every call that is to succeed: what frees or resizes, in an arena of its own.
private func sweepSuccesses(_ mode: SweepMode, inPool: Bool, _ recorder: inout Recorder) {
  var shared: SweepArena?
  for row in freeRows {
    for call in PointerCall.allCases {
      for column in 0..<9 where recorder.isGood && (call.hasCount || column == 4) {
        guard let swept = shared ?? SweepArena(mode, inPool: inPool, &recorder) else { return }
        shared = swept
        let place = row.place(swept)
        if swept.letter(call, row, column, mode, place) != "-" { continue }
        recorder.context = "\(row.name), \(call), column \(column), \(mode)"
        swept.stamp()
        make(call, place.part(0, freeCounts(place.pages)[column]), place, swept, &recorder)
        swept.expectSound(&recorder)
        switch call {
        case .free, .freeDiscarding, .freeWhole, .freeRuns, .resize, .resizeZeroed: shared = nil
        // What it has freed again is in quarantine.
        case .takeAt where mode == .checked, .takeAtZeroed where mode == .checked: shared = nil
        default: break
        }
      }
    }
  }
}

/// Makes a call that is to succeed, and looks at what has become of the run.
private func make(
  _ call: PointerCall, _ run: Run, _ place: Run, _ swept: SweepArena, _ recorder: inout Recorder
) {
  let index = swept.runs.firstIndex { $0.address == place.address }
  let before = swept.arena.settledStatistics.inUseBytes
  let end = swept.end(call, run)
  if end != .done { return recorder.fail(end.text) }
  let after = swept.arena.settledStatistics.inUseBytes
  switch call {
  case .free, .freeDiscarding, .freeWhole, .freeRuns:
    recorder.expectEqual(before - after, UInt64(run.pages) << 13, "bytes freed")
    recorder.expect(swept.end(call, run) != .done, "freed twice")
    recorder.expectEqual(swept.arena.settledStatistics.inUseBytes, after, "bytes in use")
  case .takeAt, .takeAtZeroed:
    recorder.expectEqual(after - before, UInt64(run.pages) << 13, "bytes taken")
    recorder.expect(call == .takeAt || run.isZero, "it reads as zero")
    run.stamp(1)
    recorder.expect(swept.end(.free, run) == .done, "freed")
    swept.expectStamped(&recorder)
  case .discard, .discardLazily:
    recorder.expectEqual(after, before, "bytes in use")
    recorder.expect(call == .discardLazily || run.isZero, "it reads as zero")
    for other in swept.runs where other.address != place.address && !other.overlaps(place) {
      let number = swept.runs.firstIndex { $0 == other } ?? 0
      recorder.expect(other.isStamped(UInt64(number) << 32), "contents of run \(number)")
    }
  case .resize, .resizeZeroed:
    recorder.expectEqual(before - after, UInt64(place.pages - run.pages) << 13, "bytes freed")
    recorder.expect(run.isStamped(UInt64(index ?? 0) << 32), "contents")
    let extent = swept.memory.extent(at: run.address)
    recorder.expectEqual(extent?.pages ?? 0, run.pages, "pages")
  case .extend, .extendZeroed: break
  }
}

extension Run {
  fileprivate func overlaps(_ other: Run) -> Bool {
    address < other.address + UInt(other.pages) << 13 && other.address < address + UInt(pages) << 13
  }
}
