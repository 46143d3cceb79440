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
  Check("chunk bits: a run of every length at every place of a word is summarised right") {
    recorder in
    for word in surroundings {
      let around = slowBits(word)
      for place in 0..<64 {
        for size in 1...66 {
          recorder.context = "\(size) at \(place) in \(hex(word))"
          var used = [Bool](repeating: true, count: 192)
          for page in 0..<192 { used[page] = around[page % 64] }
          if place > 0 { used[63 + place] = true }
          for page in (64 + place)..<(64 + place + size) where page < 192 { used[page] = false }
          if place + size < 128 { used[64 + place + size] = true }
          // In the middle of the chunk, and at its ends.
          let full = [Bool](repeating: true, count: 128)
          checkSummary(full + used + full + Array(full[0..<64]), &recorder)
          checkSummary(Array(used[64..<192]) + full + full + Array(used[0..<128]), &recorder)
        }
        if !recorder.isGood { return }
      }
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
  Check("chunk bits: the first word with a free page is found from any word on, or none is") {
    recorder in
    for hole in [-1, 0, 63, 64, 200, 447, 448, 511] {
      var used = [Bool](repeating: true, count: 512)
      if hole >= 0 { used[hole] = false }
      withBits(used) { view in
        for word in 0..<8 {
          recorder.expectEqual(
            PallocBits(view).firstWordWithFreePage(from: word) ?? -1,
            hole >= 0 && hole / 64 >= word ? hole / 64 : -1, "hole at \(hole), from word \(word)")
        }
      }
    }
  },
]

/// What the rest of a chunk is like, around a run: all in use, or free here and there. The latter
/// makes chunks with no half of a word free, and chunks with one.
private let surroundings: [UInt64] = [
  ~0, 0xaaaa_aaaa_aaaa_aaaa, 0x8001_8001_8001_8001, 0x0000_0001_8000_0000,
  0x8000_0000_0000_0001, 0x0040_0000_0000_0000,
]

private func checkSummary(_ used: [Bool], _ recorder: inout Recorder) {
  let slow = SlowSum(used)
  withBits(used) { view in
    let sum = PallocBits(view).summarize()
    recorder.expectEqual(sum.start, slow.start, "start")
    recorder.expectEqual(sum.max, slow.longest, "max")
    recorder.expectEqual(sum.end, slow.end, "end")
    for least in [0, slow.longest / 2, max(slow.longest - 1, 0), slow.longest] {
      for most in [slow.longest, min(slow.longest + 1, 512), 512] {
        recorder.expectEqual(
          PallocBits(view).longestRun(atLeast: least, atMost: most), slow.longest,
          "longest of \(least) ... \(most)")
      }
    }
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
