import PageAlloc

/// The long runs of one cache.
package let longRunsChecks: [Check] = [
  Check("long runs: there is room for none at first, then up to the capacity") { recorder in
    var runs = LongRuns()
    recorder.expect(!runs.put(512, 128), "no room yet")
    runs.raiseCapacity(for: 1000, limit: 999)
    recorder.expect(!runs.put(512, 128), "not within the limit: no room either")
    runs.raiseCapacity(for: 128, limit: 999)
    recorder.expectEqual(runs.capacity, 128, "the first capacity")
    recorder.expect(runs.put(512, 128), "just fits")
    recorder.expect(!runs.put(1024, 128), "no more")
    runs.raiseCapacity(for: 200, limit: 999)
    recorder.expectEqual(runs.capacity, 512, "doubled until it fits")
    recorder.expect(runs.put(1024, 384), "just fits, too")
    recorder.expectEqual(runs.pageCount.load(ordering: .relaxed), 512, "pages")
    runs.resetCapacity()
    recorder.expectEqual(runs.capacity, 0, "none again")
  },

  Check("long runs: just the length counts, the newest that fits goes first") { recorder in
    var runs = LongRuns()
    runs.raiseCapacity(for: 4096, limit: 4096)
    for (page, pages) in [(512, 130), (1024, 131), (1536, 130), (2048, 255), (2560, 256)] {
      recorder.expect(runs.put(page, pages), "put \(page)")
    }
    recorder.expect(runs.take(132) { _ in true } == nil, "none is just as long")
    recorder.expect(runs.take(130) { _ in false } == nil, "none fits")
    recorder.expectEqual(runs.take(130) { $0 < 1000 } ?? -1, 512, "the one that fits")
    recorder.expectEqual(runs.take(130) { _ in true } ?? -1, 1536, "the other")
    recorder.expectEqual(runs.take(256) { _ in true } ?? -1, 2560, "of the next level")
    recorder.expect(runs.take(Geometry.pageCount) { _ in true } == nil, "more than there are")
    recorder.expect(runs.take(.max) { _ in true } == nil, "far more than there are")
    recorder.expectEqual(runs.pageCount.load(ordering: .relaxed), 131 + 255, "pages left")
  },

  Check("long runs: eight for each power of two, and all come out again") { recorder in
    var runs = LongRuns()
    runs.raiseCapacity(for: 500_000, limit: 500_000)
    var sum = 0
    for level in 0..<10 {
      let pages = 128 << level
      for index in 0..<8 {
        if sum + pages + index > 500_000 { break }
        recorder.expect(runs.put(512 + index, pages + index), "\(index) of level \(level)")
        sum += pages + index
      }
      if level < 8 { recorder.expect(!runs.put(4096, pages), "the ninth of level \(level)") }
    }
    recorder.expectEqual(runs.pageCount.load(ordering: .relaxed), sum, "pages")
    var drained = 0
    runs.drain { _, pages in drained += pages }
    recorder.expectEqual(drained, sum, "pages that came out")
    recorder.expectEqual(runs.pageCount.load(ordering: .relaxed), 0, "pages left")
    recorder.expect(runs.put(512, 128), "there is room again")
    runs.forget()
    recorder.expect(runs.take(128) { _ in true } == nil, "it was forgotten")
  },
]
