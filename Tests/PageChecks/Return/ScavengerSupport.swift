import PageAlloc
import Synchronization
import SysMem

/// Has the scavenger give back a spike, with a clock that each look sets forwards or back, by
/// turns.
///
/// - Returns: the nanoseconds that it slept until it parked.
func sleepUntilParked(step: Int64, _ recorder: inout Recorder) -> UInt64? {
  let clock = FakeClock()
  clock.sleep(1_000_000_000_000_000)
  guard let arena = makeArena(&recorder, .stepped(clock)), let spike = arena.take(8192, &recorder)
  else { return nil }
  spike.stamp(1)
  arena.give(spike, &recorder)
  clock.workPerLook.store(400_000, ordering: .relaxed)
  clock.step.store(step, ordering: .relaxed)
  var slept: UInt64 = 0
  for _ in 0..<1000 {
    guard case .sleep(let time) = arena.backgroundStep() else {
      let share = Double(clock.worked) / Double(slept + clock.worked)
      recorder.expect(share < 0.015, "\(Int(share * 1e6)) millionths of a processor")
      let statistics = arena.statistics
      recorder.expect(
        statistics.maybeResidentBytes <= 1 << 20, "\(statistics.maybeResidentBytes) stay")
      recorder.expect(
        statistics.returned.backgroundElapsedNanoseconds < 1_000_000_000_000,
        "hours count as pauses")
      return slept
    }
    recorder.expect(time <= ScavengePacer.longestSleep, "sleeps for \(time) ns")
    clock.sleep(time)
    slept += time
  }
  recorder.fail("never parked")
  return nil
}

/// An arena gives back what is at hand.
func giveBackAtHand(wasSeen: Bool, _ recorder: inout Recorder) {
  guard let (arena, clock, _) = makeHoard(wasSeen: wasSeen, &recorder) else { return }
  recorder.expect(arena.backgroundStep() != .park, "there is too much")
  recorder.expectEqual(arena.statistics.cachedBytes, 512 * 8192, "at hand after the first step")
  guard runUntilParked(arena, clock, &recorder) != nil else { return }
  let statistics = arena.statistics
  recorder.expectEqual(statistics.cachedBytes, 0, "at hand when it parks")
  recorder.expect(
    statistics.maybeResidentBytes <= 1228 * 8192, "\(statistics.maybeResidentBytes) stay")
}

/// An arena with 1,000 pages in use as one run, and 512 at hand.
///
/// - Parameter wasSeen: the scavenger saw those in use, so that for two generations they may come
///   back.
func makeHoard(
  wasSeen: Bool, _ recorder: inout Recorder
) -> (PageArena, FakeClock, live: Run)? {
  let clock = FakeClock()
  var options = PageArena.Options.stepped(clock)
  options.threadCacheByteCount = 16 << 20
  guard let arena = makeArena(&recorder, options), let live = arena.take(1000, &recorder)
  else { return nil }
  live.stamp(1)
  var runs: [Run] = []
  for _ in 0..<16 {
    guard let run = arena.take(32, &recorder) else { return nil }
    run.stamp(1)
    runs.append(run)
  }
  if wasSeen { _ = arena.backgroundStep() }
  for run in runs { arena.give(run, &recorder) }
  recorder.expectEqual(arena.statistics.cachedBytes, 512 * 8192, "at hand")
  return (arena, clock, live)
}

/// A kernel that stalls more and more.
final class RisingPressure: SystemFiles {
  private let clock = FakeClock()

  func read(_ path: borrowing SmallText, into text: inout SmallText) -> Bool {
    text.clear()
    text.append("some avg10=9.99 total=")
    clock.sleep(100_000)
    var digits = clock.now().nanoseconds
    var places: UInt64 = 1
    while digits / places >= 10 { places *= 10 }
    while places > 0 {
      text.append(byte: UInt8(48 + digits / places))
      digits %= places
      places /= 10
    }
    return true
  }
}

/// What of the arena's scavenged memory was never used: the rest of its last chunk.
func tail(of arena: PageArena) -> UInt64 {
  arena.statistics.readyBytes - (640 + 8192) * 8192
}

/// Performs steps, with sleeps on the clock alone, until the scavenger parks.
func runUntilParked(
  _ arena: PageArena, _ clock: FakeClock, _ recorder: inout Recorder
) -> (steps: Int, elapsed: UInt64)? {
  let start = clock.now()
  for step in 1...10_000 {
    switch arena.backgroundStep() {
    case .park: return (step, clock.now().elapsed(since: start))
    case .sleep(let time): clock.sleep(time + time / 50)
    }
  }
  recorder.fail("never parked")
  return nil
}
