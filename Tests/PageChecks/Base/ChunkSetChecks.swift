import PageAlloc

/// A set of chunks, beside an array of flags.
package let chunkSetChecks: [Check] = [
  Check("chunk set: random chunks, as an array has them") { recorder in
    for seed in 1...20 {
      recorder.context = "seed \(seed)"
      var random = SplitMix64(seed: UInt64(seed))
      var set = ChunkSet()
      var flags = [Bool](repeating: false, count: Geometry.chunkCount)
      recorder.expect(set.firstRange(from: 0) == nil, "empty at first")
      for _ in 0..<seed {
        let first = random.below(Geometry.chunkCount)
        let end = min(first + random.logarithmic(6), Geometry.chunkCount)
        set.insert(first..<end)
        for chunk in first..<end { flags[chunk] = true }
      }
      for chunk in 0..<Geometry.chunkCount {
        recorder.expect(set.contains(chunk) == flags[chunk], "chunk \(chunk)")
      }
      for chunk in [0, 1, 63, 64, 512, 1000, 1023] {
        recorder.expect(
          set.firstRange(from: chunk) == firstRange(flags, from: chunk), "from chunk \(chunk)")
      }
    }
  },

  Check("chunk set: the ends of words and of the space") { recorder in
    let rows: [(chunks: Range<Int>, from: Int, found: Range<Int>?)] = [
      (0..<1, 0, 0..<1), (0..<1, 1, nil), (63..<65, 0, 63..<65), (63..<65, 64, 64..<65),
      (1023..<1024, 5, 1023..<1024), (1023..<1024, 1023, 1023..<1024), (0..<1024, 0, 0..<1024),
      (64..<128, 1, 64..<128), (64..<128, 128, nil), (5..<5, 0, nil),
    ]
    for row in rows {
      recorder.context = "\(row.chunks), from \(row.from)"
      var set = ChunkSet()
      set.insert(row.chunks)
      recorder.expect(set.firstRange(from: row.from) == row.found, "the first chunks")
    }
  },
]

private func firstRange(_ flags: [Bool], from chunk: Int) -> Range<Int>? {
  guard let first = flags[chunk...].firstIndex(of: true) else { return nil }
  return first..<(flags[first...].firstIndex(of: false) ?? flags.count)
}
