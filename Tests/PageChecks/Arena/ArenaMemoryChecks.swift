import CTestSystem
import PageAlloc
import Synchronization

/// What the kernel says of the arena's memory.
package let arenaMemoryChecks: [Check] = [
  Check("memory: never-used pages cost nothing, touched ones come, released ones go") { recorder in
    guard let arena = makeArena(&recorder), let run = arena.take(2048, &recorder) else { return }
    let bytes = 2048 * PageArena.pageSize
    recorder.expectEqual(
      run.residentBytes, 0, "resident at first")
    run.part(0, 1000).stamp(1)
    recorder.expect(
      run.residentBytes >= 1000 * PageArena.pageSize, "resident when touched")
    arena.give(run.part(0, 2048), &recorder)
    recorder.expect(
      run.residentBytes >= 1000 * PageArena.pageSize, "resident when freed")
    let released = (try? arena.releaseFreeMemory()) ?? -1
    recorder.expectEqual(released, bytes, "released")
    recorder.expectEqual(
      run.residentBytes, 0, "resident when released")
  },

  Check("memory: scavenge takes what is asked for, from the top, and no page in use") { recorder in
    guard let arena = makeArena(&recorder), let run = arena.take(1024, &recorder) else { return }
    run.part(0, 1024).stamp(5)
    let page = PageArena.pageSize
    arena.give(run.part(256, 256), &recorder)
    let released = (try? arena.scavenge(byteCount: 64 * page)) ?? -1
    recorder.expect(released >= 64 * page && released <= 256 * page, "released \(released)")
    recorder.expect(run.part(0, 256).isStamped(5), "the part below")
    let rest = run.part(512, 512)
    recorder.expectEqual(
      rest.residentBytes, 512 * page, "the part above is resident")
    recorder.expectEqual((try? arena.scavenge(byteCount: 0)) ?? -1, 0, "nothing asked for")
    let more = (try? arena.releaseFreeMemory()) ?? -1
    recorder.expectEqual(more + released, 256 * page, "the rest")
    recorder.expectEqual((try? arena.releaseFreeMemory()) ?? -1, 0, "nothing is left")
  },

  Check("memory: zeroed runs read as zero, and clean pages are not touched") { recorder in
    guard let arena = makeArena(&recorder, caching: false), let run = arena.take(600, &recorder)
    else { return }
    let page = PageArena.pageSize
    run.part(0, 600).stamp(9)
    // ....####....####: a part goes back to the kernel, a part stays dirty.
    arena.give(run.part(300, 300), &recorder)
    _ = try? arena.releaseFreeMemory()
    arena.give(run.part(0, 300), &recorder)
    guard let again = arena.take(600, zeroed: true, &recorder) else { return }
    recorder.expect(again == run, "the same place")
    recorder.expectEqual(
      run.part(300, 300).residentBytes, 0,
      "the clean part is not backed")
    recorder.expect(again.part(0, 600).isZero, "all is zero")
    // Dirty as a whole, and of one page.
    again.part(0, 600).stamp(9)
    arena.give(again.part(0, 600), &recorder)
    guard let one = arena.take(1, zeroed: true, &recorder) else { return }
    recorder.expect(one.part(0, 1).isZero, "one dirty page is zero")
    guard let aligned = arena.take(9, alignment: 1 << 17, zeroed: true, &recorder) else { return }
    recorder.expect(aligned.part(0, 9).isZero, "an aligned dirty run is zero")
  },

  Check("memory: a zeroed run beyond the map of dirty pages") { recorder in
    guard let arena = makeArena(&recorder), let run = arena.take(5000, &recorder) else { return }
    run.part(0, 5000).stamp(3)
    arena.give(run.part(0, 5000), &recorder)
    _ = try? arena.scavenge(byteCount: 2 << 20)
    guard let again = arena.take(5000, zeroed: true, &recorder) else { return }
    recorder.expect(again.part(0, 5000).isZero, "all is zero")
    again.part(0, 5000).stamp(3)
    arena.give(again.part(0, 5000), &recorder)
  },

  Check("memory: zeroed still holds when the kernel will not take pages back") { recorder in
    let calls = FakeCalls()
    guard let arena = makeArena(&recorder, calls: calls),
      let run = arena.take(5000, &recorder)
    else { return }
    run.part(0, 5000).stamp(3)
    arena.give(run.part(0, 5000), &recorder)
    calls.refuse(.madvise)
    guard let again = arena.take(5000, zeroed: true, &recorder) else { return }
    recorder.expect(again.part(0, 5000).isZero, "all is zero")
  },

  Check("memory: all goes when the arena goes") { recorder in
    let calls = FakeCalls()
    do {
      guard let arena = makeArena(&recorder, calls: calls),
        let run = arena.take(700, &recorder)
      else { return }
      run.part(0, 700).stamp(1)
      recorder.expect(calls.mappedByteCount.load(ordering: .relaxed) > 0, "something is mapped")
    }
    recorder.expectEqual(
      calls.mappedByteCount.load(ordering: .relaxed), 0, "mapped after the end of the arena")
  },

  Check("memory: no allocation from malloc in the arena's work") { recorder in
    // Other threads of the process may use malloc meanwhile, so one round without a change is
    // proof.
    guard let arena = makeArena(&recorder) else { return }
    var change = 1
    for _ in 0..<50 where change != 0 {
      let before = ctest_malloc_bytes()
      for step in 0..<500 {
        guard let run = try? arena.run(1 + step * 31 % 700, zeroed: step % 5 == 0) else {
          recorder.fail("allocation refused")
          return
        }
        // Others stay, so that the arena grows.
        if step % 20 != 0 { _ = arena.errorOfGiving(run) }
        if step % 100 == 0 { _ = try? arena.scavenge(byteCount: 1 << 20) }
      }
      change = Int(bitPattern: ctest_malloc_bytes()) - Int(bitPattern: before)
    }
    recorder.expectEqual(change, 0, "bytes in use by malloc")
  },
]
