import PageAlloc

/// Where a run goes, on drawn heaps.
package let allocatorPlacementChecks: [Check] = [
  Check("allocator: nothing grown, nothing to be had") { recorder in
    guard let subject = makeAllocator(&recorder) else { return }
    recorder.expect(subject.allocator.allocate(1) == nil, "a page")
    recorder.expect(subject.allocator.find(1) == nil, "a look")
    recorder.expect(subject.allocator.allocateBlock().isEmpty, "a cache")
    recorder.expectEqual(subject.allocator.scavenge(.max, .force), 0, "bytes to scavenge")
    recorder.expectEqual(subject.allocator.searchPage, Geometry.pageCount, "search address")
    recorder.expect(subject.allocator.brokenInvariant() == nil, "invariants")
  },
  Check("allocator: drawn heaps, at the edges of every level") { recorder in
    for chunk in [1, 7, 8, 63, 64, 511, 512, 1021] {
      for row in rows {
        recorder.context = "chunk \(chunk), \(row.heap.description)"
        guard let subject = makeHeap(chunk, row.heap, &recorder) else { return }
        let page = row.place < 0 ? -1 : chunk * 512 + row.place
        recorder.expectEqual(subject.allocator.find(row.count)?.page ?? -1, page, "find")
        recorder.expectEqual(subject.allocator.allocate(row.count)?.page ?? -1, page, "allocate")
        recorder.expect(subject.allocator.brokenInvariant() == nil, "invariants")
      }
    }
  },
  Check("allocator: a run never crosses a gap between chunks") { recorder in
    guard let subject = makeAllocator(&recorder) else { return }
    subject.allocator.grow(5..<6)
    subject.allocator.grow(7..<8)
    recorder.expect(subject.allocator.allocate(513) == nil, "513 pages in chunks 5 and 7")
    recorder.expectEqual(subject.allocator.summaries.longestRun, 512, "longest run")
    subject.allocator.grow(9..<11)
    recorder.expectEqual(
      subject.allocator.find(513)?.page ?? -1, 9 * 512, "513 pages above two gaps")
    recorder.expectEqual(
      subject.allocator.lowestRun(513, notBelow: 5 * 512) ?? -1, 9 * 512, "not below chunk 5")
    subject.allocator.grow(6..<7)
    recorder.expectEqual(
      subject.allocator.allocate(1536)?.page ?? -1, 5 * 512, "chunks 5 to 7, the gap closed")
    recorder.expectEqual(subject.allocator.ranges.count, 2, "ranges")
  },
  Check("allocator: a run that must not start below a page starts at it or above") { recorder in
    for chunk in [1, 7, 63, 511] {
      guard let subject = makeHeap(chunk, "#400 .300 #10 .20 #", &recorder) else { return }
      let rows = [  // pages, not below, where
        [1, 0, 400], [300, 0, 400], [300, 401, -1], [299, 401, 401], [200, 500, 500],
        [100, 500, 500], [201, 500, -1], [188, 512, 512], [20, 690, 710], [19, 711, 711],
        [20, 711, -1], [1, 730, -1], [1, 1024, -1],
      ]
      for row in rows {
        let found = subject.allocator.lowestRun(row[0], notBelow: chunk * 512 + row[1])
        recorder.expectEqual(
          found ?? -1, row[2] < 0 ? -1 : chunk * 512 + row[2],
          "\(row[0]) pages not below \(row[1]), chunk \(chunk)")
      }
    }
  },
  Check("allocator: the whole space in runs of every power of two") { recorder in
    guard let subject = makeAllocator(&recorder) else { return }
    subject.allocator.grow(Geometry.growableChunks)
    let all = Geometry.growableChunks.count * 512
    recorder.expectEqual(subject.allocator.summaries.longestRun, all, "longest run")
    recorder.expect(subject.allocator.allocate(all + 1) == nil, "a page more than there is")
    recorder.expect(subject.allocator.allocate(all) ?? (-1, -1) == (512, all), "all of it")
    recorder.expect(subject.allocator.allocate(1) == nil, "a page more")
    recorder.expectEqual(subject.allocator.searchPage, Geometry.pageCount, "search address")
    subject.allocator.free(512, all)
    recorder.expectEqual(subject.allocator.searchPage, 512, "search address, all free")
    var next = 512
    for log in 0..<19 {
      let count = 1 << log
      if next + count > 512 + all { break }
      recorder.expect(
        subject.allocator.allocate(count) ?? (-1, -1) == (next, 0), "a run of \(count)")
      next += count
    }
    recorder.expect(subject.allocator.brokenInvariant() == nil, "invariants")
    recorder.expectEqual(subject.allocator.summaries.longestRun, 512 + all - next, "what is left")
  },
  Check("allocator: a heap filled with one size holds as many as fit, then refuses") { recorder in
    for count in [1, 3, 64, 100, 511, 512, 513, 1000] {
      guard let subject = makeAllocator(&recorder) else { return }
      subject.allocator.grow(62..<66)
      var fit = 0
      while let place = subject.allocator.allocate(count) {
        recorder.expectEqual(place.page, 62 * 512 + fit * count, "run \(fit) of \(count)")
        recorder.expectEqual(place.scavengedPages, count, "scavenged pages in run \(fit)")
        fit += 1
      }
      recorder.expectEqual(fit, 2048 / count, "runs of \(count)")
      recorder.expect(subject.allocator.brokenInvariant() == nil, "invariants at \(count)")
    }
  },
]

private struct Row: Sendable {
  /// Two chunks.
  let heap: StaticString
  let count: Int
  /// Where the run goes, from the first of the two; -1 for nowhere.
  let place: Int
}

private let rows: [Row] = [
  Row(heap: ".", count: 1, place: 0),
  Row(heap: ".", count: 1024, place: 0),
  Row(heap: ".", count: 1025, place: -1),
  Row(heap: "#", count: 1, place: -1),
  Row(heap: "#1023 .", count: 1, place: 1023),
  Row(heap: "# . #3 .2 #3 .3 #", count: 1, place: 1),
  Row(heap: "# . #3 .2 #3 .3 #", count: 2, place: 5),
  Row(heap: "# . #3 .2 #3 .3 #", count: 3, place: 10),
  Row(heap: "# . #3 .2 #3 .3 #", count: 4, place: -1),
  // Across the edge between the chunks.
  Row(heap: "#511 .2 #", count: 2, place: 511),
  Row(heap: "#510 .3 #", count: 3, place: 510),
  Row(heap: "#500 .100 #", count: 100, place: 500),
  Row(heap: "#500 .100 #", count: 101, place: -1),
  Row(heap: "# .1022 #", count: 1022, place: 1),
  // A long run above a short one: the short one is passed over, but not for a page.
  Row(heap: "#9 .8 #500 .64 #", count: 64, place: 517),
  Row(heap: "#9 .8 #500 .64 #", count: 8, place: 9),
  // The first chunk ends in free pages that the second does not continue.
  Row(heap: "#502 .10 #4 .11 #", count: 11, place: 516),
  // A run of the first chunk's end and all of the second.
  Row(heap: "#256 .", count: 768, place: 256),
]

/// An allocator with two chunks that look like a picture.
private func makeHeap(
  _ chunk: ChunkIndex, _ text: StaticString, _ recorder: inout Recorder
) -> StandaloneAllocator? {
  guard let subject = makeAllocator(&recorder) else { return nil }
  subject.allocator.grow(chunk..<(chunk + 2))
  let used = HeapPicture(text, pageCount: 1024).used
  _ = subject.allocator.allocate(1024)
  for place in 0..<1024 where !used[place] { subject.allocator.free(chunk * 512 + place, 1) }
  return subject
}
