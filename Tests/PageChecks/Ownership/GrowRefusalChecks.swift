import PageAlloc
import Synchronization

/// A run that cannot grow where it is, because of what follows it.
package let growRefusalChecks: [Check] = [
  Check("grow: pages that are somebody's are refused without a drain") { recorder in
    let calls = FakeCalls()
    guard let arena = makeArena(&recorder, calls: calls) else { return }
    withCache(of: arena, &recorder) { cache, recorder throws(PageArenaError) in
      // Something that a drain would take.
      let (spare, other) = (try cache.run(1), try cache.run(30))
      guard var run = arena.own(20, &recorder), let gap = arena.take(20, &recorder),
        let wall = arena.own(20, &recorder)
      else { return }
      let barriers = calls.barrierCount.load(ordering: .relaxed)
      recorder.expect(cache.errorOfGiving(spare) == nil, "freed")
      recorder.expect(!run.grow(to: 21), "the run behind it is somebody's")
      arena.give(gap, &recorder)
      _ = try arena.releaseFreeMemory()
      recorder.expect(cache.errorOfGiving(other) == nil, "freed")
      let drained = calls.barrierCount.load(ordering: .relaxed)
      recorder.expect(!run.grow(to: 60), "some pages are free, the next one is not")
      recorder.expectEqual(
        calls.barrierCount.load(ordering: .relaxed), drained, "barriers for 40 pages more")
      recorder.expectEqual(barriers, 1, "barriers for one page more, and one for the arena")
      recorder.expect(run.grow(to: 40), "all of the pages are free")
      recorder.expectEqual(wall.pages, 20, "the wall stands")
    }
  },

  Check("grow: a run behind the guard, and the end of the arena, are refused at once") {
    recorder in
    let calls = FakeCalls()
    guard let arena = makeArena(&recorder, calls: calls) else { return }
    withCache(of: arena, &recorder) { cache, recorder throws(PageArenaError) in
      let spare = try cache.run(1)
      guard var run = arena.own(8, guarded: true, &recorder) else { return }
      recorder.expect(cache.errorOfGiving(spare) == nil, "freed")
      // The page behind the guard: it is free, or somebody's already.
      let behind = run.address + UInt(9 * PageArena.pageSize)
      if let pointer = unsafe UnsafeMutableRawPointer(bitPattern: behind) {
        _ = unsafe try arena.allocate(at: pointer, pages: 1)
      }
      let barriers = calls.barrierCount.load(ordering: .relaxed)
      recorder.expect(!run.grow(to: 9), "a run follows the guard")
      guard var last = arena.own(400, &recorder) else { return }
      recorder.expect(!last.grow(to: 1 << 19), "beyond the arena")
      recorder.expectEqual(calls.barrierCount.load(ordering: .relaxed), barriers, "barriers")
      recorder.expectEqual(run.pages, 8, "as it was")
    }
  },

  Check("grow: pages that a cache holds are had by a drain") { recorder in
    let calls = FakeCalls()
    guard let arena = makeArena(&recorder, calls: calls) else { return }
    withCache(of: arena, &recorder) { cache, recorder throws(PageArenaError) in
      guard var run = arena.own(300, &recorder), let next = arena.take(100, &recorder),
        let wall = arena.own(1, &recorder)
      else { return }
      recorder.expectEqual(next.address, run.address + 300 * 8192, "right behind")
      recorder.expect(cache.errorOfGiving(next) == nil, "in the cache")
      recorder.expect(run.grow(to: 350), "grows into the cached pages")
      recorder.expectEqual(wall.pages, 1, "the wall stands")
    }
  },
]
