import PageAlloc

/// Summaries of a chunk and searches in it.
package let pallocBitsChecks: [Check] = [
  Check("chunk bits: drawn chunks are summarised and searched right") { recorder in
    for index in 0..<chunkPictures.count {
      recorder.context = chunkPictures[index].description
      let used = HeapPicture(chunkPictures[index]).used
      checkSummary(used, &recorder)
      for place in [0, 1, 63, 64, 200, 448, 511] { checkFind(used, place, &recorder) }
    }
  },
  Check("chunk bits: random chunks are summarised and searched right") { recorder in
    for seed in 0..<120 {
      recorder.context = "seed \(seed)"
      var random = SplitMix64(seed: UInt64(seed))
      let used = random.bits(512)
      checkSummary(used, &recorder)
      checkFind(used, 0, &recorder)
      checkFind(used, random.below(512), &recorder)
      if !recorder.isGood { return }
    }
  },
  Check("chunk bits: one hole of every size at every edge is summarised right") { recorder in
    let edges = [0, 1, 32, 63, 64, 65, 128, 255, 256, 448, 511]
    for first in edges {
      for size in [1, 2, 31, 61, 62, 63, 64, 65, 127, 128, 129, 256] where first + size <= 512 {
        var used = [Bool](repeating: true, count: 512)
        for place in first..<(first + size) { used[place] = false }
        checkSummary(used, &recorder)
        withBits(used) { view in
          let found = PallocBits(view).find(size, from: 0)
          recorder.expectEqual(found?.first ?? -1, first, "hole of \(size) at \(first)")
          recorder.expect(PallocBits(view).find(size + 1, from: 0) == nil, "no hole of \(size + 1)")
        }
      }
    }
  },
]

private func checkSummary(_ used: [Bool], _ recorder: inout Recorder) {
  let slow = SlowSum(used)
  withBits(used) { view in
    let sum = PallocBits(view).summarize()
    recorder.expectEqual(sum.start, slow.start, "start")
    recorder.expectEqual(sum.max, slow.longest, "max")
    recorder.expectEqual(sum.end, slow.end, "end")
  }
}

/// Searches for every size that matters, from a place on.
private func checkFind(_ used: [Bool], _ place: Int, _ recorder: inout Recorder) {
  let sizes = [1, 2, 3, 5, 8, 31, 32, 33, 62, 63, 64, 65, 66, 100, 127, 128, 129, 256, 511, 512]
  let word = place / 64 * 64
  let firstFree = slowFirstRun(used, of: false, count: 1, from: word) ?? -1
  withBits(used) { view in
    let bits = PallocBits(view)
    for size in sizes {
      let slow = slowFirstRun(used, of: false, count: size, from: word)
      let found = bits.find(size, from: place)
      recorder.expectEqual(found?.first ?? -1, slow ?? -1, "find(\(size), from: \(place))")
      if let found {
        recorder.expectEqual(found.firstFree, firstFree, "first free, from: \(place)")
      }
      recorder.expectEqual(
        bits.find(size, notBelow: place) ?? -1,
        slowFirstRun(used, of: false, count: size, from: place) ?? -1,
        "find(\(size), notBelow: \(place))")
    }
  }
}
