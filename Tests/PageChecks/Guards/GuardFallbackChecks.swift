import CSysMem
import PageAlloc
import SysMem
import Synchronization

/// Guards where markers are refused.
package let guardFallbackChecks: [Check] = [
  Check("guards: where markers are refused, at first or later, access rights take their place") {
    recorder in
    for errno in [EINVAL, EPERM, ENOSYS] {
      for isLater in [false, true] {
        recorder.context = "errno \(errno), \(isLater ? "later" : "from the start")"
        let calls = FakeCalls()
        guard let arena = makeArena(&recorder, calls: calls) else { return }
        var marked: PageRun?
        if isLater { marked = arena.own(2, guarded: true, &recorder) }
        calls.markerErrno.store(errno, ordering: .relaxed)
        guard var run = arena.own(2, guarded: true, &recorder) else { return }
        run.stamp(3)
        expectGuarded(run, &recorder)
        guard let other = arena.own(4, guarded: true, &recorder) else { return }
        let halves = other.split(at: 2)
        calls.markerErrno.store(0, ordering: .relaxed)
        if let again = arena.own(2, guarded: true, &recorder) { expectGuarded(again, &recorder) }
        if let marked = marked.take() { expectGuarded(marked, &recorder) }
        recorder.expect(run.isStamped(3, pages: 2), "contents")
        run.deallocate()
        halves.lower.deallocate()
        halves.upper.deallocate()
        recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use")
        _ = try? arena.releaseFreeMemory()
        // Nothing is left that faults.
        guard let plain = arena.take(64, zeroed: true, &recorder) else { return }
        plain.stamp(4)
        recorder.expect(plain.isStamped(4), "plain memory")
        arena.give(plain, &recorder)
      }
    }
  },

  Check("guards: where markers are refused, a quarantine fences by access rights") { recorder in
    for isLater in [false, true] {
      recorder.context = isLater ? "later" : "from the start"
      let calls = FakeCalls()
      var options = PageArena.Options(calls: calls)
      options.diagnosis = .checked(quarantineByteCount: 1 << 20)
      guard let arena = makeArena(&recorder, options) else { return }
      if isLater, let run = arena.take(2, &recorder) { arena.give(run, &recorder) }
      calls.markerErrno.store(EINVAL, ordering: .relaxed)
      guard let run = arena.take(4, &recorder) else { return }
      run.stamp(1)
      arena.give(run, &recorder)
      recorder.expect(!isReadable(run.address), "fenced")
      calls.markerErrno.store(0, ordering: .relaxed)
      arena.emptyQuarantine()
      guard let again = arena.take(64, zeroed: true, &recorder) else { return }
      again.stamp(2)
      recorder.expect(again.isStamped(2), "plain memory")
      arena.give(again, &recorder)
    }
  },
]

func expectGuarded(
  _ run: borrowing PageRun, _ recorder: inout Recorder, line: UInt = #line
) {
  let end = run.address + UInt(run.byteCount)
  recorder.expect(
    !isReadable(run.address - 1) && !isReadable(end), "guards on both sides", line: line)
  recorder.expect(isReadable(run.address) && isReadable(end - 1), "readable", line: line)
}
