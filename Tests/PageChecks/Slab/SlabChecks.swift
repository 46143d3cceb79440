import PageAlloc

/// Frames smaller than a page.
package let slabChecks: [Check] = [
  Check("slab: there are four sizes, and no others") { recorder in
    guard let arena = makeArena(&recorder, byteCount: 64 << 20) else { return }
    let (before, system) = (arena.statistics, arena.systemStatistics)
    let others = [
      Int.min, Int.min + 1, -4096, -512, -1, 0, 1, 64, 256, 511, 513, 768, 1023, 3072, 4095, 4097,
      8192, 65_536, 1 << 30, Int.max - 511, Int.max,
    ]
    for size in others {
      recorder.throwsError(.badFrameByteCount(frameByteCount: size)) {
        () throws(PageArenaError) in
        _ = try PageSlab(frameByteCount: size, in: arena)
      }
    }
    for size in frameSizes {
      guard let slab = makeSlab(size, in: arena, &recorder) else { return }
      recorder.expectEqual(slab.frameByteCount, size, "bytes in a frame")
      recorder.expectEqual(slab.statistics.runs, 0, "runs of a new slab")
      recorder.expect(slab.arena === arena, "its arena")
    }
    recorder.expect(arena.statistics == before, "the arena's statistics")
    recorder.expect(arena.systemStatistics == system, "the memory of tables")
  },

  Check("slab: its tables take address space for the frames of 4 GiB, and little else") {
    recorder in
    for size in frameSizes {
      recorder.context = "\(size) bytes"
      let calls = FakeCalls()
      guard let arena = makeArena(&recorder, calls: calls, byteCount: 64 << 20) else { return }
      let before = calls.mappedByteCount.load(ordering: .relaxed)
      guard let slab = makeSlab(size, in: arena, &recorder) else { return }
      let mapped = calls.mappedByteCount.load(ordering: .relaxed) - before
      // A byte for each frame; what a run of 64 frames has is less than that.
      let frames = (1 << 20) * (4096 / size)
      recorder.expect(mapped > frames && mapped < 2 * frames + (2 << 20), "\(mapped) bytes mapped")
      recorder.expectEqual(slab.statistics.runs, 0, "runs of a new slab")
    }
  },

  Check("slab: frames lie at multiples of their size, apart, and keep their contents") {
    recorder in
    for isChecked in [false, true] {
      let made = isChecked ? makeCheckedArena(&recorder) : makeArena(&recorder, byteCount: 64 << 20)
      guard let arena = made else { return }
      for size in frameSizes {
        recorder.context = "\(size) bytes"
        guard let slab = makeSlab(size, in: arena, &recorder) else { return }
        let frames = slab.take(1000, &recorder)
        for (index, frame) in frames.enumerated() {
          recorder.expectEqual(frame.address % UInt(size), 0, "alignment")
          frame.stamp(UInt64(index), size)
        }
        for (index, frame) in frames.enumerated() {
          recorder.expect(frame.isStamped(UInt64(index), size), "contents of \(index)")
        }
        let full = slab.statistics
        recorder.expectEqual(full.framesInUse, 1000, "in use")
        recorder.expectEqual(full.framesInUse + full.framesFree, full.runs * 64, "all")
        recorder.expectEqual(full.byteCount, UInt64(full.runs * 64 * size), "bytes")
        recorder.expectEqual(arena.statistics.inUseBytes, full.byteCount, "in use of the arena")
        recorder.expect(full.runs == 16 || full.runs == 17, "\(full.runs) runs")
        recorder.expect(slab.brokenInvariant() == nil, "invariants")
        slab.give(frames, &recorder)
        recorder.expectEqual(slab.statistics.framesInUse, 0, "in use, freed")
        recorder.expect(slab.brokenInvariant() == nil, "invariants, freed")
        recorder.expect((try? slab.releaseFreeMemory()) != nil, "released")
        recorder.expectEqual(slab.statistics.runs, 0, "runs, released")
        recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use of the arena, released")
      }
      recorder.expect(arena.brokenInvariant() == nil, "the arena's invariants")
    }
  },

  Check("slab: an address tells its frame, and whether it is the slab's") { recorder in
    for size in frameSizes {
      guard let arena = makeArena(&recorder, byteCount: 64 << 20),
        let run = arena.take(64, &recorder),
        let slab = makeSlab(size, in: arena, &recorder),
        let other = makeSlab(size, in: arena, &recorder), let frame = slab.take(&recorder),
        let foreign = other.take(&recorder)
      else { return }
      recorder.context = "\(size) bytes"
      for offset in [0, 1, 8, size / 2, size - 1] {
        let address = frame.address + UInt(offset)
        recorder.expectEqual(slab.frame(at: address), frame.address, "inside, \(offset)")
        recorder.expect(slab.holds(address), "contained, \(offset)")
        recorder.expectEqual(other.frame(at: address), 0, "another slab's")
        recorder.expect(!other.holds(address), "contained in another slab")
      }
      let outside = [
        foreign.address, run.address, run.address + 5000, 1, UInt(size), UInt.max, UInt.max - 4095,
        arena.origin, arena.origin &- 1, arena.origin &- 4096, arena.origin &+ 0xffff_f000,
      ]
      for address in outside {
        recorder.expectEqual(slab.frame(at: address), 0, "elsewhere, \(address)")
        recorder.expect(!slab.holds(address), "contained, \(address)")
      }
      slab.give(frame, &recorder)
      recorder.expectEqual(slab.frame(at: frame.address), 0, "a free one")
      recorder.expect(slab.holds(frame.address), "a free one is the slab's")
      recorder.expect((try? slab.releaseFreeMemory()) ?? 0 > 0, "released")
      recorder.expect(!slab.holds(frame.address), "no more")
    }
  },

  Check("slab: a wrong free is told why, and changes nothing") { recorder in
    for size in frameSizes {
      for caching in [true, false] {
        guard let arena = makeArena(&recorder, byteCount: 64 << 20, caching: caching),
          let run = arena.take(1, &recorder), let slab = makeSlab(size, in: arena, &recorder),
          let other = makeSlab(size, in: arena, &recorder), let foreign = other.take(&recorder)
        else { return }
        recorder.context = "\(size) bytes"
        let frames = slab.take(100, &recorder)
        slab.give(frames[10], &recorder)
        slab.give(frames[11], &recorder)
        let before = slab.statistics
        var wrong: [(UInt, PageArenaError)] = []
        for free in [frames[10].address, frames[11].address] {
          wrong.append((free, .frameNotInUse(base: free)))
        }
        for offset in [1, 8, 64, size / 2, size - 1] {
          let inside = frames[3].address + UInt(offset)
          wrong.append((inside, .misaligned(base: inside)))
        }
        let outside = [
          foreign.address, run.address, run.address + 8, 1, 4096, UInt.max, UInt.max - 4095,
          arena.origin &+ 1, arena.origin &- 4096, arena.origin &+ 512, arena.origin &+ 0xffff_f001,
        ]
        for address in outside { wrong.append((address, .foreign(base: address))) }
        for (address, expected) in wrong {
          guard let place = Frame(address: address) else { return recorder.fail("no address") }
          let error = slab.errorOfGiving(place)
          recorder.expect(error == expected, "\(address): \(error?.description ?? "no error")")
          if error == nil { return }
        }
        recorder.expect(slab.statistics == before, "nothing changed")
        recorder.expect(slab.brokenInvariant() == nil, "invariants")
        for index in 0..<100 where index != 10 && index != 11 {
          slab.give(frames[index], &recorder)
        }
        recorder.expectEqual(slab.statistics.framesInUse, 0, "in use")
      }
    }
  },

  Check("slab: frames come from the fullest run") { recorder in
    guard let arena = makeArena(&recorder, byteCount: 64 << 20, caching: false),
      let slab = makeSlab(2048, in: arena, &recorder)
    else { return }
    let frames = slab.take(4 * 64, &recorder)
    recorder.expectEqual(slab.statistics.runs, 4, "runs")
    // 30, 1, 64 and 10 free in the runs.
    var freed: [(Int, Range<Int>)] = [(0, 0..<30), (1, 5..<6), (2, 0..<63), (3, 20..<30)]
    for (run, places) in freed {
      for place in places { slab.give(frames[run * 64 + place], &recorder) }
    }
    recorder.expectEqual(slab.statistics.framesFree, 104, "free")
    freed.sort { $0.1.count < $1.1.count }
    for (run, places) in freed {
      for place in places {
        guard let frame = slab.take(&recorder) else { return }
        recorder.expectEqual(frame.address, frames[run * 64 + place].address, "of run \(run)")
      }
    }
    recorder.expectEqual(slab.statistics.runs, 4, "runs, afterwards")
    recorder.expect(slab.brokenInvariant() == nil, "invariants")
  },

  Check("slab: a batch comes to hand, or goes, where one frame would not do") { recorder in
    guard let arena = makeArena(&recorder, byteCount: 64 << 20),
      let slab = makeSlab(512, in: arena, &recorder)
    else { return }
    var frames: [Frame] = []
    var before = slab.statistics.framesCached
    for number in 0..<100 {
      guard let frame = slab.take(&recorder) else { return }
      frames.append(frame)
      let now = slab.statistics.framesCached
      recorder.expectEqual(now - before, before == 0 ? 15 : -1, "frame \(number), taken")
      before = now
    }
    for (number, frame) in frames.enumerated() {
      slab.give(frame, &recorder)
      let now = slab.statistics.framesCached
      recorder.expectEqual(now - before, before == 33 ? -16 : 1, "frame \(number), freed")
      before = now
    }
  },

  Check("slab: what is empty goes back to the arena, but for one run") { recorder in
    guard let arena = makeArena(&recorder, byteCount: 64 << 20, caching: false),
      let slab = makeSlab(4096, in: arena, &recorder)
    else { return }
    let frames = slab.take(5 * 64, &recorder)
    recorder.expectEqual(arena.statistics.inUseBytes, 5 << 18, "in use of the arena")
    for run in 0..<5 {
      slab.give(Array(frames[run * 64..<(run + 1) * 64]), &recorder)
      // One that is empty, and those behind.
      recorder.expectEqual(slab.statistics.runs, 5 - run, "runs")
      recorder.expectEqual(
        arena.statistics.inUseBytes, UInt64(5 - run) << 18, "in use of the arena")
    }
    // To and fro at the edge of a run nothing is asked of the arena.
    let more = slab.take(64, &recorder)
    for _ in 0..<3 {
      guard let edge = slab.take(&recorder) else { return }
      recorder.expectEqual(slab.statistics.runs, 2, "one more")
      slab.give(edge, &recorder)
      recorder.expectEqual(slab.statistics.runs, 2, "and it stays")
    }
    slab.give(more, &recorder)
    recorder.expectEqual(slab.statistics.runs, 1, "one stays")
    recorder.expectEqual((try? slab.releaseFreeMemory()) ?? 0, 1 << 18, "released")
    recorder.expectEqual((try? slab.releaseFreeMemory()) ?? 1, 0, "nothing is left")
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use of the arena")
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
  },

  Check("slab: its end gives all back, frames in use included; it holds its arena") { recorder in
    let calls = FakeCalls()
    do {
      var slabs: [PageSlab] = []
      do {
        guard let arena = makeArena(&recorder, calls: calls, byteCount: 64 << 20) else { return }
        for size in frameSizes {
          guard let slab = makeSlab(size, in: arena, &recorder) else { return }
          _ = slab.take(300, &recorder)
          slabs.append(slab)
        }
        // The last made, the first, and one between others.
        for index in [3, 0, 0] {
          slabs.remove(at: index)
          let bytes = slabs.reduce(0) { $0 + $1.statistics.byteCount }
          recorder.expectEqual(arena.statistics.inUseBytes, bytes, "in use of the arena")
        }
        recorder.expect(arena.brokenInvariant() == nil, "invariants")
      }
      guard let frame = slabs[0].take(&recorder) else { return }
      frame.stamp(3, 512)
      recorder.expect(frame.isStamped(3, 512), "the arena is still there")
    }
    recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "mapped at the end")
  },

  Check("slab: what is refused leaves it as it was") { recorder in
    let calls = FakeCalls()
    guard let arena = makeArena(&recorder, calls: calls, byteCount: 64 << 20) else { return }
    for call in 0..<3 {
      calls.fail(call: call)
      let before = arena.systemStatistics
      let refused = (try? PageSlab(frameByteCount: 1024, in: arena)) == nil
      calls.failNoMore()
      recorder.expect(arena.systemStatistics == before, "memory after call \(call)")
      // Markers that are refused are replaced by access rights.
      if call == 0 { recorder.expect(refused, "no memory for the tables") }
    }
    guard let slab = makeSlab(1024, in: arena, &recorder) else { return }
    calls.refuse(.mprotect)
    if case .system = slab.errorOfTaking() {} else { recorder.fail("growth was not refused") }
    calls.failNoMore()
    recorder.expectEqual(slab.statistics.runs, 0, "runs")
    let frames = slab.take(200, &recorder)
    // A limit of the arena's.
    recorder.expect((try? arena.setMemoryLimit(.bytes(hard: 8 << 20))) != nil, "a limit")
    var more: [Frame] = []
    var refusal: PageArenaError?
    while refusal == nil {
      do throws(PageArenaError) { more.append(try slab.frame()) } catch { refusal = error }
    }
    if case .limitReached = refusal {} else { recorder.fail(refusal?.description ?? "") }
    recorder.expectEqual(slab.statistics.framesInUse, 200 + more.count, "in use")
    recorder.expectEqual(slab.statistics.framesFree, 0, "free")
    recorder.expectEqual(slab.statistics.byteCount, 8 << 20, "all that the limit allows")
    slab.give(more, &recorder)
    recorder.expect(slab.errorOfTaking() == nil, "afterwards")
    recorder.expect((try? arena.setMemoryLimit(.none)) != nil, "no limit")
    // All that the arena has.
    while slab.errorOfTaking() == nil {}
    if case .outOfMemory = slab.errorOfTaking() {} else { recorder.fail("no end of memory") }
    slab.give(frames, &recorder)
    recorder.expect(slab.brokenInvariant() == nil, "invariants")
    recorder.expect(arena.brokenInvariant() == nil, "the arena's invariants")
  },
]
