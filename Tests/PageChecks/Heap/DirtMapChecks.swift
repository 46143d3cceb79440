import PageAlloc

/// Which pages of a run may hold something, beside an array of flags.
package let dirtMapChecks: [Check] = [
  Check("dirt map: random pages of several chunks, from any page on") { recorder in
    guard let subject = makeAllocator(&recorder) else { return }
    let first = 3 * Geometry.pagesPerChunk
    let count = 10 * Geometry.pagesPerChunk
    subject.allocator.grow(3..<13)
    var isDirty = [Bool](repeating: false, count: count)
    var random = SplitMix64(seed: 1)
    for _ in 0..<400 {
      let run = Range(start: random.below(count), count: random.logarithmic(6)).clamped(
        to: 0..<count)
      _ = subject.allocator.allocateRange(first + run.lowerBound, run.count)
      subject.allocator.free(first + run.lowerBound, run.count)
      for page in run { isDirty[page] = true }
    }
    for index in 0..<200 {
      let start = random.below(count)
      let pages = min(index < 8 ? DirtMap.pageCapacity : random.logarithmic(12), count - start)
      recorder.context = "\(pages) pages from \(start)"
      var map = DirtMap()
      map.read(first + start, pages, subject.allocator)
      var told = [Bool](repeating: false, count: pages)
      var end = -1
      map.forEachDirtyRun(pageCount: pages) { run in
        recorder.expect(
          run.lowerBound > end && !run.isEmpty, "\(run) after \(end): apart, in order")
        end = run.upperBound
        for page in run { told[page] = true }
      }
      recorder.expect(end <= pages, "the last ends at \(end)")
      for page in 0..<pages where told[page] != isDirty[start + page] {
        recorder.fail("page \(page) is \(told[page] ? "clean" : "dirty")")
      }
      if !recorder.isGood { return }
    }
  },

  Check("dirt map: of a run beyond its capacity nothing is known to be zero") { recorder in
    guard let subject = makeAllocator(&recorder) else { return }
    subject.allocator.grow(1..<20)
    for (pages, dirty) in [(DirtMap.pageCapacity, 0), (DirtMap.pageCapacity + 1, 4096)] {
      var map = DirtMap()
      map.read(Geometry.pagesPerChunk, pages, subject.allocator)
      var sum = 0
      map.forEachDirtyRun(pageCount: DirtMap.pageCapacity) { sum += $0.count }
      recorder.expectEqual(sum, dirty, "dirty pages of \(pages)")
    }
  },
]
