import PageAlloc

// What takes a run, with every kind of count and of alignment, in an arena of 64 MiB. A row is a
// count, a column an alignment:
//
//   Int.min, -1, 0, 1, 3 | 4 KiB, a page, 64 KiB | 64 MiB, 128 MiB | Int.max, Int.max / 2 + 1
//
// A letter is what comes of it:
//
//   -   it succeeds             A   badAlignment      O   outOfMemory
//   C   badPageCount            ?   it succeeds or is outOfMemory, as the arena happens to lie
//
// Where a run of writable code would be had or might be, the arena does not allow it:
//
//   W   writableCode            V   writableCode or outOfMemory

/// What takes runs.
private enum Taker: CaseIterable {
  case arena, zeroed, handle, owner, guarded
  // An owner's, of which it is said what they may be used for.
  case closed, readOnly, readWrite, executable, writableCode

  /// The most pages that it can be asked for.
  var limit: Int { self == .guarded ? pageLimit - 2 : pageLimit }

  /// What comes of it, by the letter in the table.
  func letter(_ letter: Unicode.Scalar) -> Unicode.Scalar {
    switch letter {
    case "-" where self == .writableCode: "W"
    case "?" where self == .writableCode: "V"
    default: letter
    }
  }

  /// What its runs may be used for, where that is said.
  var access: PageAccess? {
    switch self {
    case .arena, .zeroed, .handle, .owner, .guarded: nil
    case .closed: PageAccess.none
    case .readOnly: .readOnly
    case .readWrite: .readWrite
    case .executable: .readExecute
    case .writableCode: .readWriteExecute
    }
  }
}

/// The last is the largest power of two in an `Int`: an alignment where a word has 32 bits.
let sweepAlignments = [
  .min, -1, 0, 1, 3, 4096, 8192, 1 << 16, 64 << 20, 128 << 20, .max, .max / 2 + 1,
]

/// A count, and what comes of each alignment.
struct CountRow {
  /// The count, by the most that there may be.
  let pages: @Sendable (_ limit: Int) -> Int
  let letters: String
}

let countRows: [CountRow] = [
  CountRow(pages: { _ in .min }, letters: "CCCCCCCCCCCC"),
  CountRow(pages: { _ in -1 }, letters: "CCCCCCCCCCCC"),
  CountRow(pages: { _ in 0 }, letters: "CCCCCCCCCCCC"),
  CountRow(pages: { _ in 1 }, letters: "AAA-A---??A" + (growsByPieces ? "?" : "A")),
  CountRow(pages: { _ in 130 }, letters: "AAA-A---??A" + (growsByPieces ? "?" : "A")),
  CountRow(pages: { $0 }, letters: "AAAOAOOOOOA" + (growsByPieces ? "O" : "A")),
  CountRow(pages: { $0 + 1 }, letters: "CCCCCCCCCCCC"),
  CountRow(pages: { _ in .max }, letters: "CCCCCCCCCCCC"),
]

/// Runs of any length and alignment.
package let takeSweepChecks: [Check] = [
  Check("sweep: requests that are refused change nothing, others are met") { recorder in
    for mode in SweepMode.allCases { sweepTakes(mode, &recorder) }
  },
  Check("sweep: alignments that depend on where the arena lies") { recorder in
    for mode in SweepMode.allCases { sweepLargeAlignments(mode, &recorder) }
  },
]

/// Makes every request whose end is known.
private func sweepTakes(_ mode: SweepMode, _ recorder: inout Recorder) {
  guard let swept = SweepArena(mode, &recorder), let twin = SweepArena(mode, &recorder) else {
    return
  }
  withCache(of: swept.arena, &recorder) { cache, recorder throws(PageArenaError) in
    for taker in Taker.allCases {
      for row in countRows {
        for (index, inTable) in row.letters.unicodeScalars.enumerated() where inTable != "?" {
          let letter = taker.letter(inTable)
          let (pages, alignment) = (row.pages(taker.limit), sweepAlignments[index])
          recorder.context = "\(taker), \(pages) pages, alignment \(alignment), \(mode)"
          // What there is at hand goes back before the arena grows: not what this is about.
          if letter != "A" && letter != "C" { swept.stackHotRun() }
          let before = swept.arena.statistics
          let error = taker.take(pages, alignment, swept.arena, &cache, &recorder)
          expect(error, letter, pages, alignment, taker.limit, &recorder)
          if inTable == "-" { swept.stackHotRun() }
          expectSame(swept.arena.statistics, before, grown: inTable == "-", &recorder)
        }
        swept.expectSound(&recorder)
        if !recorder.isGood { return }
      }
    }
    // Only what was refused is to leave no trace: the other is brought where this one is.
    swept.stackHotRun()
    twin.stackHotRun()
    recorder.context = "\(mode)"
    try expectSamePattern(swept, &cache, twin, &recorder)
  }
}

/// Nothing has changed; where runs came and went, nothing but what the system has.
private func expectSame(
  _ after: PageArena.Statistics, _ before: PageArena.Statistics, grown: Bool,
  _ recorder: inout Recorder
) {
  if !grown { return recorder.expect(after.isAsBefore(before), "statistics") }
  recorder.expectEqual(after.inUseBytes, before.inUseBytes, "bytes in use")
  recorder.expectEqual(
    after.freeMaybeResidentBytes + after.scavengedBytes + after.inUseBytes, after.readyBytes,
    "the sum")
}

/// The error is the one that a letter stands for.
func expect(
  _ error: PageArenaError?, _ letter: Unicode.Scalar, _ pages: Int, _ alignment: Int,
  _ limit: Int, _ recorder: inout Recorder
) {
  switch (letter, error) {
  case ("-", nil), ("?", nil): recorder.expect(true, "a run")
  case ("?", .outOfMemory), ("O", .outOfMemory): recorder.expect(true, "none")
  case ("V", .outOfMemory): recorder.expect(true, "none")
  case ("V", .writableCode), ("W", .writableCode): recorder.expect(true, "not allowed")
  case ("C", let error):
    recorder.expect(
      error == .badPageCount(pages: pages, limit: limit), error?.description ?? "no error")
  case ("A", let error):
    recorder.expect(
      error == .badAlignment(alignment: alignment), error?.description ?? "no error")
  default: recorder.fail(error?.description ?? "no error")
  }
}

/// Asks for what may or may not be had, in an arena of its own.
private func sweepLargeAlignments(_ mode: SweepMode, _ recorder: inout Recorder) {
  for taker in Taker.allCases {
    for row in countRows {
      for (index, letter) in row.letters.unicodeScalars.enumerated() where letter == "?" {
        let (pages, alignment) = (row.pages(taker.limit), sweepAlignments[index])
        recorder.context = "\(taker), \(pages) pages, alignment \(alignment), \(mode)"
        guard let swept = SweepArena(mode, &recorder) else { return }
        withCache(of: swept.arena, &recorder) { cache, recorder in
          let before = swept.arena.settledStatistics.inUseBytes
          let error = taker.take(pages, alignment, swept.arena, &cache, &recorder)
          expect(error, taker.letter(letter), pages, alignment, taker.limit, &recorder)
          recorder.expectEqual(swept.arena.settledStatistics.inUseBytes, before, "bytes in use")
        }
        swept.expectSound(&recorder)
      }
    }
  }
}

extension Taker {
  /// Takes a run, looks at where it lies, and frees it.
  ///
  /// - Returns: why there is none.
  fileprivate func take(
    _ pages: Int, _ alignment: Int, _ arena: PageArena, _ cache: inout PageArena.Cache,
    _ recorder: inout Recorder
  ) -> PageArenaError? {
    do throws(PageArenaError) {
      switch self {
      case .arena, .zeroed:
        let run = try arena.run(pages, alignment: alignment, zeroed: self == .zeroed)
        recorder.expect(run.address % UInt(alignment) == 0, "it lies right")
        recorder.expect(self == .arena || run.isZero, "it reads as zero")
        run.stamp(1)
        arena.give(run, &recorder)
      case .handle:
        let run = try cache.run(pages, alignment: alignment)
        recorder.expect(run.address % UInt(alignment) == 0, "it lies right")
        run.stamp(2)
        recorder.expect(cache.errorOfGiving(run) == nil, "freed")
      case .owner:
        var run = try arena.allocateRun(pages: pages, alignment: alignment, zeroed: true)
        recorder.expect(run.address % UInt(alignment) == 0, "it lies right")
        recorder.expect(run.isZero(), "it reads as zero")
        run.stamp(3)
      case .guarded:
        var run = try arena.allocateGuardedRun(pages: pages, alignment: alignment)
        recorder.expect(run.address % UInt(alignment) == 0, "it lies right")
        run.stamp(4)
      case .closed, .readOnly, .readWrite, .executable, .writableCode:
        var run = try arena.allocateRun(
          pages: pages, alignment: alignment, access: access ?? .readWrite)
        recorder.expect(run.address % UInt(alignment) == 0, "it lies right")
        recorder.expectEqual(run.pages, pages, "pages")
        recorder.expect(isReadable(run.address) == (self != .closed), "whether it can be read")
        recorder.expect(self == .closed || run.isZero(), "it reads as zero")
        if self == .readWrite { run.stamp(5) }
      }
      return nil
    } catch { return error }
  }
}
