import PageAlloc
import Synchronization

/// The whole of an arena, its end, and what the kernel refuses.
package let arenaLimitChecks: [Check] = [
  Check("arena: the largest free run is what can be had, growth included") { recorder in
    guard !is32Bit else { return recorder.leaveOut("the system may have more address space") }
    guard let arena = makeArena(&recorder, byteCount: 64 << 20, caching: false) else { return }
    // 16 chunks, of which the first and the last are guards.
    for taken in [0, 1, 511, 512, 700, 2000] {
      recorder.context = "\(taken) pages in use"
      guard taken == 0 || arena.take(taken, &recorder) != nil else { return }
      let largest = arena.statistics.largestFreeRun
      recorder.expect(arena.errorOfTaking(largest + 1) != nil, "one page more can be had")
      guard let run = arena.take(largest, &recorder) else { return }
      recorder.expectEqual(
        arena.statistics.largestFreeRun, arena.statistics.largestCommittedRun, "all is grown")
      arena.give(run, &recorder)
      recorder.expectEqual(arena.statistics.largestFreeRun, largest, "once it was given back")
    }
  },

  Check("limit: the whole arena as one run, refused beyond, freed and taken again") { recorder in
    // On a 32-bit host no more than the first piece, so that the whole is one run there too.
    let byteCount = growsByPieces ? firstPiece(upTo: 512 << 20, &recorder) : nil
    guard let arena = makeArena(&recorder, byteCount: byteCount) else { return }
    let whole = wholeRun(of: arena)
    for round in 0..<2 {
      recorder.context = "round \(round)"
      guard let run = arena.take(whole, &recorder) else { return }
      recorder.expectEqual(
        arena.statistics.inUseBytes, UInt64(whole) * 8192, "all of it is in use")
      // Both ends are real memory.
      run.part(0, 1).stamp(1)
      run.part(whole - 1, 1).stamp(2)
      recorder.expect(
        arena.errorOfTaking(1) == .outOfMemory(pages: 1, largestFreeRun: 0), "one page more")
      arena.give(run.part(0, whole), &recorder)
    }
    recorder.expect(arena.statistics.largestCommittedRun >= whole, "all of it is free")
    _ = try? arena.releaseFreeMemory()
  },

  Check("limit: one more page when it was grown, freed and asked for as a whole") { recorder in
    guard let arena = makeArena(&recorder), let page = arena.take(1, &recorder) else { return }
    let whole = wholeRun(of: arena)
    arena.give(page.part(0, 1), &recorder)
    // Grows by what is missing next to the free chunk, not by all of it again.
    guard let run = arena.take(whole, &recorder) else { return }
    arena.give(run.part(0, whole), &recorder)
  },

  Check("limit: page by page until refused, then freed and taken again") { recorder in
    // All of the 4 GiB; on a 32-bit host, whose room varies, 256 MiB.
    let byteCount: UInt64? = growsByPieces ? 256 << 20 : nil
    guard let arena = makeArena(&recorder, byteCount: byteCount) else { return }
    let expected = growsByPieces ? 64 * 512 : 1022 * 512
    var pages: [Run] = []
    pages.reserveCapacity(expected + 1)
    for round in 0..<2 {
      recorder.context = "round \(round)"
      pages.removeAll(keepingCapacity: true)
      while pages.count <= expected {
        do throws(PageArenaError) {
          let page = try arena.run(1)
          pages.append(page)
        } catch {
          recorder.expect(error == .outOfMemory(pages: 1, largestFreeRun: 0), error.description)
          break
        }
      }
      recorder.expectEqual(pages.count, expected, "pages")
      for index in 0..<pages.count { arena.give(pages[index], &recorder) }
    }
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use at the end")
  },

  Check("limit: metadata is at most a thousandth of what it manages") { recorder in
    for megabytes: UInt64 in [64, 128, 512, 4096] {
      guard let arena = makeArena(&recorder, byteCount: megabytes << 20) else { return }
      while !growsByPieces, (try? arena.run(512)) != nil {}
      let statistics = arena.statistics
      recorder.expect(
        statistics.metadataBytes * 1000 <= statistics.reservedBytes,
        "\(statistics.metadataBytes) bytes for \(statistics.reservedBytes)")
    }
  },

  Check("limit: a refused commit changes nothing, and works later") { recorder in
    let calls = FakeCalls()
    guard let arena = makeArena(&recorder, calls: calls), arena.take(512, &recorder) != nil
    else { return }
    let before = arena.statistics
    calls.refuse(.mprotect)
    for pages in [1, 600, 2000] {
      switch arena.errorOfTaking(pages) {
      case .system(let error):
        recorder.expect(error.call == .mprotect && error.errno == .invalidArgument, "the call")
      default: recorder.fail("allocated \(pages) with mprotect refused")
      }
    }
    let after = arena.statistics
    recorder.expectEqual(after.readyBytes, before.readyBytes, "ready")
    recorder.expectEqual(after.inUseBytes, before.inUseBytes, "in use")
    recorder.expectEqual(after.scavengedBytes, before.scavengedBytes, "scavenged")
    calls.failNoMore()
    _ = arena.take(600, &recorder)
  },

  Check("limit: a refused release keeps the pages, and works later") { recorder in
    let calls = FakeCalls()
    guard let arena = makeArena(&recorder, calls: calls, caching: false),
      let run = arena.take(64, &recorder)
    else { return }
    run.part(0, 64).stamp(1)
    arena.give(run.part(0, 64), &recorder)
    let before = arena.statistics
    calls.refuse(.madvise)
    do throws(PageArenaError) {
      _ = try arena.releaseFreeMemory()
      recorder.fail("released with madvise refused")
    } catch {
      switch error {
      case .system(let inner): recorder.expect(inner.call == .madvise, inner.description)
      default: recorder.fail(error.description)
      }
    }
    let after = arena.statistics
    recorder.expectEqual(
      after.freeMaybeResidentBytes, before.freeMaybeResidentBytes, "free and resident")
    recorder.expectEqual(after.scavengedBytes, before.scavengedBytes, "scavenged")
    recorder.expectEqual(
      after.largestCommittedRun, before.largestCommittedRun, "the longest free run")
    recorder.expectEqual(after.returned.refusedBytes, 64 * 8192, "counted as refused")
    calls.failNoMore()
    recorder.expectEqual((try? arena.releaseFreeMemory()) ?? -1, 64 * 8192, "released later")
  },

  Check("limit: every call of an arena's making refused in turn, and nothing stays") { recorder in
    for call in 0..<4 {
      recorder.context = "call \(call)"
      let calls = FakeCalls()
      calls.fail(call: call, count: 100)
      do throws(PageArenaError) {
        let arena = try PageArena(PageArena.Options(calls: calls))
        _ = arena.statistics
      } catch {
        switch error {
        case .system, .noAddressSpace: recorder.expect(true, "")
        default: recorder.fail(error.description)
        }
      }
      // What could not be unmapped, since that was refused too, is not counted as lost.
      recorder.expect(calls.callCount.load(ordering: .relaxed) > call, "the call was made")
    }
    // One refusal alone: all is given back.
    for call in 0..<4 {
      recorder.context = "one refusal, call \(call)"
      let calls = FakeCalls()
      calls.fail(call: call)
      _ = try? PageArena(PageArena.Options(calls: calls))
      recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "bytes left mapped")
    }
  },

  Check("limit: a smaller reservation is taken by halves") { recorder in
    let calls = FakeCalls()
    // The tables take three calls; then each size is tried once and refused.
    calls.fail(call: 3, count: 3)
    guard let arena = makeArena(&recorder, calls: calls) else { return }
    // From 4 GiB; on a 32-bit host from a first piece of 512 MiB.
    let expected = UInt64(UInt.bitWidth == 64 ? 512 : 64) << 20
    recorder.expectEqual(arena.statistics.reservedBytes, expected, "reserved")
    guard arena.take(wholeRun(of: arena), &recorder) != nil else { return }
    calls.refuse(.mmap)
    recorder.expect(
      arena.errorOfTaking(1) == .outOfMemory(pages: 1, largestFreeRun: 0), "full")
  },

  Check("limit: growth until the kernel has no more room") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    var total = 0
    var last: PageArenaError?
    while last == nil {
      do throws(PageArenaError) {
        _ = try arena.run(4096)  // 32 MiB
        total += 4096
      } catch { last = error }
    }
    switch last {
    case .outOfMemory(let pages, _): recorder.expectEqual(pages, 4096, "pages refused")
    default: recorder.fail(last?.description ?? "no error")
    }
    // 1 GiB at least on any host; all but two chunks where there is room for 4 GiB.
    recorder.expect(total >= 1 << 17, "only \(total) pages")
    recorder.expect(growsByPieces || total == 1022 / 8 * 4096, "\(total) pages, not all")
    recorder.expectEqual(arena.statistics.inUseBytes, UInt64(total) * 8192, "in use")
  },
]

/// Whether an arena takes address space as it grows, on a 32-bit host.
let growsByPieces = UInt.bitWidth == 32

/// The longest run that an arena can serve: all but what must stay reserved; on a 32-bit host what
/// its first piece holds.
private func wholeRun(of arena: PageArena) -> Int {
  let reserved = arena.statistics.reservedBytes
  let chunks = Int(reserved >> 22)
  if growsByPieces { return chunks * 512 }
  return (chunks == 1024 ? chunks - 2 : chunks - 1) * 512
}

/// How many bytes the first piece of an arena has, which are fewer where the address space has
/// holes; an arena of so many bytes is one piece.
private func firstPiece(upTo byteCount: UInt64, _ recorder: inout Recorder) -> UInt64? {
  makeArena(&recorder, byteCount: byteCount)?.statistics.reservedBytes
}
