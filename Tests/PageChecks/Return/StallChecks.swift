import CSysMem
import PageAlloc
import SysMem
import Synchronization

/// Stalls for want of memory wake the scavenger's thread, which sleeps until then.
package let stallChecks: [Check] = [
  Check("stalls: the kernel's word wakes the sleeping thread, and all that is free goes") {
    recorder in
    let files = FakeStalls()
    let options = PageArena.Options.quick(hearingStallsBy: files)
    guard let arena = makeArena(&recorder, options), let live = arena.take(4096, &recorder),
      let run = arena.take(1024, &recorder)
    else { return }
    live.stamp(1)
    run.stamp(1)
    arena.give(run, &recorder)
    guard wait(5, until: { arena.scavengerThread.isParked }) else {
      return recorder.fail("not parked: \(arena.statistics.description)")
    }
    // Within the headroom: it stays, partly in this thread's cache, and the thread does not even
    // look.
    let kept = arena.statistics.freeMaybeResidentBytes
    recorder.expect(kept > 1 << 20, "\(kept) bytes stay")
    if let small = arena.take(2, &recorder) { arena.give(small, &recorder) }
    recorder.expect(arena.statistics.cachedBytes > 0, "something is at hand")
    let sleeps = files.sleeps.load(ordering: .relaxed)
    sleep(milliseconds: 100)
    recorder.expectEqual(files.sleeps.load(ordering: .relaxed), sleeps, "it woke by itself")
    recorder.expectEqual(files.looks.load(ordering: .relaxed), 0, "looks at the count of stalls")

    for _ in 0..<3 {
      files.stall()
      recorder.expect(wait(5) { arena.statistics.freeMaybeResidentBytes == 0 }, "what is free went")
      recorder.expect(wait(5) { arena.scavengerThread.isParked }, "parked again")
      // And it still hears of frees.
      guard let again = arena.take(3000, &recorder) else { return }
      again.stamp(1)
      arena.give(again, &recorder)
      let most = UInt64(4096 + 410 + 128) << 13
      recorder.expect(
        wait(5) { arena.statistics.maybeResidentBytes <= most }, "back to the headroom")
      recorder.expect(wait(5) { arena.scavengerThread.isParked }, "parked again, too")
    }
    recorder.expect(live.isStamped(1), "what is in use is untouched")
  },

  Check("stalls: where the kernel tells no more, the thread sleeps all the same") { recorder in
    let files = FakeStalls()
    files.isGone.store(true, ordering: .relaxed)
    let options = PageArena.Options.quick(hearingStallsBy: files)
    guard let arena = makeArena(&recorder, options), let run = arena.take(2048, &recorder)
    else { return }
    run.stamp(1)
    arena.give(run, &recorder)
    recorder.expect(wait(5) { arena.statistics.maybeResidentBytes <= 1 << 20 }, "given back")
    recorder.expect(wait(5) { files.looks.load(ordering: .relaxed) > 2 }, "it looks by itself now")
    recorder.expectEqual(files.sleeps.load(ordering: .relaxed), 1, "sleeps on the files")
  },

  Check("stalls: the files go with the arena") { recorder in
    for isStalled in [false, true] {
      let files = FakeStalls()
      do {
        let options = PageArena.Options.quick(hearingStallsBy: files)
        guard let arena = makeArena(&recorder, options), let run = arena.take(2048, &recorder)
        else { return }
        run.stamp(1)
        arena.give(run, &recorder)
        recorder.expect(wait(5) { arena.scavengerThread.isParked }, "parked")
        if isStalled { files.stall() }
      }
      var byte: UInt8 = 0
      // One byte; the file is closed.
      let read = unsafe csm_read(files.file.load(ordering: .relaxed), &byte, 1)
      recorder.expectEqual(read.error, EBADF, "reading the file")
    }
  },

  Check("stalls: the kernel's own file, where it is granted") { recorder in
    let files = LinuxFiles()
    guard let file = files.watchStalls() else {
      return recorder.leaveOut("the kernel does not grant word of stalls")
    }
    defer { csm_close(file) }
    let bell = csm_bell_open()
    guard bell.error == 0 else { return recorder.fail("no bell: errno \(bell.error)") }
    defer {
      csm_close(bell.ear)
      csm_close(bell.cord)
    }
    let start = csm_now()
    let quiet = files.awaitStall(file, bell: bell.ear, nanoseconds: 20_000_000)
    // Memory may be short on this machine just now.
    recorder.expect(quiet == .stalled || csm_now() - start >= 20_000_000, "slept for its time")
    recorder.expect(quiet != .gone, "the file is good")
    csm_ring(bell.cord)
    let rung = files.awaitStall(file, bell: bell.ear, nanoseconds: nil)
    recorder.expect(rung != .gone, "the bell ends a sleep without end")
    recorder.expect(csm_hush(bell.ear) == 1, "it had rung")
    recorder.expect(csm_hush(bell.ear) == 0, "it rings no more")
  },
]
