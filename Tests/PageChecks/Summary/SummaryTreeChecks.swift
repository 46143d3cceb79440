import PageAlloc

/// The whole tree of summaries.
package let summaryTreeChecks: [Check] = [
  Check("tree: every entry says what counting its pages says, after random updates") { recorder in
    for seed in 0..<2 {
      recorder.context = "seed \(seed)"
      var random = SplitMix64(seed: UInt64(seed))
      unsafe withWords(Geometry.summaryEntryCount) { words in
        // As many words as the tree needs.
        var tree = unsafe SummaryTree.sysInit(storage: words)
        tree.sysGrow(1..<1023)
        var used = [Bool](repeating: true, count: Geometry.pageCount)
        for step in 0..<300 {
          if random.below(3) == 0 {
            updateMany(&tree, &used, &random)
          } else {
            updateOne(&tree, &used, &random)
          }
          if step % 150 == 149 { checkAll(tree, used, "step \(step)", &recorder) }
        }
      }
    }
  },
  Check("tree: an entry after a change is the merge of all its children") { recorder in
    unsafe withWords(Geometry.summaryEntryCount) { words in
      // As many words as the tree needs.
      var tree = unsafe SummaryTree.sysInit(storage: words)
      tree.sysGrow(1..<1023)
      var random = SplitMix64(seed: 33)
      for step in 0..<20_000 {
        recorder.context = "step \(step)"
        // Around the middle of the root, and now and then all over.
        let chunk = random.below(20) == 0 ? 1 + random.below(1022) : 440 + random.below(144)
        tree.update(leaf: chunk, sumOfFewRuns(&random))
        var index = chunk
        for level in [2, 1, 0] {
          index >>= 3
          recorder.expectEqual(
            tree.entry(level: level, index: index).packed,
            tree.mergeOfChildren(level: level, index: index).packed, "level \(level)")
        }
        if !recorder.isGood { return }
      }
    }
  },
  Check("tree: lengths grow in whole blocks and never shrink") { recorder in
    unsafe withWords(Geometry.summaryEntryCount) { words in
      // As many words as the tree needs.
      var tree = unsafe SummaryTree.sysInit(storage: words)
      let rows = [  // first chunk, end, lengths afterwards
        [1, 2, 2, 8, 8, 8], [7, 8, 2, 8, 8, 8], [8, 9, 2, 8, 8, 16], [63, 64, 2, 8, 8, 64],
        [64, 65, 2, 8, 16, 72], [511, 512, 2, 8, 64, 512], [3, 4, 2, 8, 64, 512],
        [511, 513, 2, 16, 72, 520], [1000, 1023, 2, 16, 128, 1024],
      ]
      for level in 0..<4 { recorder.expectEqual(tree.length(level: level), 0, "at first") }
      for row in rows {
        tree.sysGrow(row[0]..<row[1])
        for level in 0..<4 {
          recorder.expectEqual(
            tree.length(level: level), row[2 + level], "level \(level), chunk \(row[0])")
        }
      }
    }
  },
  Check("tree: the longest run is known from the root, across its middle too") { recorder in
    let rows = [  // free chunks, from and to
      [511, 513], [1, 3], [1021, 1023], [500, 600], [1, 512], [512, 1023], [1, 1023],
    ]
    for row in rows {
      unsafe withWords(Geometry.summaryEntryCount) { words in
        // As many words as the tree needs.
        var tree = unsafe SummaryTree.sysInit(storage: words)
        tree.sysGrow(row[0]..<row[1])
        tree.update(
          leaves: row[0]...(row[1] - 1), first: .freeChunk, areInnerFree: true, last: .freeChunk)
        recorder.expectEqual(tree.longestRun, (row[1] - row[0]) * 512, "free from \(row[0])")
      }
    }
  },
]

/// The summary of a chunk that is free, in use, or in which few pages are in use.
private func sumOfFewRuns(_ random: inout SplitMix64) -> PallocSum {
  switch random.below(8) {
  case 0...4: return .freeChunk
  case 5: return .none
  default:
    let first = random.below(512)
    let last = first + random.below(512 - first)
    let inner = random.below(max(1, last - first))
    return PallocSum(start: first, max: max(first, inner, 511 - last), end: 511 - last)
  }
}

/// New contents for one chunk.
private func updateOne(
  _ tree: inout SummaryTree, _ used: inout [Bool], _ random: inout SplitMix64
) {
  let chunk = 1 + random.below(1022)
  let sum = fill(chunk, &used, &random)
  tree.update(leaf: chunk, sum)
}

/// New contents for several chunks, as a long run makes them.
private func updateMany(
  _ tree: inout SummaryTree, _ used: inout [Bool], _ random: inout SplitMix64
) {
  let count = 2 + random.logarithmic(7)
  let first = 1 + random.below(1022 - count)
  let last = first + count - 1
  let isFree = random.below(2) == 0
  for page in (first * 512)..<(last * 512) { used[page] = !isFree }
  let low = fill(first, &used, &random)
  let high = fill(last, &used, &random)
  tree.update(leaves: first...last, first: low, areInnerFree: isFree, last: high)
}

private func fill(
  _ chunk: ChunkIndex, _ used: inout [Bool], _ random: inout SplitMix64
) -> PallocSum {
  let bits = random.below(4) == 0 ? HeapPicture(".").used : random.bits(512)
  for place in 0..<512 { used[chunk * 512 + place] = bits[place] }
  return packed(SlowSum(bits))
}

private func checkAll(
  _ tree: borrowing SummaryTree, _ used: [Bool], _ step: String, _ recorder: inout Recorder
) {
  for level in 0..<Geometry.summaryLevels {
    let size = Geometry.pageCount / Geometry.entryCount(level)
    for index in 0..<Geometry.entryCount(level) {
      let slow = SlowSum((index * size)..<((index + 1) * size)) { used[$0] }
      recorder.expectEqual(
        tree.entry(level: level, index: index).packed, packed(slow).packed,
        "\(step), level \(level), entry \(index)")
    }
  }
  let all = SlowSum(0..<Geometry.pageCount) { used[$0] }
  recorder.expectEqual(tree.longestRun, all.longest, "\(step), longest run")
}
