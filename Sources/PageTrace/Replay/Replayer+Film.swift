import PageAlloc

/// Which steps of a recording are looked at: the first and the last that are asked for, the one at
/// which most pages are in use, where it is between them, and others evenly in between.
package struct FilmSteps: Equatable {
  /// The steps, in order, each once: how many events were replayed then.
  package let steps: [Int]

  /// - Parameters:
  ///   - range: the first step and the last; not beyond the number of events.
  ///   - count: how many to look at, at least 2; all of them where there are no more.
  ///   - peak: the step at which most pages are in use.
  package init(in range: ClosedRange<Int>, count: Int, peak: Int?) {
    let distance = range.upperBound - range.lowerBound
    let gaps = min(max(count - 1, 1), max(distance, 1))
    var steps: [Int] = []
    for gap in 0...gaps {
      // Written so that it does not overflow a word of 32 bits.
      let part = distance / gaps * gap + distance % gaps * gap / gaps
      let step = range.lowerBound + part
      if let peak, range.contains(peak), peak < step, steps.last.map({ $0 < peak }) ?? true {
        steps.append(peak)
      }
      if steps.last != step { steps.append(step) }
    }
    self.steps = steps
  }
}

/// Replays a trace on an arena of its own, and shows what every page is at some of its steps.
///
/// Where nothing is written to the pages, a heap of any size costs no memory but its tables.
///
/// - Parameters:
///   - film: the steps to look at; none is beyond the number of events.
///   - nanoseconds: how long the recording is taken to have lasted, for what goes back as time goes
///     by. With 0 nothing does.
///   - isWriting: whether a word of each page is written.
///   - progress: called now and then with the steps done and the steps there are.
///   - visit: called at each step, in order.
/// - Throws: `ReplayError` where there is no arena, and at the first call that fails.
package func replay(
  _ trace: ProgramTrace, film: FilmSteps, lasting nanoseconds: UInt64,
  isWriting: Bool = false, progress: ((_ done: Int, _ total: Int) -> Void)? = nil,
  visit: (_ step: Int, _ snapshot: PageSnapshot) -> Void
) throws(ReplayError) {
  let clock = ReplayClock()
  var arenaOptions = PageArena.Options()
  arenaOptions.scavenging = nanoseconds > 0 ? .background() : .manual
  arenaOptions.scavengesBySteps = true
  arenaOptions.clock = clock
  let arena: PageArena
  do throws(PageArenaError) {
    arena = try PageArena(arenaOptions)
  } catch {
    throw ReplayError(line: nil, reason: PageArena.describe(error))
  }
  let options = ReplayOptions(checking: isWriting ? .oneWord : .nothing)
  var tables = ReplayTables(trace, options)
  var replayer = Replayer(trace: trace, source: arena, options: options)
  var scavenging = SteppedScavenging(
    arena: arena, clock: clock, nanoseconds: nanoseconds, events: trace.events.count)
  let last = film.steps.last ?? 0
  var next = 0
  for step in 0...last {
    if next < film.steps.count, film.steps[next] == step {
      visit(step, arena.snapshot())
      next += 1
    }
    if step == last { break }
    replayer.line = trace.firstEventLine + step
    try replayer.perform(trace.events[step], &tables)
    try scavenging.advance(to: step + 1)
    if step % 4096 == 0 { progress?(step, last) }
  }
}

/// Lets time pass, and performs the scavenger's steps when they are due.
private struct SteppedScavenging {
  let arena: PageArena
  let clock: ReplayClock
  let nanoseconds: UInt64
  let events: Int
  private var due: UInt64 = 0

  /// Where the scavenger has nothing to do, it is asked again after so many nanoseconds: a free may
  /// have woken it.
  private static let pause: UInt64 = 100_000_000

  init(arena: PageArena, clock: ReplayClock, nanoseconds: UInt64, events: Int) {
    self.arena = arena
    self.clock = clock
    self.nanoseconds = nanoseconds
    self.events = events
  }

  /// - Parameter step: how many events have happened.
  mutating func advance(to step: Int) throws(ReplayError) {
    if nanoseconds == 0 { return }
    let now = UInt64(Double(nanoseconds) * (Double(step) / Double(events)))
    clock.set(now)
    if now < due { return }
    do throws(PageArenaError) {
      due = now + min(try arena.scavengeStep() ?? Self.pause, Self.pause)
    } catch {
      throw ReplayError(line: nil, reason: PageArena.describe(error))
    }
  }
}
