import PageAlloc
import Synchronization
import SysMem

/// The most that there ever was, and how many runs of which sizes there are.
package let peakChecks: [Check] = [
  Check("peaks: what was in use, and what may have been resident") { recorder in
    guard let arena = makeArena(&recorder, caching: false), let kept = arena.take(10, &recorder),
      let much = arena.take(1000, &recorder)
    else { return }
    recorder.expectEqual(arena.statistics.peakInUseBytes, 1010 << 13, "at the height")
    arena.give(much, &recorder)
    guard let closed = try? arena.allocateRun(pages: 500, access: .none) else {
      return recorder.fail("no run without access")
    }
    var now = arena.statistics
    recorder.expectEqual(now.inUseBytes, 510 << 13, "in use")
    recorder.expectEqual(now.peakInUseBytes, 1010 << 13, "the peak of what was in use")
    recorder.expect(now.peakMaybeResidentBytes >= 1010 << 13, "the peak of what is resident")
    _ = try? arena.releaseFreeMemory()
    let peak = now.peakMaybeResidentBytes
    now = arena.statistics
    recorder.expectEqual(now.peakMaybeResidentBytes, peak, "when it has gone back")
    recorder.expect(now.maybeResidentBytes < peak, "\(now.maybeResidentBytes) resident now")
    closed.deallocate()
    arena.give(kept, &recorder)
    recorder.expectEqual(arena.statistics.peakInUseBytes, 1010 << 13, "at the end")
  },

  Check("peaks: what is beyond a hard limit never was resident") { recorder in
    guard let arena = makeArena(&recorder, limit: .bytes(hard: 8 << 20)) else { return }
    var runs: [Run] = []
    while let run = try? arena.run(16) { runs.append(run) }
    recorder.expectEqual(arena.statistics.peakInUseBytes, 8 << 20, "in use")
    recorder.expect(arena.statistics.peakMaybeResidentBytes <= 8 << 20, "resident")
    for run in runs { arena.give(run, &recorder) }
    recorder.expect(arena.errorOfTaking(1100) != nil, "refused")
    recorder.expect(arena.statistics.peakMaybeResidentBytes <= 8 << 20, "resident, still")
  },

  Check("peaks: what goes back at once, for a soft limit, never was resident") { recorder in
    guard let arena = makeArena(&recorder, limit: .bytes(soft: 8 << 20)) else { return }
    var random = SplitMix64(seed: 5)
    var runs: [Run] = []
    var live = 0
    for _ in 0..<500 {
      let pages = 1 + random.below(200)
      while live + pages > 700, !runs.isEmpty {
        let run = runs.remove(at: random.below(runs.count))
        live -= run.pages
        arena.give(run, &recorder)
      }
      guard let run = arena.take(pages, &recorder) else { return }
      live += pages
      runs.append(run)
    }
    let now = arena.statistics
    recorder.expectEqual(now.returned.softLimitYields, 0, "beyond it")
    recorder.expect(now.peakMaybeResidentBytes <= 8 << 20, "\(now.peakMaybeResidentBytes) at most")
    recorder.expect(
      now.peakMaybeResidentBytes >= 700 << 13, "\(now.peakMaybeResidentBytes) at least")
    // What is in use is more than the limit: it goes beyond.
    guard let more = arena.take(700, &recorder) else { return }
    recorder.expect(arena.statistics.peakMaybeResidentBytes > 8 << 20, "beyond")
    arena.give(more, &recorder)
    for run in runs { arena.give(run, &recorder) }
  },

  Check("peaks: within what caches hold, by four threads") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    let workers = (1...4).map { Churn(arena, seed: UInt64($0)) }
    runThreads(workers, meanwhile: {}) { $0.churn() }
    let now = arena.statistics
    // Each keeps up to 2,000 pages, and what it freed may seem to be in use as long as its cache
    // has not told: 2 MiB and the last two runs, of up to 128 pages.
    let most = UInt64(4 * (2000 + 256 + 2 * 128)) << 13
    recorder.expect(now.peakInUseBytes <= most, "\(now.peakInUseBytes) bytes in use")
    recorder.expect(now.peakInUseBytes >= 1900 << 13, "\(now.peakInUseBytes) bytes in use")
    recorder.expect(now.peakInUseBytes <= now.peakMaybeResidentBytes, "resident")
  },

  Check("run sizes: those of all runs, when nothing is at hand") { recorder in
    for isCaching in [true, false] {
      recorder.context = isCaching ? "by caches" : "by the lock"
      guard let arena = makeArena(&recorder, caching: isCaching) else { return }
      var random = SplitMix64(seed: 7)
      var runs: [Run] = []
      var owned = RunList(capacity: 64)
      for step in 0..<3000 {
        let pages = random.below(8) == 0 ? 100 + random.below(900) : random.logarithmic(6)
        switch random.below(6) {
        case 0, 1:
          let alignment = 8192 << (random.below(3) == 0 ? random.below(7) : 0)
          guard let run = arena.take(pages, alignment: alignment, &recorder) else { return }
          runs.append(run)
        case 2, 3:
          if runs.isEmpty { continue }
          runs.swapAt(random.below(runs.count), runs.count - 1)
          let run = runs.removeLast()
          // A part from the middle, now and then.
          if run.pages > 2, random.below(5) == 0 {
            arena.give(run.part(1, run.pages - 2), &recorder)
            runs.append(run.part(0, 1))
            runs.append(run.part(run.pages - 1, 1))
          } else {
            arena.give(run, &recorder)
          }
        case 4:
          guard let run = arena.own(pages, guarded: random.below(2) == 0, &recorder) else { return }
          if owned.count < 60 { owned.append(run) } else { run.deallocate() }
        default:
          if owned.count > 0 {
            var run = owned.swapRemove(random.below(owned.count))
            if run.pages > 1, random.below(2) == 0 { run.shrink(to: run.pages / 2) }
            _ = run.grow(to: run.pages + random.below(8))
            run.deallocate()
          }
        }
        if step % 500 == 499 { expectSizes(of: arena, &recorder) }
        if !recorder.isGood { return recorder.fail("after step \(step)") }
      }
      for run in runs { arena.give(run, &recorder) }
      owned.removeAll()
      expectSizes(of: arena, &recorder)
      _ = try? arena.releaseFreeMemory()
      recorder.expect(arena.statistics.runSizes == none, "none is left")
    }
  },

  Check("run sizes: as figures, and in JSON") { recorder in
    guard let arena = makeArena(&recorder, caching: false), arena.take(5, &recorder) != nil,
      arena.take(4, &recorder) != nil
    else { return }
    let sizes = arena.statistics.runSizes
    recorder.expectEqual(sizes[2], 2, "of 4 to 7 pages")
    recorder.expectEqual(sizes.figures.count, PageArena.RunSizes.powers, "figures")
    recorder.expectEqual(sizes.figures[2].value, 2, "as a figure")
    let part = "\"runSizes\":[0,0,2,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0],\"returned\":{"
    let json = Array(arena.statistics.json.utf8)
    let isThere = json.indices.contains { json[$0...].starts(with: part.utf8) }
    recorder.expect(isThere, arena.statistics.json)
  },
]

/// No runs.
private var none: PageArena.RunSizes {
  guard let arena = try? PageArena() else { fatalError("no arena") }
  return arena.statistics.runSizes
}

/// The sizes are those of the runs that are in use, guards included, when caches have given all
/// back.
private func expectSizes(of arena: PageArena, _ recorder: inout Recorder) {
  arena.drainCaches()
  var counts = [UInt64](repeating: 0, count: PageArena.RunSizes.powers)
  var last: UInt = 0
  arena.forEachRun { run in
    counts[Int.bitWidth - 1 - run.pages.leadingZeroBitCount] += 1
    // Only asked about.
    let pointer = unsafe UnsafeRawPointer(bitPattern: run.address)!
    recorder.expect(unsafe arena.run(containing: pointer) == run, "a run in use")
    recorder.expect(run.address > last, "in order")
    last = run.address
  }
  // Guards are pages of their own here.
  counts[0] += UInt64(arena.snapshot().count(of: .guardPage))
  let sizes = arena.statistics.runSizes
  for power in counts.indices {
    recorder.expectEqual(sizes[power], counts[power], "runs of 2^\(power) pages")
  }
}
