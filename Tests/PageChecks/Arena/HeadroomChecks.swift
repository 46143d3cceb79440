import PageAlloc
import Synchronization
import SysMem

/// What goes back because the arena took fresh memory.
package let headroomChecks: [Check] = [
  Check("headroom: fresh memory takes the place of free memory that a run does not fit into") {
    recorder in
    guard let heap = Holed(headroom: 102, &recorder) else { return }
    // 8,192 pages were in use at the most: 3,072 more may stay.
    for _ in 0..<3 { heap.takeFresh(1024, &recorder) }
    recorder.expectEqual(heap.calls.takeGivenBack().count, 0, "given back within the headroom")
    heap.takeFresh(1024, &recorder)
    let top = heap.hole(7)
    let expected = [top, heap.hole(6)]
    recorder.expect(heap.calls.takeGivenBack() == expected, "as much, from the top")
    recorder.expectEqual(heap.residentPages, 8192 + 3072, "pages that stay")
    recorder.expectEqual(heap.arena.statistics.returned.headroomBytes, 8 << 20, "told of it")
    // Now more is in use than ever: more may stay.
    for _ in 0..<4 { heap.takeFresh(1024, &recorder) }
    recorder.expectEqual(heap.calls.takeGivenBack().count, 0, "given back for use")
    recorder.expectEqual(heap.residentPages, 12_288 + 3072, "pages, all of use")
    recorder.expect(heap.arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("headroom: a part of what is in use, where that is more than 24 MiB") { recorder in
    guard let heap = Holed(headroom: 1024, &recorder) else { return }
    // Half as much again as was in use at the most: 12,288 pages beside 8,192.
    for _ in 0..<4 { heap.takeFresh(1024, &recorder) }
    recorder.expectEqual(heap.residentPages, 8192 + 4096, "more than 24 MiB beside it")
    recorder.expectEqual(heap.calls.takeGivenBack().count, 0, "given back within the headroom")
  },

  Check("headroom: what was in use of memory that was there counts") { recorder in
    guard let heap = Holed(headroom: 102, &recorder) else { return }
    for _ in 0..<3 { heap.takeFresh(1024, &recorder) }
    // All the holes at once: 11,264 pages in use, and nobody takes fresh memory.
    let runs = (0..<8).compactMap { _ in heap.arena.take(512, &recorder) }
    for run in runs {
      heap.arena.give(run.part(0, 256), &recorder)
      heap.arena.give(run.part(256, 256), &recorder)
    }
    for _ in 0..<3 { heap.takeFresh(1024, &recorder) }
    recorder.expectEqual(heap.calls.takeGivenBack().count, 0, "given back within the headroom")
    recorder.expectEqual(heap.residentPages, 11_264 + 3072, "pages that stay")
    heap.takeFresh(1024, &recorder)
    recorder.expectEqual(heap.residentPages, 11_264 + 3072, "pages that stay, and no more")
  },

  Check("headroom: nothing goes back where nobody is to scavenge") { recorder in
    guard let heap = Holed(headroom: nil, &recorder) else { return }
    for _ in 0..<16 { heap.takeFresh(1024, &recorder) }
    recorder.expectEqual(heap.calls.takeGivenBack().count, 0, "given back")
  },

  Check("headroom: huge pages are not split, and what stayed so does not count later") { recorder in
    guard let heap = Holed(headroom: 102, keeping: 1, &recorder) else { return }
    for _ in 0..<4 { heap.takeFresh(1024, &recorder) }
    recorder.expectEqual(heap.calls.takeGivenBack().count, 0, "given back in parts")
    let stayed = heap.residentPages
    // What goes back for the next run is as much as it takes, not all that is beyond.
    heap.giveKept(&recorder)
    heap.takeFresh(1024, &recorder)
    recorder.expectEqual(heap.residentPages, stayed, "pages that stay")
    recorder.expectEqual(heap.arena.statistics.returned.headroomBytes, 8 << 20, "given back")
    recorder.expect(heap.arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("headroom: nobody waits for memory that goes back elsewhere; the next one looks again") {
    recorder in
    let calls = HookedCalls()
    guard let heap = Holed(headroom: 102, calls: calls, &recorder) else { return }
    for _ in 0..<3 { heap.takeFresh(1024, &recorder) }
    let taker = Taker(heap.arena)
    calls.interrupt {
      // Another thread, which would give 4 MiB back, while some goes back on request.
      runThreads([taker]) { $0.take() }
    }
    recorder.expectEqual((try? heap.arena.scavenge(byteCount: 1)) ?? 0, 2 << 20, "on request")
    recorder.expect(taker.hasTaken.load(ordering: .relaxed), "a run, meanwhile")
    let between = heap.arena.statistics
    recorder.expectEqual(between.returned.headroomBytes, 0, "given back meanwhile")
    heap.takeFresh(1024, &recorder)
    recorder.expect(heap.arena.statistics.returned.headroomBytes > 0, "given back next time")
    recorder.expect(heap.arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("headroom: what is at hand gives way, and is not lost") { recorder in
    var options = PageArena.Options()
    options.scavenging = .manual
    options.headroomPer1024 = 102
    let calls = FakeCalls()
    options.calls = calls
    guard let arena = makeArena(&recorder, options) else { return }
    // Runs of 64 pages, freed into this thread's cache but for the first of 16.
    var runs: [Run] = []
    for _ in 0..<128 {
      guard let run = arena.take(64, &recorder) else { return }
      runs.append(run)
    }
    for (index, run) in runs.enumerated() where index % 16 != 0 { arena.give(run, &recorder) }
    let before = arena.statistics
    recorder.expect(before.cachedBytes > 0, "something is at hand")
    // 8,192 pages were in use.
    guard let fresh = arena.take(4096, &recorder) else { return }
    let after = arena.statistics
    recorder.expect(after.returned.headroomBytes > 0, "something went back")
    recorder.expectEqual(after.cachedBytes, 0, "at hand")
    recorder.expectEqual(after.inUseBytes, before.inUseBytes + 4096 << 13, "in use")
    recorder.expect(runs[112].address < fresh.address, "what was taken lies beyond all in use")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },
]

/// Takes a run.
private final class Taker: Sendable {
  private let arena: PageArena
  let hasTaken = Atomic<Bool>(false)

  init(_ arena: PageArena) { self.arena = arena }

  func take() {
    // Only whether there is one.
    hasTaken.store(unsafe (try? arena.allocate(pages: 1536)) != nil, ordering: .relaxed)
  }
}

/// 64 MiB in runs of 4 MiB, every second of which was freed.
private struct Holed {
  let arena: PageArena
  let calls: FakeCalls
  private var runs: [Run] = []
  private let keptPages: Int

  /// - Parameters:
  ///   - kept: pages of each unit of 2 MiB that stay in use for the time being.
  ///   - other: instead of `calls`.
  init?(
    headroom: Int?, keeping kept: Int = 0, calls other: (any MemoryCalls)? = nil,
    _ recorder: inout Recorder
  ) {
    calls = FakeCalls()
    var options = PageArena.Options.stepped(FakeClock())
    options.calls = other ?? calls
    options.headroomPer1024 = headroom
    keptPages = kept
    guard let arena = makeArena(&recorder, options) else { return nil }
    self.arena = arena
    for _ in 0..<16 {
      guard let run = arena.take(512, &recorder) else { return nil }
      runs.append(run)
    }
    for unit in units { arena.give(unit.part(kept, 256 - kept), &recorder) }
  }

  /// Units of 2 MiB in the runs that are free, or are to be.
  private var units: [Run] {
    stride(from: 0, to: 16, by: 2).flatMap { [runs[$0].part(0, 256), runs[$0].part(256, 256)] }
  }

  /// A free run, from the bottom, as the kernel is told of it.
  func hole(_ index: Int) -> AdvisedRange {
    AdvisedRange(address: runs[2 * index].address, byteCount: 4 << 20)
  }

  /// Frees what was kept.
  func giveKept(_ recorder: inout Recorder) {
    for unit in units { arena.give(unit.part(0, keptPages), &recorder) }
  }

  /// Takes a run that fits nowhere.
  func takeFresh(_ pages: Int, _ recorder: inout Recorder) { _ = arena.take(pages, &recorder) }

  var residentPages: Int { Int(arena.statistics.maybeResidentBytes >> 13) }
}
