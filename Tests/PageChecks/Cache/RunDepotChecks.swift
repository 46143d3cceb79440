import PageAlloc

/// What caches share, beside a list that is kept in the order of arrival.
package let runDepotChecks: [Check] = [
  Check("magazine: it keeps its runs in order, and counts their pages") { recorder in
    for size in [1, 7, 16, 127] {
      recorder.context = "runs of \(size) pages"
      let magazine = Magazine(of: size) {
        CachedRun(page: 512 + $0 * size, isZero: $0 % 3 == 0)
      }
      recorder.expectEqual(magazine.pagesPerRun, size, "size")
      recorder.expectEqual(magazine.pageCount, 16 * size, "pages")
      for place in 0..<Magazine.capacity {
        recorder.expectEqual(magazine[place].page, 512 + place * size, "run \(place)")
        recorder.expect(magazine[place].isZero == (place % 3 == 0), "run \(place) is zero")
      }
    }
  },

  Check("depot: the newest magazine of a size goes first, sizes do not mix") { recorder in
    //   | 1 a | 2 a | 1 b | 2 b | 1 c |   take 2: 2 b, take 1: 1 c, then 1 b, then 1 a
    var depot = RunDepot()
    for (size, mark) in [(1, 0), (2, 1), (1, 2), (2, 3), (1, 4)] { depot.put(.marked(size, mark)) }
    recorder.expectEqual(depot.pageCount, 16 * 7, "pages")
    recorder.expect(depot.takeMagazine(of: 3) == nil, "none of three pages")
    for (size, mark) in [(2, 3), (1, 4), (1, 2), (1, 0), (2, 1)] {
      recorder.expectEqual(depot.takeMagazine(of: size)?.mark ?? -1, mark, "of \(size)")
    }
    recorder.expect(depot.takeMagazine(of: 1) == nil, "nothing is left")
    recorder.expectEqual(depot.pageCount, 0, "pages at the end")
  },

  Check("depot: the oldest magazines give way, to the capacity and to 32") { recorder in
    var depot = RunDepot()
    for mark in 0..<32 { depot.put(.marked(1, mark)) }
    recorder.expectEqual(
      depot.evictMagazine(toFit: 16, within: .max)?.mark ?? -1, 0, "the list is full")
    recorder.expect(depot.evictMagazine(toFit: 16, within: .max) == nil, "one is enough")
    recorder.expect(depot.evictMagazine(toFit: 16, within: 32 * 16) == nil, "just at the capacity")
    // 31 are left; 28 may stay beside one of 3 pages a run.
    for mark in 1..<4 {
      recorder.expectEqual(depot.evictMagazine(toFit: 48, within: 31 * 16)?.mark ?? -1, mark, "old")
    }
    recorder.expect(depot.evictMagazine(toFit: 48, within: 31 * 16) == nil, "then there is room")
    var left = 0
    while depot.evictMagazine(toFit: 0, within: 0) != nil { left += 1 }
    recorder.expectEqual(left, 28, "a capacity of 0 empties it")
    recorder.expectEqual(depot.magazinePages, 0, "pages")
  },

  Check("depot: a long run is matched by size and alignment, the newest first") { recorder in
    var depot = RunDepot()
    let any = PageAllocator.Alignment(pages: 1, phase: 0)
    for page in [1024, 1160, 2048, 2184] { depot.putLong(page, 136) }
    depot.putLong(4096, 200)
    recorder.expectEqual(depot.longestRun, 200, "the longest")
    recorder.expect(depot.takeLong(137, any) == nil, "none is just as long")
    let aligned = PageAllocator.Alignment(pages: 1024, phase: 0)
    recorder.expectEqual(depot.takeLong(136, aligned) ?? -1, 2048, "the newest that lies right")
    let shifted = PageAllocator.Alignment(pages: 512, phase: 376)
    recorder.expectEqual(
      depot.takeLong(136, shifted) ?? -1, 2184, "in a space that starts elsewhere")
    recorder.expectEqual(depot.takeLong(136, any) ?? -1, 1160, "the newest of all")
    recorder.expectEqual(depot.takeLong(200, any) ?? -1, 4096, "the longer one")
    recorder.expectEqual(depot.takeLong(136, any) ?? -1, 1024, "the oldest")
    recorder.expectEqual(depot.longestRun, 0, "none is left")
    recorder.expectEqual(depot.pageCount, 0, "pages")
  },

  Check("depot: random magazines and long runs, beside a list") { recorder in
    for seed in 0..<20 where recorder.isGood {
      recorder.context = "seed \(seed)"
      var random = SplitMix64(seed: UInt64(seed))
      var depot = RunDepot()
      var model = NaiveDepot()
      for step in 0..<600 where recorder.isGood {
        model.step(step, &depot, &random, &recorder)
        recorder.expectEqual(depot.magazineCount, model.magazines.count, "magazines")
        recorder.expectEqual(depot.magazinePages, model.magazinePages, "their pages")
        recorder.expectEqual(depot.longRunCount, model.long.count, "long runs")
        recorder.expectEqual(depot.longRunPages, model.longPages, "their pages")
      }
    }
  },
]

/// The same as lists in the order of arrival.
private struct NaiveDepot {
  var magazines: [(size: Int, mark: Int)] = []
  var long: [Range<Int>] = []

  var magazinePages: Int { magazines.reduce(0) { $0 + 16 * $1.size } }
  var longPages: Int { long.reduce(0) { $0 + $1.count } }

  /// One operation on both.
  mutating func step(
    _ step: Int, _ depot: inout RunDepot, _ random: inout SplitMix64, _ recorder: inout Recorder
  ) {
    let size = random.logarithmic(4)
    let pages = 128 + random.below(3)
    switch random.below(4) {
    case 0:
      let capacity = 16 * random.logarithmic(8)
      while let magazine = depot.evictMagazine(toFit: 16 * size, within: capacity) {
        recorder.expectEqual(magazine.mark, magazines.first?.mark ?? -1, "\(step): the oldest")
        if !magazines.isEmpty { magazines.removeFirst() }
      }
      let fits = magazines.count < 32 && magazinePages + 16 * size <= capacity
      recorder.expect(fits || magazines.isEmpty, "\(step): room for one more")
      depot.put(.marked(size, step))
      magazines.append((size, step))
    case 1:
      let index = magazines.lastIndex { $0.size == size }
      let expected = index.map { magazines.remove(at: $0).mark }
      recorder.expectEqual(
        depot.takeMagazine(of: size)?.mark ?? -1, expected ?? -1, "\(step): of \(size)")
    case 2:
      let capacity = 128 * random.logarithmic(5)
      while let run = depot.evictLong(toFit: pages, within: capacity) {
        recorder.expect(run == long.first, "\(step): the oldest long run")
        if !long.isEmpty { long.removeFirst() }
      }
      let fits = long.count < 16 && longPages + pages <= capacity
      recorder.expect(fits || long.isEmpty, "\(step): room for one long run more")
      let page = 512 * (1 + random.below(900)) + random.below(2) * 4
      depot.putLong(page, pages)
      long.append(page..<(page + pages))
    default:
      let aligned = random.below(2) == 0 ? 1 : 8
      let index = long.lastIndex { $0.count == pages && $0.lowerBound % aligned == 0 }
      let expected = index.map { long.remove(at: $0).lowerBound }
      recorder.expectEqual(
        depot.takeLong(pages, PageAllocator.Alignment(pages: aligned, phase: 0)) ?? -1,
        expected ?? -1, "\(step): \(pages) pages")
    }
  }
}

extension Magazine {
  /// One that can be told from others.
  fileprivate static func marked(_ size: Int, _ mark: Int) -> Magazine {
    Magazine(of: size) { CachedRun(page: 512 * (1 + mark) + $0 * size, isZero: false) }
  }

  fileprivate var mark: Int { self[0].page / 512 - 1 }
}
