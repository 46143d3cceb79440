import PageAlloc
import SysMem

/// The small stores of a heap, each by itself.
package let heapStoreChecks: [Check] = [
  Check("detached runs: sorted by address, counted, as an array has them") { recorder in
    for seed in 1...50 {
      recorder.context = "seed \(seed)"
      var random = SplitMix64(seed: UInt64(seed))
      var runs = DetachedRuns()
      var naive: [Range<Int>] = []
      recorder.expect(runs.isEmpty, "empty at first")
      for _ in 0..<300 {
        if naive.count == DetachedRuns.capacity || (random.below(3) == 0 && !naive.isEmpty) {
          runs.remove(naive.remove(at: random.below(naive.count)))
        } else {
          // Next to each other now and then, and up to the last page.
          let count = random.below(2) == 0 ? 64 : 1 + random.below(64)
          let run = Range(start: (8191 - random.below(200)) * 64, count: count)
          if naive.contains(where: { $0.overlaps(run) }) { continue }
          runs.insert(run)
          naive.append(run)
          naive.sort { $0.lowerBound < $1.lowerBound }
        }
        recorder.expectEqual(runs.runCount, naive.count, "runs")
        recorder.expectEqual(runs.pageCount, naive.reduce(0) { $0 + $1.count }, "pages")
        recorder.expect(runs.isEmpty == naive.isEmpty, "whether it is empty")
        for index in 0..<naive.count where runs[index] != naive[index] {
          recorder.fail("run \(index): \(runs[index]), not \(naive[index])")
        }
        if !recorder.isGood { return }
      }
    }
  },

  Check("limbo: last in, first out; what has no room is counted for good") { recorder in
    var limbo = Limbo()
    recorder.expect(limbo.take() == nil, "empty at first")
    for index in 0..<70 {
      limbo.put(Range(start: index * 100, count: index + 1))
      recorder.expectEqual(limbo.count, min(index + 1, 64), "runs")
    }
    recorder.expectEqual(limbo.pageCount, 64 * 65 / 2, "pages that have room")
    recorder.expectEqual(limbo.strandedPages, 65 + 66 + 67 + 68 + 69 + 70, "pages that have none")
    for index in stride(from: 63, through: 0, by: -1) {
      recorder.expect(
        limbo.take() == Range(start: index * 100, count: index + 1), "run \(index)")
    }
    recorder.expect(limbo.take() == nil, "empty again")
    recorder.expectEqual(limbo.pageCount, 0, "pages")
    recorder.expectEqual(limbo.strandedPages, 405, "what was stranded stays so")
  },

  Check("limbo: what waits for the kernel is nobody's, and cannot be freed again") { recorder in
    let calls = FakeCalls(hugePageSize: 0)
    guard let arena = makeArena(&recorder, calls: calls), let wall = arena.take(1, &recorder)
    else { return }
    for pages in [1, 2, 7, 127, 128, 300, 512] {
      recorder.context = "\(pages) pages"
      guard var owned = arena.own(pages, &recorder),
        let base = unsafe UnsafeMutableRawPointer(bitPattern: owned.address)
      else { return }
      let run = unsafe Run(base, pages: pages)
      recorder.succeeds("decommit") { () throws(PageArenaError) in try owned.decommit(in: 0..<1) }
      calls.refuse(.mmap)
      owned.deallocate()
      calls.failNoMore()
      let last = run.part(pages - 1, 1)
      recorder.expect(
        arena.errorOfGiving(run) == .notInUse(base: run.address, pages: pages), "a second free")
      recorder.expect(
        arena.errorOfGivingWhole(run) == .notAStart(base: run.address), "of its address")
      recorder.expect(
        arena.errorOfGiving(last) == .notInUse(base: last.address, pages: 1), "of its last page")
      recorder.expect(arena.extent(at: run.address) == nil, "no run")
      var runs = 0
      arena.forEachRun { _ in runs += 1 }
      recorder.expectEqual(runs, 1, "runs in use")
      recorder.expect(arena.brokenInvariant() == nil, "invariants")
      arena.expectPages(inUse: UInt64(pages) + 1, inaccessible: 0, &recorder)
      recorder.expectEqual(arena.emptyLimbo(), pages * 8192, "free later")
      arena.expectPages(inUse: 1, inaccessible: 0, &recorder)
      recorder.expect(arena.brokenInvariant() == nil, "invariants afterwards")
    }
    arena.give(wall, &recorder)
  },

  Check("detach all: chunks that have nothing to give are passed over by words") { recorder in
    guard !isEmulated else { return recorder.leaveOut("times of an emulator tell nothing") }
    guard let bare = makeHeap(&recorder), let run = bare.fill(4096, &recorder) else { return }
    var (least, leastByPage) = (UInt64.max, UInt64.max)
    for _ in 0..<5 {
      let start = Moment.now
      let next = bare.heap.detachFree(below: run.upperBound)
      least = min(least, Moment.now.elapsed(since: start))
      recorder.expect(next == nil, "nothing is free")
      let startByPage = Moment.now
      var free = 0
      for page in run where bare.heap.allocator.isFree(page, 1) { free += 1 }
      leastByPage = min(leastByPage, Moment.now.elapsed(since: startByPage))
      recorder.expectEqual(free, 0, "free pages")
    }
    recorder.tell("\(least) ns, \(leastByPage) to look at each page")
    recorder.expect(least < leastByPage / 8, "a look at each page, under the lock")
    bare.give(run, of: run)
  },

  Check("owners: an orphan ends with its last owner, once the caches were added up") { recorder in
    var owners = Owners()
    owners.live = 2
    recorder.expect(!owners.haveAllGone, "the arena is there")
    recorder.expect(!owners.removeOne(), "an owner goes before the arena")
    recorder.expect(!owners.removeOne(), "and the other")
    recorder.expect(!owners.haveAllGone, "the arena is still there")
    owners.isOrphan = true
    recorder.expect(!owners.haveAllGone, "caches may count some")
    // Owners that came by the lock and went by a cache: what the lock has counted is below zero.
    owners.live = -3
    owners.add(counted: 5)
    recorder.expectEqual(owners.live, 2, "all that live")
    recorder.expect(owners.isSum && !owners.haveAllGone, "two live")
    recorder.expect(!owners.removeOne(), "one is left")
    recorder.expect(owners.removeOne(), "the last one")
    recorder.expect(owners.haveAllGone, "all have gone")

    var none = Owners()
    none.isOrphan = true
    none.live = 4
    none.add(counted: -4)
    recorder.expect(none.haveAllGone, "nobody lived when the arena went")
  },
]
