import PageAlloc

// The sweeps
// ==========
//
// Every public call that takes a count of pages, an address, an offset, an alignment or an amount
// of bytes stands in a table, which says what comes of every kind of value. What is refused changes
// nothing: not the statistics, and not where later runs lie, which a second arena with the same
// past shows.
//
//   FreeSweepChecks     deallocate of an arena and of a handle; adopt, bytes(at:), diagnose
//   TakeSweepChecks     allocate of an arena and of a handle; allocateRun, with an access or
//                       without; allocateGuardedRun
//   PoolTakeSweepChecks what takes a run of a pool
//   ResizeSweepChecks   grow, resize, shrink and split of an owner's run
//   AmountSweepChecks   scavenge, setMemoryLimit, and the options
//   PointerSweepChecks  what an arena and a pool have of bare addresses: deallocate with a count or
//                       without, deallocateRuns, deallocateDiscarding, allocate(at:), discard,
//                       discardLazily, resize, extend, adopt, contains, run(containing:)
//   PartSweepChecks     parts of an owner's run, and of a region
//
// A run of 770 pages is cut into runs that touch, so that their neighbours are known, whatever the
// arena keeps at hand:
//
//   | short 4 | long 200 | last 2 | freed 3 | wall 1 | freed long 150 | across 410 |
//                                                                        ^ the edge of a chunk
//
// Elsewhere lies a run with an owner, between two guards. The arena has grown by two chunks.

/// The most pages that can be asked for.
let pageLimit = 1022 * 512

/// The letter of a column, in a row of a table.
func letter(_ row: String, _ column: Int) -> Unicode.Scalar {
  var scalars = row.unicodeScalars.makeIterator()
  for _ in 0..<column { _ = scalars.next() }
  return scalars.next() ?? " "
}

/// How the arena of a sweep is set up.
enum SweepMode: CaseIterable {
  /// Threads keep runs at hand.
  case caching
  /// Every run goes through the lock.
  case bare
  /// Every run goes through the lock, and what was freed is kept from everybody.
  case checked
}

/// An arena that holds one thing of each kind.
final class SweepArena {
  let arena: PageArena
  /// The pool whose first arena it is, if it is one's.
  let pool: PagePool?
  let guarded: PageRun
  let short: Run
  let long: Run
  let last: Run
  let freed: Run
  let freedLong: Run
  let across: Run

  private let wall: Run

  init?(_ mode: SweepMode, inPool: Bool = false, _ recorder: inout Recorder) {
    pool = inPool ? makeSweepPool(mode, &recorder) : nil
    guard let arena = inPool ? pool?.firstArena : makeSweepArena(mode, &recorder),
      let guarded = arena.own(6, guarded: true, &recorder),
      let whole = arena.own(770, &recorder)
    else { return nil }
    var rest = whole
    guard let short = cut(4, off: &rest, &recorder), let long = cut(200, off: &rest, &recorder),
      let last = cut(2, off: &rest, &recorder), let freed = cut(3, off: &rest, &recorder),
      let wall = cut(1, off: &rest, &recorder), let freedLong = cut(150, off: &rest, &recorder),
      let across = leak(rest, &recorder)
    else { return nil }
    arena.give(freed, &recorder)
    arena.give(freedLong, &recorder)
    self.arena = arena
    self.guarded = guarded
    self.short = short
    self.long = long
    self.last = last
    self.freed = freed
    self.wall = wall
    self.freedLong = freedLong
    self.across = across
  }

  /// A page by its number in the arena's space, and so many pages.
  func page(_ number: Int, _ pages: Int) -> Run {
    at(arena.origin &+ UInt(bitPattern: number) << 13, pages)
  }

  /// An address, which is never accessed, and so many pages.
  func at(_ address: UInt, _ pages: Int) -> Run {
    // No row of a table has address 0.
    guard let base = unsafe UnsafeMutableRawPointer(bitPattern: address) else { return short }
    return unsafe Run(base, pages: pages)
  }

  /// The first page of the second chunk.
  var edge: Run {
    let first = Int(bitPattern: (across.address &- arena.origin) >> 13)
    let before = 512 - first & 511
    return across.part(before, across.pages - before)
  }

  /// The page after the last that the arena has grown by.
  var end: Int {
    let first = Int(bitPattern: (guarded.address &- arena.origin) >> 22)
    return (first + Int(arena.statistics.readyBytes >> 22)) << 9
  }

  /// What is in order as long as nothing has changed.
  func expectSound(_ recorder: inout Recorder) {
    let broken = arena.brokenInvariant() ?? pool?.brokenInvariant()
    recorder.expect(broken == nil, broken?.description ?? "")
  }

  /// What the arena holds, or all of the pool's.
  var statistics: PageArena.Statistics { pool?.statistics ?? arena.statistics }

  /// Has nothing kept at hand or from everybody any more.
  func stackHotRun() {
    arena.drainCaches()
    arena.emptyQuarantine()
  }

  /// Takes and frees runs, by way of the thread's cache and of a handle's.
  ///
  /// - Returns: where they were, from the start of the first run on: the same in an arena with the
  ///   same past.
  func pattern(_ cache: inout PageArena.Cache, _ recorder: inout Recorder) -> [UInt] {
    var places: [UInt] = []
    for round in 0..<2 {
      var runs: [Run] = []
      for pages in [1, 3, 150, 16, 124, 1, 3, 40, 200] {
        guard let run = round == 0 ? arena.take(pages, &recorder) : try? cache.run(pages) else {
          recorder.fail("no \(pages) pages")
          return places
        }
        runs.append(run)
        places.append(run.address &- short.address)
      }
      for run in runs {
        let error = round == 0 ? arena.errorOfGiving(run) : cache.errorOfGiving(run)
        recorder.expect(error == nil, error?.description ?? "")
      }
    }
    return places
  }
}

/// An arena of 64 MiB from which nothing goes back by itself.
func makeSweepArena(_ mode: SweepMode, _ recorder: inout Recorder) -> PageArena? {
  if mode == .checked { return makeCheckedArena(&recorder, byteCount: 64 << 20) }
  return makeArena(&recorder, byteCount: 64 << 20, caching: mode == .caching)
}

/// A pool of two arenas from which nothing goes back by itself.
private func makeSweepPool(_ mode: SweepMode, _ recorder: inout Recorder) -> PagePool? {
  var options = quiet(caching: mode == .caching)
  if mode == .checked { options.diagnosis = .checked(quarantineByteCount: 1 << 20) }
  options.reportsMistakes = false
  do throws(PageArenaError) {
    return try PagePool(reserving: 2 << 32, options: options)
  } catch {
    recorder.fail("no pool: \(error.description)")
    return nil
  }
}

/// Takes pages off the front of a run, and their owner away.
private func cut(_ pages: Int, off rest: inout PageRun, _ recorder: inout Recorder) -> Run? {
  let halves = rest.split(at: pages)
  rest = halves.upper
  return leak(halves.lower, &recorder)
}

/// Takes the owner away from a run.
func leak(_ run: consuming PageRun, _ recorder: inout Recorder) -> Run? {
  let pages = run.pages
  guard let memory = unsafe try? run.leak(), let base = memory.baseAddress else {
    recorder.fail("not leaked")
    return nil
  }
  return unsafe Run(base, pages: pages)
}

extension PageArena.Statistics {
  /// Whether all is as it was before a request that may have been refused for want of memory, which
  /// is counted, and nothing else.
  func isAsBefore(_ before: PageArena.Statistics) -> Bool {
    let (new, old) = (figures, before.figures)
    let changes = new.indices.count { new[$0].value != old[$0].value }
    return changes == (refusals == before.refusals ? 0 : 1)
  }
}
