import PageAlloc
import SysMem

/// Runs that nobody can access and nothing backs: in use, and otherwise nothing.
package let inaccessibleChecks: [Check] = [
  Check("inaccessible: 1 GiB under a hard limit of 256 MiB, and counted as it is opened") {
    recorder in
    guard let arena = makeArena(&recorder, limit: .bytes(hard: 256 << 20)),
      let whole = arena.ownClosed(131_072, &recorder)
    else { return }
    arena.expectBalance(inUse: 1 << 30, inaccessible: 1 << 30, &recorder)
    recorder.expect(!isReadable(whole.address), "any access faults")
    let halves = whole.split(at: 16_384)
    var part = halves.lower
    var rest = halves.upper
    recorder.succeeds("open") { () throws(PageArenaError) in try part.protect(.readWrite) }
    arena.expectBalance(inUse: 1 << 30, inaccessible: 896 << 20, &recorder)
    recorder.expect(part.isZero(), "reads as zero")
    part.stamp(3)
    let refusal = PageArenaError.limitReached(
      pages: 114_688, inUseBytes: 128 << 20, limitBytes: 256 << 20)
    recorder.throwsError(refusal) { () throws(PageArenaError) in try rest.protect(.readOnly) }
    arena.expectBalance(inUse: 1 << 30, inaccessible: 896 << 20, &recorder)
    recorder.expect(!isReadable(rest.address), "as before")
    recorder.expectEqual(arena.statistics.returned.limitRefusals, 1, "refusals")
    recorder.expect(arena.errorOfTaking(16_385) != nil, "the same limit for all")
    guard let other = arena.take(16_384, &recorder) else { return }
    arena.give(other, &recorder)
    // Closed, it may still hold something; emptied, it does not.
    recorder.succeeds("close") { () throws(PageArenaError) in try part.protect(.none) }
    arena.expectBalance(inUse: 1 << 30, inaccessible: 896 << 20, &recorder)
    recorder.succeeds("discard") { () throws(PageArenaError) in try part.discard() }
    arena.expectBalance(inUse: 1 << 30, inaccessible: 1 << 30, &recorder)
    recorder.succeeds("again") { () throws(PageArenaError) in try part.protect(.readWrite) }
    recorder.expect(part.isZero(), "empty again")
    part.deallocate()
    rest.deallocate()
    arena.expectBalance(inUse: 0, inaccessible: 0, &recorder)
  },

  Check("inaccessible: memory that was free and resident goes back, and the limit is kept") {
    recorder in
    var options = PageArena.Options.stepped(FakeClock())
    options.calls = FakeCalls(hugePageSize: 0)
    options.threadCacheByteCount = 0
    options.memoryLimit = .bytes(soft: 1000 * 8192, hard: 1200 * 8192)
    guard let arena = makeArena(&recorder, options), let low = arena.take(800, &recorder)
    else { return }
    low.part(0, 500).stamp(1)
    low.part(500, 300).stamp(1)
    arena.give(low.part(0, 500), &recorder)
    guard var closed = arena.ownClosed(500, &recorder) else { return }
    recorder.expectEqual(closed.address, low.address, "where the free memory was")
    arena.expectBalance(inUse: 800 * 8192, inaccessible: 500 * 8192, &recorder)
    guard let more = arena.take(600, &recorder) else { return }
    arena.give(more.part(0, 300), &recorder)
    // 300 and 300 in use, 300 free: 100 are too many for the soft limit.
    recorder.succeeds("open") { () throws(PageArenaError) in try closed.protect(.readWrite) }
    // Asked once it is open: not every kernel tells what is resident of a closed range.
    recorder.expectEqual(low.part(0, 500).residentBytes, 0, "of what was free")
    recorder.expectEqual(arena.statistics.maybeResidentBytes, 1100 * 8192, "what is in use")
    recorder.expectEqual(arena.statistics.returned.limitBytes, 300 * 8192, "for the limit")
    recorder.expect(low.part(500, 300).isStamped(1), "what is in use is untouched")
    closed.deallocate()
    arena.expectBalance(inUse: 600 * 8192, inaccessible: 0, &recorder)
  },

  Check("inaccessible: the kernel refuses, a run is leaked, and what was asked for in vain") {
    recorder in
    let calls = FakeCalls()
    let limit = PageArena.MemoryLimit.bytes(hard: 1000 * 8192)
    guard let arena = makeArena(&recorder, calls: calls, caching: false, limit: limit),
      var run = arena.ownClosed(900, &recorder)
    else { return }
    calls.refuse(.mprotect)
    do throws(PageArenaError) {
      try run.protect(.readWrite)
      recorder.fail("opened")
    } catch { recorder.expect(error.isRefusal(of: .mprotect), error.description) }
    calls.failNoMore()
    // What could not be closed again may be written to.
    arena.expectBalance(inUse: 900 * 8192, inaccessible: 0, &recorder)
    run.deallocate()
    guard let large = arena.ownClosed(1001, &recorder), let fits = arena.ownClosed(10, &recorder)
    else { return }
    do throws(PageArenaError) {
      _ = unsafe try large.leak()
      recorder.fail("leaked beyond the limit")
    } catch {
      recorder.expect(
        error == .limitReached(pages: 1001, inUseBytes: 0, limitBytes: 1000 * 8192),
        error.description)
    }
    arena.expectBalance(inUse: 10 * 8192, inaccessible: 10 * 8192, &recorder)
    do throws(PageArenaError) {
      let memory = unsafe try fits.leak()
      unsafe memory[0] = 1
      guard let base = memory.baseAddress else { return }
      unsafe try arena.deallocate(base, pages: 10)
    } catch { recorder.fail("leak: \(error.description)") }
    arena.expectBalance(inUse: 0, inaccessible: 0, &recorder)
    for (pages, alignment) in [(0, 8192), (-1, 8192), (.max, 8192), (1, 3), (1, 0)] {
      do throws(PageArenaError) {
        _ = try arena.allocateRun(pages: pages, alignment: alignment, access: .none)
        recorder.fail("\(pages) pages at \(alignment)")
      } catch { recorder.expect(true, "refused") }
    }
    recorder.throwsError(.writableCode) { () throws(PageArenaError) in
      _ = try arena.allocateRun(pages: 1, access: .readWriteExecute)
    }
    arena.expectBalance(inUse: 0, inaccessible: 0, &recorder)
  },
]

extension PageArena {
  /// Takes a run that nobody can access, or records why not.
  fileprivate func ownClosed(_ pages: Int, _ recorder: inout Recorder) -> PageRun? {
    do throws(PageArenaError) {
      return try allocateRun(pages: pages, access: .none)
    } catch {
      recorder.fail("\(pages) pages without access: \(error.description)")
      return nil
    }
  }

  /// What is in use, and that the figures add up.
  fileprivate func expectBalance(
    inUse: UInt64, inaccessible: UInt64, _ recorder: inout Recorder, line: UInt = #line
  ) {
    let figures = statistics
    recorder.expectEqual(figures.inUseBytes, inUse, "in use", line: line)
    recorder.expectEqual(figures.inaccessibleBytes, inaccessible, "inaccessible", line: line)
    recorder.expectEqual(
      figures.inUseBytes + figures.freeMaybeResidentBytes + figures.scavengedBytes,
      figures.readyBytes, "the sum", line: line)
    recorder.expectEqual(
      figures.maybeResidentBytes,
      figures.readyBytes - figures.scavengedBytes - figures.inaccessibleBytes, "resident",
      line: line)
    recorder.expect(brokenInvariant() == nil, "invariants")
  }
}
