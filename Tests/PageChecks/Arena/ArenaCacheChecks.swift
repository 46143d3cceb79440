import CSysMem
import PageAlloc
import Synchronization

/// Runs that threads keep at hand.
package let arenaCacheChecks: [Check] = [
  Check("cache: what was freed comes again, and counts as free") { recorder in
    // The scavenger's thread would take what is at hand.
    guard let arena = try? PageArena(scavenging: .manual) else { return }
    for pages in [1, 2, 16, 17, 64, 127, 128, 512, 2048] {
      guard let run = arena.take(pages, &recorder) else { return }
      run.stamp(UInt64(pages))
      arena.give(run, &recorder)
      recorder.expectEqual(arena.statistics.inUseBytes, 0, "bytes in use after \(pages) pages")
      guard let again = arena.take(pages, &recorder) else { return }
      recorder.expect(again == run, "\(pages) pages come again")
      recorder.expect(again.isStamped(UInt64(pages)), "warm")
      arena.give(again, &recorder)
    }
    recorder.expect(arena.statistics.cachedBytes > 0, "something is at hand")
    _ = try? arena.releaseFreeMemory()
    let statistics = arena.statistics
    recorder.expectEqual(statistics.cachedBytes, 0, "at hand after release")
    recorder.expectEqual(statistics.freeMaybeResidentBytes, 0, "resident after release")
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
  },

  Check("cache: a second free is caught, of whole runs and of parts") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    for pages in [1, 5, 127, 128, 600] {
      recorder.context = "\(pages) pages"
      guard let run = arena.take(pages, &recorder), let guardRun = arena.take(1, &recorder) else {
        return
      }
      arena.give(run, &recorder)
      let before = arena.statistics
      recorder.expect(
        arena.errorOfGiving(run) == .notInUse(base: run.address, pages: pages), "again")
      let last = run.part(pages - 1, 1)
      recorder.expect(
        arena.errorOfGiving(last) == .notInUse(base: last.address, pages: 1), "its last page")
      recorder.expect(arena.statistics == before, "nothing changed")
      arena.give(guardRun, &recorder)
    }
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
  },

  Check("cache: a part that looks like a run is none") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    // The table keeps the length of a long run behind its first page.
    for pages in [128, 200, 255, 4096, 70_000] {
      recorder.context = "\(pages) pages"
      arena.drainCaches()
      guard let run = arena.take(pages, &recorder) else { return }
      for start in 1...8 {
        for count in [1, 2, 63, 64, 127] {
          recorder.expect(
            arena.errorOfGiving(run.part(start, pages))
              != nil, "past the end from page \(start)")
          let part = run.part(start, min(count, pages - start))
          arena.give(part, &recorder)
          recorder.expect(arena.brokenInvariant() == nil, "invariants")
          // Put together again by freeing the rest.
          arena.give(run.part(0, start), &recorder)
          if start + part.pages < pages {
            arena.give(run.part(start + part.pages, pages - start - part.pages), &recorder)
          }
          recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use")
          arena.drainCaches()
          guard let again = arena.take(pages, &recorder) else { return }
          recorder.expect(again == run, "all of it again")
          if !recorder.isGood { return }
        }
      }
      arena.give(run, &recorder)
    }
  },

  Check("cache: zeroed runs are zero, whatever was at hand") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    var random = SplitMix64(seed: 5)
    var live: [Run] = []
    for _ in 0..<3000 {
      if live.count < 60, random.below(2) == 0 {
        guard let run = arena.take(random.logarithmic(5), zeroed: true, &recorder) else { return }
        recorder.expect(run.isZero, "zero")
        if !recorder.isGood { return }
        run.stamp(random.next())
        live.append(run)
      } else if !live.isEmpty {
        arena.give(live.remove(at: random.below(live.count)), &recorder)
      }
      if random.below(200) == 0 { _ = try? arena.releaseFreeMemory() }
    }
  },

  Check("cache: many long runs at hand go back at once when the arena grows") { recorder in
    if growsByPieces {
      recorder.leaveOut("more than a batch of long runs is more than a 32-bit host has room for")
      return
    }
    guard let arena = try? PageArena(threadCacheByteCount: .max, scavenging: .manual) else {
      return recorder.fail("no arena")
    }
    // Eight for each power of two from 128 on, and two more: 66, none of them touched.
    var runs: [Run] = []
    for index in 0..<66 {
      guard let run = arena.take(128 << (index / 8), &recorder) else { return }
      runs.append(run)
    }
    let bytes = arena.statistics.inUseBytes
    for run in runs { arena.give(run, &recorder) }
    recorder.expectEqual(arena.statistics.cachedBytes, bytes, "all is at hand")
    guard let large = arena.take(1 << 17, &recorder) else { return }
    recorder.expectEqual(arena.statistics.cachedBytes, 0, "at hand after growth")
    arena.give(large, &recorder)
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use")
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
  },

  Check("cache: more pages than there are come of no cache, whatever is at hand") { recorder in
    guard let arena = makeArena(&recorder, caching: true) else { return }
    var runs: [Run] = []
    for pages in [200, 200, 200, 200, 200, 200, 200, 200, 400, 900, 2000] {
      guard let run = arena.take(pages, &recorder) else { return }
      runs.append(run)
    }
    for run in runs { arena.give(run, &recorder) }
    let limit = 1022 * 512
    for shift in 19..<(Int.bitWidth - 1) {
      for pages in [1 << shift, 1 << shift - 1 + 1 << (shift - 1)] {
        let expected = PageArenaError.badPageCount(pages: pages, limit: limit)
        recorder.expect(arena.errorOfTaking(pages) == expected, "2^\(shift): \(pages)")
        let error = arena.errorOfTaking(pages, alignment: 1 << 20)
        recorder.expect(error == expected, "2^\(shift), aligned: \(pages)")
      }
    }
  },

  Check("cache: an idle thread's pages are taken back") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    let idler = IdleThread(arena)
    runThreads(
      [idler],
      meanwhile: {
        idler.waitUntilIdle()
        recorder.expect(arena.statistics.cachedBytes >= 100 * 8192, "the idle thread has pages")
        let released = (try? arena.releaseFreeMemory()) ?? 0
        recorder.expect(released > 0, "pages were released")
        recorder.expectEqual(arena.statistics.cachedBytes, 0, "at hand after release")
        idler.goOn()
      }
    ) { $0.run() }
    recorder.expectEqual(idler.faults.load(ordering: .relaxed), 0, "faults in the thread")
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
  },

  Check("cache: a thread's end gives everything back") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    for _ in 0..<20 {
      runThreads([IdleThread(arena)]) { $0.use() }
      recorder.expectEqual(arena.statistics.cachedBytes, 0, "at hand when the thread has ended")
      recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use when the thread has ended")
    }
    // Twenty threads, one after the other, and this one: two caches.
    guard arena.take(1, &recorder) != nil else { return }
    recorder.expect(arena.statistics.metadataBytes < 128 << 10, "caches are used again")
  },

  Check("cache: arenas come and go under a thread") { recorder in
    guard let first = makeArena(&recorder), let kept = first.take(3, &recorder) else { return }
    for round in 0..<20 {
      guard let arena = makeArena(&recorder, byteCount: 64 << 20) else { return }
      for pages in 1...20 {
        guard let run = arena.take(pages, &recorder) else { return }
        run.stamp(UInt64(round))
        arena.give(run, &recorder)
      }
      guard let run = first.take(2, &recorder) else { return }
      first.give(run, &recorder)
    }
    first.give(kept, &recorder)
    recorder.expect(first.brokenInvariant() == nil, "invariants")
  },

  Check("cache: a handle serves, takes back, and gives everything back at its end") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    do throws(PageArenaError) {
      var cache = try arena.makeCache()
      var runs: [Run] = []
      for index in 0..<500 {
        let pages = 1 + index % 150
        let run = unsafe Run(try cache.allocate(pages: pages), pages: pages)
        run.stamp(UInt64(index))
        runs.append(run)
      }
      for index in 0..<runs.count {
        recorder.expect(runs[index].isStamped(UInt64(index)), "run \(index) keeps its contents")
        // By the handle, and by the arena.
        if index % 3 == 0 {
          arena.give(runs[index], &recorder)
        } else {
          unsafe try cache.deallocate(runs[index].pointer, pages: runs[index].pages)
        }
      }
      do throws(PageArenaError) {
        unsafe try cache.deallocate(runs[1].pointer, pages: runs[1].pages)
        recorder.fail("a second free by the handle")
      } catch {
        recorder.expect(
          error == .notInUse(base: runs[1].address, pages: runs[1].pages), error.description)
      }
      recorder.expectEqual(arena.settledStatistics.inUseBytes, 0, "in use")
      recorder.expect(arena.settledStatistics.cachedBytes > 0, "something is at hand")
    } catch { recorder.fail(error.description) }
    arena.drainCaches()
    recorder.expectEqual(arena.settledStatistics.cachedBytes, 0, "at hand after the handle's end")
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
  },

  Check("cache: one thread frees what another allocates") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    let belt = Belt(arena)
    runThreads([BeltEnd(belt, isProducer: true), BeltEnd(belt, isProducer: false)]) { $0.run() }
    recorder.expectEqual(belt.faults.load(ordering: .relaxed), 0, "faults")
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use at the end")
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
  },

  Check("cache: pages are taken back while threads are inside") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    let idlers = [IdleThread(arena), IdleThread(arena), IdleThread(arena)]
    runThreads(
      idlers,
      meanwhile: {
        for _ in 0..<200 { arena.drainCaches() }
      }
    ) { for _ in 0..<300 { $0.use() } }
    for idler in idlers {
      recorder.expectEqual(idler.faults.load(ordering: .relaxed), 0, "faults in a thread")
    }
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use at the end")
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
  },
]
