import PageAlloc

/// A heap without an arena, case by case. It does not own its caches, so each check keeps them.
package let heapChecks: [Check] = [
  Check("heap: what is no part of a run is refused, and says why") { recorder in
    guard let subject = makeHeap(&recorder), let all = subject.fill(512, &recorder) else { return }
    // Runs of 100 and 50 pages, 30 that are free, and a run to the end of what there is.
    let first = all.lowerBound
    subject.heap.divide(first, at: first + 100)
    subject.heap.divide(first + 100, at: first + 150)
    subject.give(Range(start: first + 150, count: 30), of: (first + 150)..<all.upperBound)
    let rows: [(start: Int, count: Int, run: Range<Int>?, error: PageArenaError?)] = [
      (0, 1, 0..<100, nil), (0, 100, 0..<100, nil), (99, 1, 0..<100, nil),
      (100, 50, 100..<150, nil), (180, 332, 180..<512, nil), (511, 1, 180..<512, nil),
      (0, 101, nil, .pastEndOfRun(base: 7, pages: 101)),
      (99, 51, nil, .pastEndOfRun(base: 7, pages: 51)),
      (0, 151, nil, .pastEndOfRun(base: 7, pages: 151)),
      (149, 2, nil, .pastEndOfRun(base: 7, pages: 2)),
      (150, 1, nil, .notInUse(base: 7, pages: 1)), (179, 2, nil, .notInUse(base: 7, pages: 2)),
      (511, 2, nil, .foreign(base: 7)), (512, 1, nil, .foreign(base: 7)),
      (-1, 1, nil, .foreign(base: 7)),
    ]
    for row in rows {
      recorder.context = "\(row.count) pages from \(row.start)"
      let part = Range(start: first + row.start, count: row.count)
      do throws(PageArenaError) {
        let run = try subject.heap.run(around: part, at: 7)
        recorder.expectEqual(run.lowerBound - first, row.run?.lowerBound ?? -9, "its run's start")
        recorder.expectEqual(run.upperBound - first, row.run?.upperBound ?? -9, "its run's end")
      } catch { recorder.expect(error == row.error, error.description) }
    }
    recorder.context = ""
    recorder.expect(subject.heap.brokenInvariant() == nil, "looking changes nothing")
  },

  Check("heap: a long run that nobody has goes to the next who asks, else to who needs it") {
    recorder in
    guard let subject = makeHeap(&recorder), let all = subject.fill(2048, &recorder) else { return }
    let cache = BareCache(subject)
    defer { withExtendedLifetime(cache) {} }
    subject.heap.add(cache.reference)
    // A limit of nothing: the cache has no room for it, and the depot has.
    subject.heap.divide(all.lowerBound, at: all.lowerBound + 300)
    recorder.expect(
      subject.heap.makeRoomAndPut(all.lowerBound, 300, cache.reference, limit: 0), "put")
    recorder.expectEqual(subject.heap.depot.pageCount, 300, "in the depot")
    recorder.expectEqual(subject.heap.counts.allocated, 2048, "out of the allocator")
    recorder.expectEqual(subject.heap.inUsePages, 1748, "in use")
    recorder.expectEqual(subject.heap.largestFreeRun, 300, "the longest to be had")
    recorder.expectEqual(subject.take(300)?.page ?? -1, all.lowerBound, "it comes again")
    recorder.expectEqual(subject.heap.depot.pageCount, 0, "and is there no more")
    recorder.expect(
      subject.heap.makeRoomAndPut(all.lowerBound, 300, cache.reference, limit: 0), "put again")
    recorder.expect(subject.take(301) == nil, "no run that is longer")
    subject.heap.spareGrowth(cache.reference, for: 301)
    recorder.expectEqual(subject.heap.counts.allocated, 1748, "given back before it grows")
    recorder.expect(subject.heap.brokenInvariant() == nil, "sound")
  },

  Check("heap: a cache that retires gives all back, and its next owner finds it empty") {
    recorder in
    guard let subject = makeHeap(&recorder), let all = subject.fill(512, &recorder) else { return }
    let cache = BareCache(subject)
    defer { withExtendedLifetime(cache) {} }
    recorder.expect(subject.heap.obtainCache() == nil, "there is none yet")
    subject.heap.add(cache.reference)
    subject.heap.divide(all.lowerBound, at: all.lowerBound + 9)
    recorder.expect(
      subject.heap.makeRoomAndPut(all.lowerBound, 9, cache.reference, limit: 1024),
      "given to the cache")
    recorder.expectEqual(subject.heap.heldPages, 9, "held")
    recorder.expectEqual(subject.heap.inUsePages, 503, "in use")
    _ = subject.heap.retire(cache.reference)
    recorder.expectEqual(subject.heap.heldPages, 0, "held by nobody")
    recorder.expectEqual(subject.heap.counts.allocated, 503, "the allocator has them")
    recorder.expect(subject.heap.obtainCache() == cache.reference, "used again")
    recorder.expect(cache.take(9) == nil, "empty")
    recorder.expect(subject.heap.obtainCache() == nil, "by one owner")
  },

  Check("heap: in a child, what a cache had whose owner was inside is in use for ever") {
    recorder in
    guard let subject = makeHeap(&recorder), let all = subject.fill(512, &recorder) else { return }
    let caches = [BareCache(subject), BareCache(subject)]
    defer { withExtendedLifetime(caches) {} }
    var run = all
    for (index, cache) in caches.enumerated() {
      subject.heap.add(cache.reference)
      subject.heap.divide(run.lowerBound, at: run.lowerBound + 5 + index)
      recorder.expect(
        subject.heap.makeRoomAndPut(run.lowerBound, 5 + index, cache.reference, limit: 1024),
        "given to cache \(index)")
      run = (run.lowerBound + 5 + index)..<run.upperBound
    }
    recorder.expect(caches[1].reference.front.enter(), "inside")
    subject.heap.takeOrphanedCaches()
    recorder.expectEqual(subject.heap.lostCaches, 1, "caches whose pages are lost")
    recorder.expectEqual(subject.heap.heldPages, 0, "held")
    recorder.expectEqual(subject.heap.counts.allocated, 512 - 5, "what the other had is free")
    recorder.expectEqual(subject.heap.inUsePages, 507, "in use")
    recorder.expect(subject.heap.brokenInvariant() == nil, "sound all the same")
  },

  Check("heap: owners are added up when nobody is inside a cache, and then none comes in") {
    recorder in
    guard let subject = makeHeap(&recorder), let all = subject.fill(512, &recorder) else { return }
    let cache = BareCache(subject)
    defer { withExtendedLifetime(cache) {} }
    subject.heap.add(cache.reference)
    subject.heap.divide(all.lowerBound, at: all.lowerBound + 3)
    recorder.expect(
      subject.heap.makeRoomAndPut(all.lowerBound, 3, cache.reference, limit: 1024),
      "given to the cache")
    recorder.expectEqual(cache.take(3, as: .owned) ?? -1, all.lowerBound, "an owner takes it")
    recorder.expect(cache.reference.front.enter(), "inside")
    subject.heap.closeCaches()
    recorder.expect(!subject.heap.addUpOwners(), "somebody may be counting")
    recorder.expect(!subject.heap.owners.isSum && subject.heap.owners.isOrphan, "an orphan as yet")
    cache.reference.front.leave()
    recorder.expect(subject.heap.addUpOwners(), "nobody is inside")
    recorder.expectEqual(subject.heap.owners.live, 1, "owners")
    recorder.expect(!cache.give(all.lowerBound, 3, as: .owned), "no owner goes by the cache")
    recorder.expect(subject.heap.owners.removeOne(), "the last owner goes by the lock")
  },

  Check("heap: units that are in use as a whole are found, over gaps and chunks") { recorder in
    guard let subject = makeHeap(&recorder), let all = subject.fill(1536, &recorder) else { return }
    let first = all.lowerBound
    for page in [100, 300, 511, 512, 900] {
      guard let run = try? subject.heap.run(around: Range(start: first + page, count: 1), at: 0)
      else { return recorder.fail("no run around page \(page)") }
      subject.give(Range(start: first + page, count: 1), of: run)
    }
    let rows: [(from: Int, unit: Int, found: Int?)] = [
      (0, 256, 768 + 256), (0, 64, 0), (64, 64, 128), (256, 64, 320), (448, 64, 576),
      (512, 64, 576), (1472, 64, 1472), (0, 512, 1024), (1024, 512, 1024),
    ]
    for row in rows {
      recorder.context = "units of \(row.unit) from \(row.from)"
      let found = subject.heap.nextFullUnit(from: first + row.from, row.unit)
      recorder.expectEqual(found.map { $0 - first } ?? -1, row.found ?? -1, "the unit")
    }
  },
]
