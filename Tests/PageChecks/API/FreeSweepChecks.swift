import PageAlloc

// What frees a run, or looks one up, at every kind of place and with every kind of count. A column
// is a count:
//
//   Int.min, -1, 0 | 1, what is left of the run from here on, one more | limit, limit + 1, Int.max
//
// A letter is what comes of it:
//
//   -   it succeeds             M   misaligned        N   notInUse
//   C   badPageCount            F   foreign           P   pastEndOfRun
//   L   badPageCount, whose limit is the run

/// A place, and what comes of each call there.
struct FreeRow {
  let name: StaticString
  /// By `deallocate`, of an arena and of a handle.
  let frees: String
  /// By `adopt`.
  let adopts: String
  /// Whether `bytes(at:)` finds a run there.
  var isStart = false
  /// The place, with the pages that are left of the run from there on.
  let place: @Sendable (SweepArena) -> Run
}

let freeRows: [FreeRow] = [
  FreeRow(name: "a short run", frees: "CCC--PFCC", adopts: "CCCL-PFCC", isStart: true) { $0.short },
  FreeRow(name: "inside of a short run", frees: "CCC--PFCC", adopts: "CCCNNPFCC") {
    $0.short.part(1, 3)
  },
  FreeRow(name: "the last page of a short run", frees: "CCC--PFCC", adopts: "CCCNNPFCC") {
    $0.short.part(3, 1)
  },
  FreeRow(name: "a long run", frees: "CCC--PFCC", adopts: "CCCL-PFCC", isStart: true) { $0.long },
  FreeRow(name: "where a long run's length stands", frees: "CCC--PFCC", adopts: "CCCNNPFCC") {
    $0.long.part(1, 199)
  },
  FreeRow(name: "the last page of a long run", frees: "CCC--PFCC", adopts: "CCCNNPFCC") {
    $0.long.part(199, 1)
  },
  FreeRow(name: "a run before a freed one", frees: "CCC--PFCC", adopts: "CCCL-PFCC", isStart: true)
  {
    $0.last
  },
  FreeRow(name: "a run over an edge", frees: "CCC--PFCC", adopts: "CCCL-PFCC", isStart: true) {
    $0.across
  },
  FreeRow(name: "the edge of a chunk, in a run", frees: "CCC--PFCC", adopts: "CCCNNPFCC") {
    $0.edge
  },
  FreeRow(name: "a freed run", frees: "CCCNNNFCC", adopts: "CCCNNNFCC") { $0.freed },
  FreeRow(name: "inside of a freed run", frees: "CCCNNNFCC", adopts: "CCCNNNFCC") {
    $0.freed.part(1, 2)
  },
  FreeRow(name: "a long run that was freed", frees: "CCCNNNFCC", adopts: "CCCNNNFCC") {
    $0.freedLong
  },
  FreeRow(name: "where a freed run's length stood", frees: "CCCNNNFCC", adopts: "CCCNNNFCC") {
    $0.freedLong.part(4, 146)
  },
  FreeRow(name: "the guard before a run", frees: "CCCNNNFCC", adopts: "CCCNNNFCC") {
    $0.at($0.guarded.address - 8192, 1)
  },
  FreeRow(name: "the guard after a run", frees: "CCCNNNFCC", adopts: "CCCNNNFCC") {
    $0.at($0.guarded.address + 6 * 8192, 1)
  },
  FreeRow(name: "the last page that was grown", frees: "CCCNNFFCC", adopts: "CCCNNFFCC") {
    $0.page($0.end - 1, 1)
  },
  FreeRow(name: "a chunk never grown", frees: "CCCFFFFCC", adopts: "CCCFFFFCC") {
    $0.page($0.end, 1)
  },
  FreeRow(name: "the chunk after that", frees: "CCCFFFFCC", adopts: "CCCFFFFCC") {
    $0.page($0.end + 512, 512)
  },
  FreeRow(name: "the first chunk of the space", frees: "CCCFFFFCC", adopts: "CCCFFFFCC") {
    $0.page(1, 8)
  },
  FreeRow(name: "the last page of the space", frees: "CCCFFFFCC", adopts: "CCCFFFFCC") {
    $0.page(524_287, 1)
  },
  // Where offsets are addresses nothing is below or above: these are pages of the space then.
  FreeRow(name: "below the space", frees: "CCCFFFFCC", adopts: "CCCFFFFCC") { $0.page(-1, 1) },
  FreeRow(name: "far below the space", frees: "CCCFFFFCC", adopts: "CCCFFFFCC") { $0.at(8192, 1) },
  FreeRow(name: "above the space", frees: "CCCFFFFCC", adopts: "CCCFFFFCC") { $0.page(524_289, 1) },
  FreeRow(name: "the end of all addresses", frees: "CCCFFFFCC", adopts: "CCCFFFFCC") {
    $0.at(UInt.max & ~8191, 1)
  },
  FreeRow(name: "a byte into a run", frees: "CCCMMMMCC", adopts: "CCCMMMMCC") {
    $0.at($0.short.address + 1, 4)
  },
  FreeRow(name: "half a page into a long run", frees: "CCCMMMMCC", adopts: "CCCMMMMCC") {
    $0.at($0.long.address + 4096, 200)
  },
  FreeRow(name: "the last byte of a run's page", frees: "CCCMMMMCC", adopts: "CCCMMMMCC") {
    $0.at($0.across.address + 8191, 400)
  },
  FreeRow(name: "a byte into a chunk never grown", frees: "CCCMMMMCC", adopts: "CCCMMMMCC") {
    $0.at($0.page($0.end, 1).address + 1, 1)
  },
]

/// Frees, and what finds runs, anywhere and of any length.
package let freeSweepChecks: [Check] = [
  Check("sweep: frees that are refused change nothing") { recorder in
    for mode in SweepMode.allCases { sweepRefusedFrees(mode, &recorder) }
  },
  Check("sweep: frees that succeed, of whole runs and of parts") { recorder in
    for mode in SweepMode.allCases {
      for row in freeRows {
        for column in 0..<9 where letter(row.frees, column) == "-" {
          if recorder.isGood { freeInVain(row, column, mode, &recorder) }
        }
      }
    }
  },
  Check("sweep: what becomes an owner's, and what an offset stands for") { recorder in
    for mode in SweepMode.allCases { sweepLookups(mode, &recorder) }
  },
  Check("sweep: any count at what tells a long run's length") { recorder in
    for mode in SweepMode.allCases { sweepDigits(mode, &recorder) }
  },
]

/// The counts of a row's columns.
func freeCounts(_ rest: Int) -> [Int] {
  [.min, -1, 0, 1, rest, rest + 1, pageLimit, pageLimit + 1, .max]
}

/// The error that a letter stands for; `nil` where there is none.
func freeError(_ letter: Unicode.Scalar, _ run: Run, rest: Int) -> PageArenaError? {
  switch letter {
  case "-": nil
  case "C": .badPageCount(pages: run.pages, limit: pageLimit)
  case "L": .badPageCount(pages: run.pages, limit: rest)
  case "M": .misaligned(base: run.address)
  case "F": .foreign(base: run.address)
  case "N": .notInUse(base: run.address, pages: run.pages)
  case "P": .pastEndOfRun(base: run.address, pages: run.pages)
  default: .badScavenging
  }
}

/// Makes every free of the table that is refused.
private func sweepRefusedFrees(_ mode: SweepMode, _ recorder: inout Recorder) {
  guard let swept = SweepArena(mode, &recorder), let twin = SweepArena(mode, &recorder) else {
    return
  }
  withCache(of: swept.arena, &recorder) { cache, recorder throws(PageArenaError) in
    let before = swept.arena.statistics
    for row in freeRows {
      let place = row.place(swept)
      let counts = freeCounts(place.pages)
      for column in 0..<9 where letter(row.frees, column) != "-" {
        recorder.context = "\(row.name), \(counts[column]) pages, \(mode)"
        let run = place.part(0, counts[column])
        let expected = freeError(letter(row.frees, column), run, rest: place.pages)
        let errors = [swept.arena.errorOfGiving(run), cache.errorOfGiving(run)]
        for error in errors {
          recorder.expect(error == expected, "\(error?.description ?? "no error")")
        }
        recorder.expect(swept.arena.statistics == before, "statistics")
      }
      swept.expectSound(&recorder)
      if !recorder.isGood { return }
    }
    try expectSamePattern(swept, &cache, twin, &recorder)
  }
}

/// Two arenas with the same past serve the same runs.
func expectSamePattern(
  _ swept: SweepArena, _ cache: inout PageArena.Cache, _ twin: SweepArena,
  _ recorder: inout Recorder
) throws(PageArenaError) {
  var other = try twin.arena.makeCache()
  let places = swept.pattern(&cache, &recorder)
  recorder.expect(places == twin.pattern(&other, &recorder), "the addresses of what comes later")
  swept.expectSound(&recorder)
}

/// Frees a run or a part of it, then again, which is refused, then all the rest.
private func freeInVain(
  _ row: FreeRow, _ column: Int, _ mode: SweepMode, _ recorder: inout Recorder
) {
  for byHandle in [false, true] {
    guard let swept = SweepArena(mode, &recorder) else { return }
    let place = row.place(swept)
    let run = place.part(0, freeCounts(place.pages)[column])
    recorder.context = "\(row.name), \(run.pages) pages, \(mode), by handle: \(byHandle)"
    withCache(of: swept.arena, &recorder) { cache, recorder in
      let before = swept.arena.settledStatistics.inUseBytes
      for expected in [nil, PageArenaError.notInUse(base: run.address, pages: run.pages)] {
        let error = byHandle ? cache.errorOfGiving(run) : swept.arena.errorOfGiving(run)
        recorder.expect(error == expected, error?.description ?? "freed twice")
        recorder.expectEqual(
          before - swept.arena.settledStatistics.inUseBytes, UInt64(run.pages) << 13, "bytes freed")
      }
      if run.pages < place.pages {
        let rest = place.part(run.pages, place.pages - run.pages)
        recorder.expect(cache.errorOfGiving(rest) == nil, "the rest is a run of its own")
      }
    }
    swept.expectSound(&recorder)
  }
}

/// Makes an owner, and asks what an offset and an address stand for, everywhere.
private func sweepLookups(_ mode: SweepMode, _ recorder: inout Recorder) {
  guard let swept = SweepArena(mode, &recorder), let twin = SweepArena(mode, &recorder) else {
    return
  }
  withCache(of: swept.arena, &recorder) { cache, recorder throws(PageArenaError) in
    let before = swept.arena.statistics
    for row in freeRows {
      let place = row.place(swept)
      for (column, pages) in freeCounts(place.pages).enumerated() {
        recorder.context = "\(row.name), \(pages) pages, \(mode)"
        let run = place.part(0, pages)
        let expected = freeError(letter(row.adopts, column), run, rest: place.pages)
        do throws(PageArenaError) {
          let owner = unsafe try swept.arena.adopt(run.pointer, pages: pages)
          recorder.expect(expected == nil && owner.pages == pages, "adopted")
          recorder.expect(leak(owner, &recorder) == run, "the same run")
        } catch { recorder.expect(error == expected, error.description) }
        recorder.expect(swept.arena.statistics == before, "statistics")
      }
      recorder.context = "\(row.name), \(mode)"
      expectFound(row, place, swept.arena, &recorder)
      recorder.expect(swept.arena.statistics == before, "statistics")
      swept.expectSound(&recorder)
      if !recorder.isGood { return }
    }
    try expectSamePattern(swept, &cache, twin, &recorder)
  }
}

/// An offset stands for a run where one starts; a record is kept of what was handed out.
private func expectFound(
  _ row: FreeRow, _ place: Run, _ arena: PageArena, _ recorder: inout Recorder
) {
  let distance = place.address &- arena.origin
  if let offset = UInt32(exactly: distance) {
    do throws(PageArenaError) {
      let bytes = unsafe try arena.bytes(at: offset)
      recorder.expect(row.isStart, "the offset of no run")
      recorder.expectEqual(bytes.count, place.pages << 13, "bytes of the run")
    } catch {
      recorder.expect(!row.isStart && error == .notARun(offset: offset), error.description)
    }
  }
  let isKnown = arena.isChecked && letter(row.adopts, 4) != "F" && distance >> 13 < 1 << 19
  let record = arena.diagnose(place.address)
  recorder.expect(isKnown || record == nil, "a record of nothing")
}

/// The table of runs keeps a long run's length in bytes that may look like the length of another.
private func sweepDigits(_ mode: SweepMode, _ recorder: inout Recorder) {
  guard let swept = SweepArena(mode, &recorder) else { return }
  let before = swept.arena.statistics
  withCache(of: swept.arena, &recorder) { cache, recorder in
    for run in [swept.freedLong, swept.long] {
      for first in 0..<6 {
        // What is left of a run can be freed.
        let least = run == swept.long ? run.pages - first + 1 : 0
        for pages in least..<300 {
          recorder.context = "\(pages) pages from page \(first), \(mode)"
          let part = run.part(first, pages)
          recorder.expect(swept.arena.errorOfGiving(part) != nil, "freed")
          recorder.expect(cache.errorOfGiving(part) != nil, "freed by the handle")
        }
      }
    }
  }
  swept.expectSound(&recorder)
  recorder.expectEqual(swept.arena.settledStatistics.inUseBytes, before.inUseBytes, "bytes in use")
}
