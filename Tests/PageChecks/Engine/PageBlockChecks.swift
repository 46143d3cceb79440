import PageAlloc

/// The block of 64 pages that is handed out without a lock.
package let pageBlockChecks: [Check] = [
  Check("page cache: nothing is in an empty one, whatever it says of scavenged pages") { recorder in
    var cache = PageBlock(base: 512, free: 0, scavenged: ~0)
    recorder.expect(cache.isEmpty, "empty")
    for count in [1, 2, 63, 64] {
      recorder.expect(cache.allocate(count) == nil, "\(count) pages of nothing")
    }
    recorder.expect(
      cache == PageBlock(base: 512, free: 0, scavenged: ~0), "a refusal changes nothing")
    recorder.expect(PageBlock().isEmpty, "a new one is empty")
  },
  Check("page cache: a whole block goes at once or page by page") { recorder in
    var whole = PageBlock(base: 1024, free: ~0, scavenged: ~0)
    recorder.expect(whole.allocate(64) ?? (-1, -1) == (1024, 64), "all 64")
    recorder.expect(whole == PageBlock(base: 1024, free: 0, scavenged: 0), "nothing is left")
    var pages = PageBlock(base: 1024, free: ~0, scavenged: 0x5555_5555_5555_5555)
    for page in 0..<64 {
      let clean = page % 2 == 0 ? 1 : 0
      recorder.expect(pages.allocate(1) ?? (-1, -1) == (1024 + page, clean), "page \(page)")
    }
    recorder.expect(pages.isEmpty, "nothing is left")
  },
  Check("page cache: random caches agree with the slow search until nothing fits") { recorder in
    for seed in 0..<150 {
      recorder.context = "seed \(seed)"
      var random = SplitMix64(seed: UInt64(seed))
      var free = random.bits(64)
      var scavenged = random.bits(64)
      let base = random.below(8192) * 64
      var cache = PageBlock(base: base, free: slowWord(free, 0), scavenged: slowWord(scavenged, 0))
      for _ in 0..<40 {
        let count = random.logarithmic(6)
        let taken = cache.allocate(count)
        if let first = slowFirstRun(free, of: true, count: count) {
          let range = first..<(first + count)
          let clean = slowCount(scavenged, of: true, in: range)
          for place in range {
            free[place] = false
            scavenged[place] = false
          }
          recorder.expect(taken ?? (-1, -1) == (base + first, clean), "\(count) pages at \(first)")
        } else {
          recorder.expect(taken == nil, "no \(count) pages")
        }
        let rest = PageBlock(
          base: base, free: slowWord(free, 0), scavenged: slowWord(scavenged, 0))
        recorder.expect(cache == rest, "what is left after \(count) pages")
      }
    }
  },
]
