import CSysMem
import PageAlloc
import Synchronization
import SysMem

/// Runs of which something is special, and that grow.
package let growSpecialChecks: [Check] = [
  Check("grow: a guard behind the run moves with its end, whatever it is made of") { recorder in
    for isMapped in [false, true] {
      recorder.context = isMapped ? "guards of access rights" : "guards as they come"
      let calls = FakeCalls()
      if isMapped { calls.markerErrno.store(EINVAL, ordering: .relaxed) }
      guard let arena = makeArena(&recorder, calls: calls, byteCount: 64 << 20),
        let dirty = arena.take(1500, &recorder)
      else { return }
      dirty.stamp(9)
      arena.give(dirty, &recorder)
      guard var run = arena.own(4, guarded: true, &recorder) else { return }
      run.stamp(3)
      for pages in [5, 24, 704] {
        let old = run.pages
        recorder.expect(run.grow(to: pages, zeroed: true), "to \(pages) pages")
        recorder.expectEqual(run.pages, pages, "pages")
        recorder.expect(run.isStamped(3, pages: 4), "what it had")
        let new = run.bytes.extracting((old << 13)..<(pages << 13))
        recorder.expect(isZero(new), "what it got, the guard's page before all")
        expectGuarded(run, &recorder)
      }
      run.stamp(4)
      let halves = run.split(at: 4)
      recorder.expectEqual(halves.lower.pages, 4, "the lower half")
      halves.upper.deallocate()
      halves.lower.deallocate()
      recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use")
      _ = try? arena.releaseFreeMemory()
      // Nothing is left that faults.
      guard let plain = arena.take(1500, zeroed: true, &recorder) else { return }
      plain.stamp(4)
      arena.give(plain, &recorder)
    }
  },

  Check("grow: where the kernel refuses another guard the run is as it was") { recorder in
    for isMapped in [false, true] {
      recorder.context = isMapped ? "guards of access rights" : "guards as they come"
      let calls = FakeCalls()
      if isMapped { calls.markerErrno.store(EINVAL, ordering: .relaxed) }
      guard let arena = makeArena(&recorder, calls: calls, byteCount: 64 << 20),
        var run = arena.own(4, guarded: true, &recorder)
      else { return }
      run.stamp(3)
      let inUse = arena.statistics.inUseBytes
      calls.refuse(isMapped || !calls.canMarkGuards ? .mprotect : .madvise)
      recorder.expect(!run.grow(to: 8), "refused")
      calls.failNoMore()
      recorder.expectEqual(run.pages, 4, "pages")
      recorder.expectEqual(arena.statistics.inUseBytes, inUse, "in use")
      expectGuarded(run, &recorder)
      recorder.expect(run.grow(to: 8), "later")
      recorder.expect(run.isStamped(3, pages: 4), "what it had")
      expectGuarded(run, &recorder)
      run.deallocate()
      recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use at the end")
    }
  },

  Check("grow: what was protected, locked or left out of dumps") { recorder in
    let calls = FakeCalls()
    guard let arena = makeArena(&recorder, calls: calls, byteCount: 64 << 20) else { return }
    guard var readOnly = arena.own(4, &recorder) else { return }
    readOnly.stamp(5)
    recorder.succeeds("protect") { () throws(PageArenaError) in try readOnly.protect(.readOnly) }
    recorder.expect(readOnly.grow(to: 12), "it grows")
    recorder.succeeds("the old pages, too") { () throws(PageArenaError) in
      try readOnly.protect(.readWrite)
    }
    recorder.expect(readOnly.isStamped(5, pages: 4), "what it had")
    readOnly.stamp(6)
    readOnly.deallocate()

    guard var locked = arena.own(4, &recorder) else { return }
    recorder.succeeds("left out of dumps") { () throws(PageArenaError) in
      try locked.excludeFromCoreDumps()
    }
    do throws(PageArenaError) {
      try locked.lock()
      calls.refuse(.mlock)
      recorder.expect(!locked.grow(to: 8), "no more may be locked")
      calls.failNoMore()
      recorder.expectEqual(locked.pages, 4, "pages")
      recorder.expectEqual(arena.statistics.inUseBytes, 4 << 13, "in use")
    } catch { recorder.expect(error.description.utf8.count > 0, "nothing may be locked here") }
    _ = locked.grow(to: 8)
    locked.stamp(7)
    locked.deallocate()

    recorder.succeeds("closed") { () throws(PageArenaError) in
      var closed = try arena.allocateRun(pages: 4, access: .none)
      if closed.grow(to: 8) { throw .badScavenging }
      closed.deallocate()
    }
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use at the end")
  },
]

private func isZero(_ bytes: RawSpan) -> Bool {
  var bits: UInt64 = 0
  for word in 0..<bytes.byteCount / 8 {
    // A number that any eight bytes are.
    bits |= unsafe bytes.unsafeLoad(fromByteOffset: 8 * word, as: UInt64.self)
  }
  return bits == 0
}
