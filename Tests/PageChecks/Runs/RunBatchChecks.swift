import PageAlloc

/// Runs that go back together, without an allocator.
package let runBatchChecks: [Check] = [
  Check("run batch: it holds 64, counts their pages, and forgets all") { recorder in
    var batch = RunBatch()
    var pages = 0
    for index in 0..<64 {
      recorder.expect(!batch.isFull, "room for run \(index)")
      batch.add(index * 1000, index + 1)
      pages += index + 1
      recorder.expectEqual(batch.count, index + 1, "runs")
      recorder.expectEqual(batch.pageCount, pages, "pages")
    }
    recorder.expect(batch.isFull, "full")
    batch.removeAll()
    recorder.expectEqual(batch.count + batch.pageCount, 0, "what is left")
    batch.add(7, 8)
    recorder.expect(batch[0] == (7, 8) && batch.count == 1, "used again")
  },

  Check("run batch: sorted by page, whatever the order and the lengths") { recorder in
    for seed in 1...200 {
      recorder.context = "seed \(seed)"
      var random = SplitMix64(seed: UInt64(seed))
      var batch = RunBatch()
      // The last page and the longest run that there are, too.
      var naive: [(page: Int, count: Int)] = [(Geometry.pageCount - 1, 1), (0, Geometry.pageCount)]
      for _ in 0..<random.below(63) {
        naive.append((1 + random.below(Geometry.pageCount - 2), random.logarithmic(18)))
      }
      for run in naive { batch.add(run.page, run.count) }
      for index in 0..<naive.count {
        recorder.expect(batch[index] == naive[index], "run \(index), as it was added")
      }
      batch.sort()
      naive.sort { $0.page < $1.page || ($0.page == $1.page && $0.count < $1.count) }
      for index in 0..<naive.count {
        recorder.expect(batch[index] == naive[index], "run \(index), sorted")
      }
    }
  },
]
