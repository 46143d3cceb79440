import PageAlloc

/// A slab beside a naive model.
package let slabModelChecks: [Check] = [
  Check("slab: random operations beside a model") { recorder in
    for seed in 1...4 as ClosedRange<UInt64> {
      for caching in [true, false] {
        let size = frameSizes[Int(seed) - 1]
        guard let arena = makeArena(&recorder, byteCount: 64 << 20, caching: caching),
          let slab = makeSlab(size, in: arena, &recorder)
        else { return }
        recorder.context = "seed \(seed), \(size) bytes\(caching ? "" : ", no caches")"
        var model = SlabModel(seed: seed)
        for step in 0..<6000 where recorder.isGood {
          model.step(slab, &recorder)
          if step % 500 == 0 { model.compare(slab, &recorder) }
        }
        model.compare(slab, &recorder)
        model.end(slab, &recorder)
        recorder.expectEqual(
          arena.statistics.inUseBytes, slab.statistics.byteCount, "in use of the arena")
        recorder.expect(arena.brokenInvariant() == nil, "the arena's invariants")
      }
    }
  }
]

/// What is in use, and what must be in it.
private struct SlabModel {
  private var random: SplitMix64
  private var live: [(frame: Frame, stamp: UInt64)] = []
  private var freed: [Frame] = []
  /// How many are to be in use for now.
  private var goal = 0

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  mutating func step(_ slab: PageSlab, _ recorder: inout Recorder) {
    if random.below(400) == 0 { goal = random.below(3) == 0 ? 0 : random.below(700) }
    switch random.below(20) {
    case 0: misuse(slab, &recorder)
    case 1 where random.below(20) == 0:
      recorder.expect((try? slab.releaseFreeMemory()) != nil, "released")
    case 2...12: if live.count < goal { take(slab, &recorder) } else { give(slab, &recorder) }
    case 13...16: take(slab, &recorder)
    default: give(slab, &recorder)
    }
  }

  private mutating func take(_ slab: PageSlab, _ recorder: inout Recorder) {
    guard let frame = slab.take(&recorder) else { return }
    let stamp = random.next()
    frame.stamp(stamp, slab.frameByteCount)
    for other in live where other.frame.address == frame.address {
      recorder.fail("a frame was handed out twice")
    }
    live.append((frame, stamp))
  }

  private mutating func give(_ slab: PageSlab, _ recorder: inout Recorder) {
    if live.isEmpty { return }
    live.swapAt(random.below(live.count), live.count - 1)
    let (frame, stamp) = live.removeLast()
    recorder.expect(frame.isStamped(stamp, slab.frameByteCount), "contents")
    slab.give(frame, &recorder)
    freed.append(frame)
    if freed.count > 50 { freed.removeFirst() }
  }

  private mutating func misuse(_ slab: PageSlab, _ recorder: inout Recorder) {
    if let some = live.first {
      let inside = some.frame.address + 1 + UInt(random.below(slab.frameByteCount - 1))
      recorder.expectEqual(slab.frame(at: inside), some.frame.address, "the frame around")
      if let place = Frame(address: inside) {
        recorder.expect(slab.errorOfGiving(place) == .misaligned(base: inside), "misaligned")
      }
    }
    for frame in freed {
      var isLive = false
      for other in live where other.frame.address == frame.address { isLive = true }
      if isLive { continue }
      recorder.expectEqual(slab.frame(at: frame.address), 0, "no frame in use")
      let expected: PageArenaError =
        slab.holds(frame.address)
        ? .frameNotInUse(base: frame.address) : .foreign(base: frame.address)
      recorder.expect(slab.errorOfGiving(frame) == expected, "freed twice")
    }
  }

  func compare(_ slab: PageSlab, _ recorder: inout Recorder) {
    let statistics = slab.statistics
    recorder.expectEqual(statistics.framesInUse, live.count, "in use")
    recorder.expectEqual(
      statistics.framesFree + statistics.framesInUse, statistics.runs * 64, "all")
    if let broken = slab.brokenInvariant() { recorder.fail(broken.description) }
    for (frame, stamp) in live {
      recorder.expect(frame.isStamped(stamp, slab.frameByteCount), "contents")
      recorder.expectEqual(slab.frame(at: frame.address), frame.address, "in use")
    }
  }

  mutating func end(_ slab: PageSlab, _ recorder: inout Recorder) {
    while !live.isEmpty, recorder.isGood { give(slab, &recorder) }
    recorder.expectEqual(slab.statistics.framesInUse, 0, "in use at the end")
    // Each frame at hand keeps a run at the most.
    let left = slab.statistics
    recorder.expect(left.framesCached <= 33, "\(left.framesCached) at hand")
    recorder.expect(left.runs <= 1 + left.framesCached, "\(left.runs) runs at the end")
    recorder.expect((try? slab.releaseFreeMemory()) != nil, "released")
    recorder.expectEqual(slab.statistics.runs, 0, "runs at the very end")
  }
}
