import CSysMem
import CTestSystem
import PageAlloc
import PageTrace
import Synchronization
import SysMem

/// Recordings of arenas, read again.
package let recordingChecks: [Check] = [
  Check("recording: all that happens to pages, in order") { recorder in
    guard let file = MemoryFile(&recorder), let arena = recordedArena(file, &recorder) else {
      return
    }
    makeEveryCall(arena, &recorder)
    guard let trace = file.trace(&recorder) else { return }
    let header = trace.header
    recorder.expectEqual(header.endLivePages, 0, "pages in use at the end")
    recorder.expectEqual(header.threadCount, 1, "threads")
    recorder.expectEqual(UInt64(header.allocationCount), arena.statistics.allocations, "runs taken")
    recorder.expect(header.resizeCount == 2, "\(header.resizeCount) resizes")
    recorder.expect(header.purgeCount == 2, "\(header.purgeCount) discards")
    recorder.expectEqual(header.name.utf8.count, 8, "the label")
  },

  Check("recording: four threads churn, and no page is handed out twice") { recorder in
    guard let file = MemoryFile(&recorder),
      let arena = recordedArena(file, reserving: 256 << 20, &recorder)
    else { return }
    let workers = (1...4).map { Churn(arena, seed: UInt64($0)) }
    runThreads(workers) { $0.churn() }
    recorder.expect(workers.allSatisfy { $0.faults.load(ordering: .relaxed) == 0 }, "no faults")
    guard let trace = file.trace(&recorder) else { return }
    let statistics = arena.statistics
    recorder.expectEqual(trace.header.endLivePages, 0, "pages in use at the end")
    recorder.expectEqual(trace.header.threadCount, 4, "threads")
    recorder.expectEqual(UInt64(trace.header.allocationCount), statistics.allocations, "taken")
    recorder.expectEqual(UInt64(trace.header.freeCount), statistics.frees, "freed")
    recorder.expect(trace.header.peakLivePages <= 8000, "\(trace.header.peakLivePages) live")
  },

  Check("recording: when the file is full all goes on, and what was written stays") { recorder in
    guard let file = MemoryFile(&recorder),
      let arena = recordedArena(file, byteCount: 4096, &recorder)
    else { return }
    for _ in 0..<400 {
      guard let run = arena.take(3, &recorder) else { return }
      arena.give(run, &recorder)
    }
    file.expect(byteCount: 4096, &recorder)
    guard let recording = file.recording(&recorder) else { return }
    recorder.expectEqual(recording.records.count, 480, "records")
    recorder.expect(recording.isFull, "it is full")
    guard let trace = file.trace(&recorder) else { return }
    recorder.expectEqual(trace.header.endLivePages, 0, "pages in use after 240 pairs")
  },

  Check("recording: the file is cut behind its last record when the arena ends") { recorder in
    guard let file = MemoryFile(&recorder) else { return }
    do {
      guard let arena = recordedArena(file, &recorder), let run = arena.take(5, &recorder) else {
        return
      }
      arena.give(run, &recorder)
      file.expect(byteCount: 1 << 20, &recorder)
    }
    file.expect(byteCount: 256 + 16, &recorder)
    file.expect(recordCount: 2, &recorder)
  },

  Check("recording: a call that is refused is none") { recorder in
    guard let file = MemoryFile(&recorder), let arena = recordedArena(file, &recorder),
      let run = arena.take(4, &recorder)
    else { return }
    recorder.expect(arena.errorOfTaking(0) != nil, "no pages")
    recorder.expect(arena.errorOfTaking(1 << 19) != nil, "more than there are")
    arena.give(run, &recorder)
    recorder.expect(arena.errorOfGiving(run) != nil, "freed twice")
    recorder.expect(arena.errorOfGiving(run.part(0, -1)) != nil, "fewer than no pages")
    file.expect(recordCount: 2, &recorder)
  },

  Check("recording: a guard that the kernel leaves in the way of growth") { recorder in
    let calls = FakeCalls()
    guard let file = MemoryFile(&recorder),
      let arena = recordedArena(file, calls: calls, &recorder),
      var run = arena.own(4, guarded: true, &recorder)
    else { return }
    if !arena.hasMarkers { return recorder.leaveOut("no markers here") }
    // The new guard is set, and the old one stays.
    calls.fail(call: 1)
    recorder.expect(!run.grow(to: 9), "refused")
    calls.failNoMore()
    recorder.expect(run.grow(to: 9), "it grows")
    run.deallocate()
    guard let trace = file.trace(&recorder) else { return }
    recorder.expectEqual(trace.header.endLivePages, 0, "pages in use at the end")
  },

  Check("recording: a file that was damaged is refused, or what it says fits together") {
    recorder in
    guard let file = MemoryFile(&recorder),
      let arena = recordedArena(file, byteCount: 4096, &recorder)
    else { return }
    makeEveryCall(arena, &recorder)
    guard let whole = file.bytes(&recorder) else { return }
    var random = SplitMix64(seed: 11)
    var refused = 0
    var believed = 0
    for round in 0..<400 {
      var bytes = whole
      // Half of the times the head, which is 256 bytes; at last a cut, too.
      for _ in 0...random.below(3) {
        bytes[random.below(round % 2 == 0 ? 256 : 700)] = UInt8(random.below(256))
      }
      if round >= 300 { bytes.removeLast(random.below(bytes.count)) }
      do throws(TraceFormatError) {
        let trace = try RecordingFile(bytes).trace()
        recorder.expect((try? ProgramTrace(parsing: trace)) != nil, "round \(round)")
        believed += 1
      } catch { refused += 1 }
    }
    recorder.expect(refused > 50 && believed > 50, "\(refused) refused, \(believed) believed")
  },

  Check("recording: what cannot be is refused, and leaves nothing") { recorder in
    for byteCount in [.min, -1, 0, 4095, (1 << 30) + 1, .max] {
      recorder.throwsError(
        .badRecording(byteCount: byteCount, minimum: 4096, maximum: 1 << 30)
      ) { () throws(PageArenaError) in
        _ = try PageArena(
          reserving: 64 << 20, recording: .file("/dev/none/of/these", byteCount: byteCount))
      }
    }
    recorder.throwsError(.recording(Errno(rawValue: ENOENT))) { () throws(PageArenaError) in
      _ = try PageArena(reserving: 64 << 20, recording: .file("/dev/none/of/these"))
    }
    // A device is no file that can be mapped.
    recorder.throwsError(.recording(Errno(rawValue: ENODEV))) { () throws(PageArenaError) in
      _ = try PageArena(reserving: 64 << 20, recording: .file("/dev/full"))
    }
    guard let file = MemoryFile(&recorder) else { return }
    let calls = FakeCalls()
    var options = PageArena.Options(calls: calls)
    options.reservedByteCount = 64 << 20
    options.recording = .file(file.path, byteCount: 4096)
    calls.refuse(.madvise)
    recorder.expect((try? PageArena(options)) == nil, "no word that a fork clears")
    calls.failNoMore()
    file.expect(byteCount: 0, &recorder)
    recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "bytes still mapped")
  },
]

/// Recordings, where the process is copied.
package let recordingForkChecks: [Check] = [
  Check("recording: a child of a fork goes on without it") { recorder in
    guard let file = MemoryFile(&recorder), let arena = recordedArena(file, &recorder),
      let run = arena.take(7, &recorder)
    else { return }
    let status = inChild {
      for _ in 0..<10 { if (try? arena.run(9)) == nil { return 1 } }
      return 0
    }
    recorder.expectEqual(status, 0, "the child's end")
    arena.give(run, &recorder)
    file.expect(recordCount: 2, &recorder)
  },

  Check("recording: the program's own file by the number of its descriptor is left alone") {
    recorder in
    guard let file = MemoryFile(&recorder) else { return }
    let path = file.path
    let status = inChild {
      // The number that is free next is the recording's, and then another file's.
      let number = ctest_memory_file()
      csm_close(number)
      do {
        var options = PageArena.Options(reserving: 64 << 20, scavenging: .manual)
        options.recording = .file(path, byteCount: 1 << 20)
        guard let arena = try? PageArena(options), (try? arena.run(5)) != nil else { return 1 }
        csm_close(number)
        guard ctest_memory_file() == number, csm_truncate(number, 12_345) == 0 else { return 2 }
      }
      return (try? readFile("/proc/self/fd/\(number)"))?.count == 12_345 ? 0 : 3
    }
    recorder.expectEqual(status, 0, "the child's end")
    file.expect(byteCount: 1 << 20, &recorder)
  },

  Check("recording: what was recorded stays when the process ends in the middle") { recorder in
    guard let file = MemoryFile(&recorder) else { return }
    let path = file.path
    let status = inChild {
      var options = PageArena.Options(reserving: 64 << 20, scavenging: .manual)
      options.recording = .file(path, byteCount: 1 << 20)
      guard let arena = try? PageArena(options) else { return 1 }
      for pages in 1...10 { if (try? arena.run(pages)) == nil { return 2 } }
      withExtendedLifetime(arena) { ctest_exit_now(0) }
      return 3
    }
    recorder.expectEqual(status, 0, "the child's end")
    file.expect(byteCount: 1 << 20, &recorder)
    guard let trace = file.trace(&recorder) else { return }
    recorder.expectEqual(trace.header.endLivePages, 55, "pages in use")
  },
]

/// Every way in which pages come and go, in an arena of which nothing is in use afterwards.
private func makeEveryCall(_ arena: PageArena, _ recorder: inout Recorder) {
  guard let run = arena.take(10, &recorder),
    let aligned = arena.take(2, alignment: 1 << 16, &recorder)
  else { return }
  arena.give(run.part(3, 2), &recorder)
  arena.give(run.part(0, 3), &recorder)
  arena.give(run.part(5, 5), &recorder)
  arena.give(aligned, &recorder)
  // Of a page of its own, at hand, and too long for that.
  for pages in [1, 1, 64, 600, 3000] {
    guard let run = arena.take(pages, &recorder) else { return }
    arena.give(run, &recorder)
  }
  guard var owned = arena.own(4, &recorder) else { return }
  recorder.expect(owned.grow(to: 9), "it grows")
  recorder.succeeds("discard") { () throws(PageArenaError) in try owned.discard() }
  recorder.succeeds("discard a part") { () throws(PageArenaError) in try owned.discard(in: 1..<3) }
  owned.shrink(to: 6)
  let halves = owned.split(at: 2)
  halves.upper.deallocate()
  guard let guarded = arena.own(3, alignment: 1 << 17, guarded: true, &recorder) else { return }
  guarded.deallocate()
  guard let zeroed = arena.own(5, zeroed: true, &recorder) else { return }
  guard var moving = arena.own(1, &recorder), let wall = arena.own(1, &recorder) else { return }
  recorder.succeeds("resize") { () throws(PageArenaError) in try moving.resize(to: 700) }
  recorder.succeeds("no access") { () throws(PageArenaError) in
    let closed = try arena.allocateRun(pages: 6, access: .none)
    closed.deallocate()
  }
  _ = try? arena.releaseFreeMemory()
  var hasExtended = false
  var hasTaken = false
  recorder.succeeds("by pointers") { () throws(PageArenaError) in
    var isZero = false
    let pointer = unsafe try arena.allocate(pages: 1200, isZero: &isZero)
    hasExtended = unsafe try arena.extend(pointer, to: 1300)
    unsafe try arena.deallocateDiscarding(pointer, pages: 4)
    unsafe try arena.deallocateRuns(from: pointer + 4 * 8192, pages: 1296)
    hasTaken = unsafe try arena.allocate(at: pointer, pages: 3)
    unsafe try arena.deallocate(pointer)
    var cache = try arena.makeCache()
    let handled = unsafe try cache.allocate(pages: 2)
    unsafe try cache.deallocate(handled, pages: 2)
  }
  recorder.expect(hasExtended && hasTaken, "the pages behind it are free, and its own are then")
  moving.deallocate()
  wall.deallocate()
  zeroed.deallocate()
  halves.lower.deallocate()
}

private func recordedArena(
  _ file: borrowing MemoryFile, byteCount: Int = 1 << 20, reserving: UInt64 = 64 << 20,
  calls: any MemoryCalls = LinuxCalls(), _ recorder: inout Recorder
) -> PageArena? {
  var options = PageArena.Options(reserving: reserving, scavenging: .manual, label: "recorded")
  options.calls = calls
  options.recording = .file(file.path, byteCount: byteCount)
  return makeArena(&recorder, options)
}

extension MemoryFile {
  fileprivate func expect(byteCount: Int, _ recorder: inout Recorder, line: UInt = #line) {
    guard let bytes = bytes(&recorder) else { return }
    recorder.expectEqual(bytes.count, byteCount, "bytes", line: line)
  }

  fileprivate func expect(recordCount: Int, _ recorder: inout Recorder, line: UInt = #line) {
    guard let recording = recording(&recorder) else { return }
    recorder.expectEqual(recording.records.count, recordCount, "records", line: line)
  }

  fileprivate func recording(_ recorder: inout Recorder) -> RecordingFile? {
    guard let bytes = bytes(&recorder) else { return nil }
    do throws(TraceFormatError) {
      return try RecordingFile(bytes)
    } catch {
      recorder.fail("record \(error.line): \(error.reason)")
      return nil
    }
  }

  /// As a page trace, which the parser has found to fit together.
  fileprivate func trace(_ recorder: inout Recorder) -> ProgramTrace? {
    guard let recording = recording(&recorder) else { return nil }
    do throws(TraceFormatError) {
      return try ProgramTrace(parsing: try recording.trace())
    } catch {
      recorder.fail("record or line \(error.line): \(error.reason)")
      return nil
    }
  }
}
