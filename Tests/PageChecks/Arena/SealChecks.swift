import PageAlloc
import SysMem

/// Arenas that live as long as the process. They stay for good, so there are few, and small ones.
package let sealChecks: [Check] = [
  Check("permanent: nobody unmaps, replaces or opens the tables, and the arena grows and works") {
    recorder in
    // The first run also has a cache mapped for this thread, whose guards are sealed, too.
    guard let arena = makePermanent(LinuxCalls(), &recorder), let one = arena.take(1, &recorder)
    else { return }
    let first = arena.statistics
    if first.sealedBytes == 0 {
      recorder.leaveOut("the kernel has no mseal")
      return
    }
    // Through the whole arena: the tables grow with it.
    var runs = [one]
    while let run = try? arena.run(512) { runs.append(run) }
    recorder.expect(runs.count >= 14, "only \(runs.count) chunks")
    let grown = arena.statistics
    recorder.expect(grown.metadataBytes > first.metadataBytes, "the tables have not grown")
    recorder.expectEqual(grown.sealedBytes, first.sealedBytes, "all was sealed at the start")

    var tables: Range<UInt> = 0..<0
    arena.withTables { tables = $0.addresses }
    let page = UInt(LinuxCalls().physicalPageSize)
    // The guard, the head behind it, all of it, and the guard at the end.
    expectSealed(tables.lowerBound, page, &recorder)
    expectSealed(tables.lowerBound + page, page, &recorder)
    expectSealed(tables.lowerBound, tables.upperBound - tables.lowerBound, &recorder)
    expectSealed(tables.upperBound - page, page, &recorder)
    if arena.origin != 0 {
      // Chunk 0, whose place nothing ever takes.
      expectSealed(arena.origin, page, &recorder)
    }

    // All that is done with runs is done as ever.
    for run in runs { run.stamp(3) }
    for run in runs { arena.give(run, &recorder) }
    recorder.expect((try? arena.releaseFreeMemory()) ?? 0 > 0, "released")
    guard var run = arena.own(4, guarded: true, &recorder) else { return }
    run.stamp(4)
    recorder.succeeds("protect") { () throws(PageArenaError) in try run.protect(.readOnly) }
    recorder.expect(run.isStamped(4, pages: 4), "contents")
    run.deallocate()
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
  },

  Check("permanent: where the kernel seals nothing all is as usual, and the figure says so") {
    recorder in
    let calls = FakeCalls()
    calls.refuse(.mseal)
    guard let arena = makePermanent(calls, &recorder), let run = arena.take(600, &recorder)
    else { return }
    run.stamp(1)
    arena.give(run, &recorder)
    recorder.expectEqual(arena.statistics.sealedBytes, 0, "sealed")
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
  },

  Check("permanent: it stays when the last reference to it has gone") { recorder in
    let calls = FakeCalls()
    var arena = makePermanent(calls, &recorder)
    guard let run = arena?.take(10, &recorder) else { return }
    run.stamp(7)
    let mapped = calls.mappedByteCount.load(ordering: .relaxed)
    arena = nil
    recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), mapped, "mapped bytes")
    recorder.expect(run.isStamped(7), "the memory")
  },

  Check("permanent: any other arena seals nothing") { recorder in
    let calls = FakeCalls()
    var arena = makeArena(&recorder, calls: calls, byteCount: 64 << 20)
    recorder.expectEqual(arena?.statistics.sealedBytes ?? 1, 0, "sealed")
    arena = nil
    recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "mapped bytes")
  },
]

private func makePermanent(_ calls: any MemoryCalls, _ recorder: inout Recorder) -> PageArena? {
  var options = PageArena.Options(calls: calls)
  options.reservedByteCount = 64 << 20
  options.scavenging = .manual
  options.isPermanent = true
  return makeArena(&recorder, options)
}

/// The kernel refuses every change of a range.
private func expectSealed(
  _ address: UInt, _ byteCount: UInt, _ recorder: inout Recorder, line: UInt = #line
) {
  let calls = LinuxCalls()
  for attempt in 0..<3 {
    do throws(Errno) {
      switch attempt {
      case 0: try calls.munmap(address, byteCount)
      case 1: try calls.mprotect(address, byteCount, .readWrite)
      default: _ = try calls.mmap(address, byteCount, .readWrite, replacing: true)
      }
      recorder.fail("attempt \(attempt) at a sealed range succeeded", line: line)
    } catch {
      recorder.expect(
        error == .notPermitted, "attempt \(attempt): \(error.description)", line: line)
    }
  }
}
