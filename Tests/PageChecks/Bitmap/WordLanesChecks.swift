import PageAlloc

/// Eight words side by side, beside the same done bit by bit.
package let wordLanesChecks: [Check] = [
  Check("word lanes: a single one is seen wherever it is, and so is an empty half") { recorder in
    recorder.expect(!WordLanes(repeating: 0).hasOnes, "nothing")
    for lane in 0..<8 {
      for bit: UInt64 in 0..<64 {
        var lanes = WordLanes(repeating: 0)
        lanes[lane] = 1 << bit
        recorder.expect(lanes.hasOnes, "bit \(bit) of word \(lane)")
      }
      for half: UInt64 in [0, 32] {
        // All other halves have a single one, at either edge; this one has none, or one, too.
        for ones: UInt64 in [0x0000_0001_0000_0001, 0x8000_0000_8000_0000] {
          var lanes = WordLanes(repeating: ones)
          recorder.expect(!lanes.hasEmptyHalf, "a one in each half")
          lanes[lane] = ones & ~(0xffff_ffff << half)
          recorder.expect(lanes.hasEmptyHalf, "half \(half / 32) of word \(lane)")
        }
      }
    }
  },

  Check("word lanes: halves and longest runs agree with the slow look") { recorder in
    var random = SplitMix64(seed: 8)
    for step in 0..<4000 {
      var lanes = WordLanes(repeating: 0)
      var longest = 0
      var hasEmptyHalf = false
      // Mostly few ones, mostly many, or a few runs.
      let density = random.below(4)
      for lane in 0..<8 {
        var word: UInt64 =
          switch density {
          case 0: random.next() & random.next() & random.next()
          case 1: random.next() | random.next() | random.next()
          case 2: random.next()
          default: ~0 << UInt64(random.below(64)) & ~0 >> UInt64(random.below(64))
          }
        // No run fills a word.
        if word == ~0 { word &= ~(1 << UInt64(random.below(64))) }
        if random.below(6) == 0 { word = 0 }
        lanes[lane] = word
        let bits = slowBits(word)
        longest = max(longest, SlowSum(bits.map { !$0 }).longest)
        if UInt32(truncatingIfNeeded: word) == 0 || word >> 32 == 0 { hasEmptyHalf = true }
      }
      recorder.expectEqual(lanes.hasEmptyHalf ? 1 : 0, hasEmptyHalf ? 1 : 0, "halves, step \(step)")
      for floor in [0, 1, longest - 1, longest, longest + 1, random.below(64)]
      where (0...63).contains(floor) {
        recorder.expectEqual(
          lanes.longestRun(atLeast: floor), max(longest, floor), "floor \(floor), step \(step)")
      }
      if !recorder.isGood { return }
    }
  },
]
