import PageAlloc

/// Where there is something to give back.
package let scavengeIndexChecks: [Check] = [
  Check("index: an empty one finds nothing") { recorder in
    withIndex { index in
      recorder.expect(index.find(.force) == nil, "force")
      recorder.expect(index.find(.background) == nil, "background")
      index.sysGrow(lowestChunk: 5)
      recorder.expect(index.find(.force) == nil, "force, grown")
      index.nextGeneration()
      recorder.expect(index.find(.background) == nil, "background, grown")
    }
  },
  Check("index: a free is seen by force at once, by the background a generation on") { recorder in
    withIndex { index in
      index.sysGrow(lowestChunk: 3)
      index.noteAllocated(chunk: 9, pageCount: 100)
      index.noteFreed(chunk: 9, first: 10, pageCount: 20)
      recorder.expect(index.find(.force) ?? (0, 0) == (9, 29), "force")
      recorder.expect(index.find(.background) == nil, "background")
      index.nextGeneration()
      recorder.expect(index.find(.background) ?? (0, 0) == (9, 29), "background, later")
      index.setEmpty(9)
      recorder.expect(index.find(.force) == nil, "nothing left")
      recorder.expectEqual(index.forceCursor.page, 9 * 512 + 29, "a marked cursor stays")
    }
  },
  Check("index: random changes agree with the rules, at every generation") { recorder in
    let generations: [UInt32] = [0, 41, 0xffff_fffc]
    for start in generations {
      for seed in 0..<3 {
        recorder.context = "seed \(seed), generation \(start)"
        var random = SplitMix64(seed: UInt64(seed) ^ UInt64(start))
        var naive = NaiveScavengeIndex()
        naive.generation = start
        withIndex { index in
          index.generation = start
          for step in 0..<500 {
            change(&index, &naive, &random, "step \(step)", &recorder)
            compare(index, naive, chunks, "step \(step)", &recorder)
            if !recorder.isGood { return }
          }
        }
      }
    }
  },
]

private let chunks = 1..<14

private func withIndex(_ body: (inout ScavengeIndex) -> Void) {
  unsafe withWords(Geometry.chunkCount) { words in
    // A word a chunk, zero.
    var index = unsafe ScavengeIndex(storage: words)
    body(&index)
  }
}

private func change(
  _ index: inout ScavengeIndex, _ naive: inout NaiveScavengeIndex, _ random: inout SplitMix64,
  _ step: String, _ recorder: inout Recorder
) {
  let chunk = chunks.lowerBound + random.below(chunks.count)
  let inUse = naive.records[chunk].inUse
  switch random.below(20) {
  case 0..<6:
    if inUse == 512 { return }
    // Often full or nearly so: that is where the rules have their edges.
    let count = random.below(2) == 0 ? 512 - inUse : 1 + random.below(512 - inUse)
    naive.allocated(chunk, count)
    index.noteAllocated(chunk: chunk, pageCount: count)
  case 6..<12:
    if inUse == 0 { return }
    let count = 1 + random.below(random.below(2) == 0 ? min(20, inUse) : inUse)
    let first = random.below(512 - count + 1)
    naive.freed(chunk, last: first + count - 1, count)
    index.noteFreed(chunk: chunk, first: first, pageCount: count)
  case 12..<17:
    let mode: ScavengeMode = random.below(2) == 0 ? .force : .background
    let expected = naive.find(mode)
    let found = index.find(mode)
    recorder.expect(found ?? (0, 0) == expected ?? (0, 0), "\(step): find")
    if let found, random.below(2) == 0 {
      naive.records[found.chunk].flag = false
      index.setEmpty(found.chunk)
    }
  case 17:
    naive.nextGeneration()
    index.nextGeneration()
  case 18:
    naive.records[chunk].flag = false
    index.setEmpty(chunk)
  default:
    naive.grow(chunk)
    index.sysGrow(lowestChunk: chunk)
  }
}
