import PageAlloc

/// Frees in batches, and summaries made from the ones before.
package let batchChecks: [Check] = [
  Check("batch: the same state as one by one") { recorder in
    for seed in 0..<40 {
      recorder.context = "seed \(seed)"
      var random = SplitMix64(seed: UInt64(seed))
      guard let one = try? StandaloneAllocator(), let other = try? StandaloneAllocator() else {
        return recorder.fail("no allocator")
      }
      one.allocator.grow(3..<7)
      other.allocator.grow(3..<7)
      var runs: [(page: Int, pages: Int)] = []
      for _ in 0..<400 {
        let pages = random.logarithmic(random.below(20) == 0 ? 10 : 4)
        let a = one.allocator.allocate(pages)
        let b = other.allocator.allocate(pages)
        recorder.expect(a?.page == b?.page, "placement")
        if let a { runs.append((a.page, pages)) }
      }
      while !runs.isEmpty {
        var batch = RunBatch()
        var freed: [(page: Int, pages: Int)] = []
        for _ in 0...random.below(64) where !runs.isEmpty {
          runs.swapAt(random.below(runs.count), runs.count - 1)
          let run = runs.removeLast()
          batch.add(run.page, run.pages)
          freed.append(run)
        }
        freed.sort { $0.page < $1.page }
        for run in freed { one.allocator.free(run.page, run.pages) }
        other.allocator.free(&batch)
        recorder.expect(other.allocator.brokenInvariant() == nil, "invariants")
        for level in 0..<Geometry.summaryLevels {
          for index in 0..<Geometry.entryCount(level) {
            recorder.expect(
              one.allocator.summaries.entry(level: level, index: index)
                == other.allocator.summaries.entry(level: level, index: index), "summaries")
          }
        }
        recorder.expectEqual(
          one.allocator.searchPage, other.allocator.searchPage, "search address")
        recorder.expectEqual(
          one.allocator.scavengeIndex.forceCursor.page,
          other.allocator.scavengeIndex.forceCursor.page, "cursor")
        if !recorder.isGood { return }
      }
    }
  },

  Check("summaries after a change are what a look at all words gives") { recorder in
    guard let owner = try? StandaloneAllocator() else { return recorder.fail("no allocator") }
    let bits = owner.allocator.chunk(9).allocated
    owner.allocator.grow(9..<10)
    var random = SplitMix64(seed: 77)
    for step in 0..<20_000 {
      recorder.context = "step \(step)"
      let before = bits.summarize()
      let first = random.below(512)
      let wanted = first..<min(512, first + random.logarithmic(9))
      if random.below(16) == 0, let word = bits.firstWordWithFreePage(from: 0) {
        bits.bits.setWord(word, ~0)
        let after = bits.summary(afterTakingUpTo: word, before)
        recorder.expect(after == bits.summarize(), "after all up to word \(word) was taken")
      } else if bits.bits.isAllOnes(in: wanted) {
        bits.bits.remove(wanted)
        let after = bits.summary(afterFreeing: wanted, before)
        recorder.expect(after == bits.summarize(), "after a free of \(wanted)")
      } else if bits.bits.isAllZeros(in: wanted) {
        bits.bits.insert(wanted)
        let after = bits.summary(afterTaking: wanted, before)
        recorder.expect(after == bits.summarize(), "after \(wanted) was taken")
      } else if random.below(4) == 0 {
        bits.bits.insert(wanted)
      } else if random.below(3) == 0 {
        bits.bits.remove(wanted)
      }
      if !recorder.isGood { return }
    }
  },
]
