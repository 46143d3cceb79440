import PageAlloc
import Synchronization

/// Aligned runs out of caches. A handle has a cache that nobody else touches.
package let alignedCacheChecks: [Check] = [
  Check("aligned: what was freed comes again, and counts as free") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    for (pages, log) in sizesAndAlignments {
      recorder.context = "\(pages) pages at 2^\(log)"
      guard let run = arena.take(pages, alignment: 1 << log, &recorder) else { return }
      recorder.expectEqual(run.address & (1 << UInt(log) - 1), 0, "aligned")
      run.stamp(UInt64(pages))
      arena.give(run, &recorder)
      let freed = arena.settledStatistics
      recorder.expectEqual(freed.inUseBytes, 0, "in use")
      guard let again = arena.take(pages, alignment: 1 << log, &recorder) else { return }
      recorder.expect(again == run, "it comes again")
      recorder.expect(again.isStamped(UInt64(pages)), "warm")
      let taken = arena.settledStatistics
      recorder.expectEqual(taken.inUseBytes, UInt64(pages) << 13, "in use again")
      recorder.expectEqual(
        taken.atHandBytes, freed.atHandBytes - UInt64(pages) << 13, "no longer at hand")
      recorder.expectEqual(taken.scavengedBytes, freed.scavengedBytes, "nothing else was used")
      arena.give(again, &recorder)
      guard let zeroed = arena.take(pages, alignment: 1 << log, zeroed: true, &recorder) else {
        return
      }
      recorder.expect(zeroed == run && zeroed.isZero, "and again, as zero")
      arena.give(zeroed, &recorder)
      if !recorder.isGood { return }
    }
    arena.drainCaches()
    recorder.expectEqual(arena.settledStatistics.atHandBytes, 0, "at hand after all went back")
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
  },

  Check("aligned: owners get theirs back, too") { recorder in
    let calls = FakeCalls()
    useOwners(calls, &recorder)
    recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "mapped after the end")
  },

  Check("aligned: a second pair does without the allocator, unless there are to be no caches") {
    recorder in
    for (pages, log) in sizesAndAlignments {
      recorder.context = "\(pages) pages at 2^\(log)"
      guard let arena = makeArena(&recorder), let strict = makeArena(&recorder, caching: false)
      else { return }
      withCache(of: arena, &recorder) { cache, recorder throws(PageArenaError) in
        let low = try cache.run(pages, alignment: 1 << log)
        let high = try cache.run(pages, alignment: 1 << log)
        recorder.expect(low.address < high.address, "first the lower place")
        // The allocator would have the lower one.
        arena.give(low, &recorder)
        arena.drainCaches()
        unsafe try cache.deallocate(high.pointer, pages: pages)
        recorder.expectEqual(arena.settledStatistics.atHandBytes, UInt64(pages) << 13, "at hand")
        recorder.expect(try cache.run(pages, alignment: 1 << log) == high, "the one at hand")
        recorder.expectEqual(arena.settledStatistics.atHandBytes, 0, "no longer at hand")
        recorder.expect(try cache.run(pages, alignment: 1 << log) == low, "then the lowest place")
      }
      guard let low = strict.take(pages, alignment: 1 << log, &recorder),
        let high = strict.take(pages, alignment: 1 << log, &recorder)
      else { return }
      strict.give(low, &recorder)
      strict.give(high, &recorder)
      let again = strict.take(pages, alignment: 1 << log, &recorder)
      recorder.expect(again == low, "without caches the lowest place")
      if !recorder.isGood { return }
    }
  },

  Check("aligned: one that lies right is found below others") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    withCache(of: arena, &recorder) { cache, recorder throws(PageArenaError) in
      let right = try cache.run(1, alignment: 1 << 16)
      var others: [Run] = []
      while others.count < 7 {
        let run = try cache.run(1)
        if run.address & 0xffff != 0 { others.append(run) }
      }
      unsafe try cache.deallocate(right.pointer, pages: 1)
      for run in others { unsafe try cache.deallocate(run.pointer, pages: 1) }
      let before = arena.settledStatistics.atHandBytes
      recorder.expect(try cache.run(1, alignment: 1 << 16) == right, "below six and the hot one")
      recorder.expectEqual(
        arena.settledStatistics.atHandBytes, before - 8192, "the others stay at hand")
      var found: [Run] = []
      for _ in others { found.append(try cache.run(1)) }
      recorder.expect(others.allSatisfy { found.contains($0) }, "all of them")
      recorder.expect(arena.brokenInvariant() == nil, "invariants")
    }
  },

  Check("aligned: one is cut out of a longer run, and what is left stays at hand") { recorder in
    for log in 14...19 {
      for pages in [1, 3, 8, 17, 100 - 1 << (log - 13)] {
        recorder.context = "\(pages) pages at 2^\(log)"
        guard let arena = makeArena(&recorder) else { return }
        withCache(of: arena, &recorder) { cache, recorder throws(PageArenaError) in
          let whole = try cache.run(101)
          let other = try cache.run(20)
          unsafe try cache.deallocate(whole.pointer, pages: 101)
          // It takes the place of the hot run.
          unsafe try cache.deallocate(other.pointer, pages: 20)
          let before = arena.settledStatistics.atHandBytes
          let run = try cache.run(pages, alignment: 1 << log)
          recorder.expectEqual(run.address & (1 << UInt(log) - 1), 0, "aligned")
          recorder.expect(whole.contains(run), "out of the longer one")
          recorder.expectEqual(
            arena.settledStatistics.atHandBytes, before - UInt64(pages) << 13, "the rest is at hand"
          )
          recorder.expect(arena.brokenInvariant() == nil, "invariants")
          run.stamp(1)
          var left = 101 - pages
          while left > 0 {
            let page = try cache.run(1)
            if whole.contains(page) { left -= 1 }
            page.stamp(2)
            recorder.expect(
              arena.settledStatistics.atHandBytes < before, "at hand, every page of it")
            if !recorder.isGood { return }
          }
          recorder.expect(run.isStamped(1), "nobody else's")
        }
      }
    }
  },

  Check("aligned: nothing is cut off that no stack has room for") { recorder in
    var refused: [Int] = []
    for count in 0..<70 {
      recorder.context = "\(count) runs of seven pages"
      guard let arena = makeArena(&recorder) else { return }
      withCache(of: arena, &recorder) { cache, recorder throws(PageArenaError) in
        // The cache is let have much, so that nothing goes back but what finds a full stack.
        var many: [Run] = []
        for _ in 0..<16 { many.append(try cache.run(100)) }
        for run in many { unsafe try cache.deallocate(run.pointer, pages: 100) }
        for _ in many { _ = try cache.run(100) }
        // Seven pages, then an aligned one, then seven.
        let block = try cache.run(16, alignment: 1 << 16)
        var sevens: [Run] = []
        for _ in 0..<count { sevens.append(try cache.run(7)) }
        arena.give(block.part(0, 1), &recorder)
        let fifteen = block.part(1, 15)
        for run in sevens { unsafe try cache.deallocate(run.pointer, pages: 7) }
        unsafe try cache.deallocate(fifteen.pointer, pages: 15)
        let other = try cache.run(120)
        unsafe try cache.deallocate(other.pointer, pages: 120)
        let before = arena.settledStatistics
        let run = try cache.run(1, alignment: 1 << 16)
        let after = arena.settledStatistics
        recorder.expectEqual(run.address & 0xffff, 0, "aligned")
        recorder.expectEqual(after.inUseBytes, before.inUseBytes + 8192, "in use")
        recorder.expect(arena.brokenInvariant() == nil, "invariants")
        let isCut = after.atHandBytes < before.atHandBytes
        if !isCut { refused.append(count) }
        recorder.expectEqual(
          after.atHandBytes, before.atHandBytes - (isCut ? 8192 : 0), "at hand")
        unsafe try cache.deallocate(run.pointer, pages: 1)
      }
      if !recorder.isGood { return }
    }
    // A stack of 32 is full, or has room for one; where it was full before, half of it went
    // elsewhere. Beside 32 there is a rest of seven pages, left of the block that the last came
    // from.
    recorder.expect(refused == [31, 47, 48, 63, 64], "\(refused) refused")
  },

  Check("aligned: what is no alignment is refused, whatever is at hand") { recorder in
    guard let arena = makeArena(&recorder), let run = arena.take(3, &recorder) else { return }
    arena.give(run, &recorder)
    let before = arena.settledStatistics
    // The last is all of the space, or nothing on a 32-bit host.
    let all = Int(truncatingIfNeeded: Int64(1) << 32)
    for alignment in [0, -1, -8192, 3, 12_288, 8193, .max, .min, all] {
      recorder.context = "\(alignment)"
      let error = PageArenaError.badAlignment(alignment: alignment)
      recorder.expect(arena.errorOfTaking(3, alignment: alignment) == error, "arena")
      recorder.throwsError(error) { () throws(PageArenaError) in
        _ = try arena.allocateRun(pages: 3, alignment: alignment)
      }
      withCache(of: arena, &recorder) { cache, recorder throws(PageArenaError) in
        recorder.throwsError(error) { () throws(PageArenaError) in
          _ = try cache.run(3, alignment: alignment)
        }
      }
    }
    for pages in [0, -1, .min, .max] {
      recorder.expect(
        arena.errorOfTaking(pages, alignment: 1 << 16)?.isAboutPageCount == true, "\(pages) pages")
    }
    recorder.expect(arena.settledStatistics.inUseBytes == before.inUseBytes, "nothing is in use")
    recorder.expect(
      arena.settledStatistics.atHandBytes == before.atHandBytes, "nothing has changed")
  },

  Check("aligned: caches are taken back while threads use them") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    let pairs = [AlignedPairs(arena), AlignedPairs(arena), AlignedPairs(arena)]
    runThreads(pairs, meanwhile: { for _ in 0..<200 { arena.drainCaches() } }) { $0.run() }
    for each in pairs {
      recorder.expectEqual(each.faults.load(ordering: .relaxed), 0, "faults in a thread")
    }
    recorder.expectEqual(arena.settledStatistics.inUseBytes, 0, "in use at the end")
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
  },
]

/// Page counts, and alignments as powers of two: for the hot run, stacks, long runs and spare ones.
private let sizesAndAlignments = [
  (1, 14), (1, 16), (2, 22), (8, 16), (16, 16), (127, 20), (128, 17), (512, 21), (2048, 24),
  (4096, 22),
]

extension PageArenaError {
  fileprivate var isAboutPageCount: Bool {
    if case .badPageCount = self { true } else { false }
  }
}

extension Run {
  /// Whether another run is a part of this one.
  fileprivate func contains(_ other: Run) -> Bool {
    other.address >= address
      && other.address + UInt(other.pages) << 13 <= address + UInt(pages) << 13
  }
}

/// Owners of aligned runs come and go, and the last one goes after the arena.
private func useOwners(_ calls: FakeCalls, _ recorder: inout Recorder) {
  guard var arena = makeArena(&recorder, calls: calls) as PageArena? else { return }
  for (pages, log) in sizesAndAlignments {
    recorder.context = "\(pages) pages at 2^\(log)"
    guard let run = arena.own(pages, alignment: 1 << log, &recorder) else { return }
    let address = run.address
    recorder.expectEqual(address & (1 << UInt(log) - 1), 0, "aligned")
    run.deallocate()
    let freed = arena.settledStatistics.atHandBytes
    guard var again = arena.own(pages, alignment: 1 << log, &recorder) else { return }
    recorder.expectEqual(again.address, address, "it comes again")
    recorder.expectEqual(
      arena.settledStatistics.atHandBytes, freed - UInt64(pages) << 13, "no longer at hand")
    again.stamp(1)
    again.deallocate()
    guard let zeroed = arena.own(pages, alignment: 1 << log, zeroed: true, &recorder) else {
      return
    }
    recorder.expect(zeroed.address == address && zeroed.isZero(), "and again, as zero")
  }
  guard let last = arena.own(16, alignment: 1 << 16, &recorder),
    let other = makeArena(&recorder)
  else { return }
  arena = other
  recorder.expect(
    calls.mappedByteCount.load(ordering: .relaxed) > 0, "mapped as long as the run lives")
  last.deallocate()
}

/// A thread that takes and frees aligned runs.
private final class AlignedPairs: Sendable {
  let arena: PageArena
  let faults = Atomic<Int>(0)

  init(_ arena: PageArena) { self.arena = arena }

  func run() {
    for index in 0..<20_000 {
      let pages = [1, 16, 130][index % 3]
      guard let run = try? arena.run(pages, alignment: 1 << 16) else {
        faults.add(1, ordering: .relaxed)
        return
      }
      run.stamp(UInt64(index))
      if run.address & 0xffff != 0 || !run.isStamped(UInt64(index))
        || arena.errorOfGiving(run) != nil
      {
        faults.add(1, ordering: .relaxed)
      }
    }
  }
}
