import CSysMem
import PageAlloc
import SysMem
import Synchronization

/// Descriptors that the scavenger's thread keeps, and a program that closes whatever it finds.
package let descriptorChecks: [Check] = [
  Check("descriptors: closed by the program, its own files under the numbers are left alone") {
    recorder in
    let files = KeptStalls()
    let options = PageArena.Options.quick(hearingStallsBy: files)
    guard let arena = makeArena(&recorder, options), let run = arena.take(2048, &recorder)
    else { return }
    run.stamp(1)
    arena.give(run, &recorder)
    recorder.expect(wait(5) { arena.scavengerThread.isParked }, "parked")
    // What a pipe of ours and one of the program's have in common is the kind, not the file.
    var ours: [Int32] = []
    for number in Int32(3)..<64 where files.isOwn(number) { ours.append(number) }
    recorder.expectEqual(ours.count, 3, "files that the thread keeps")
    let victim = csm_bell_open()
    for number in ours {
      recorder.expect(csm_identity(number).node != 0, "open")
      _ = dup2(victim.cord, number)
    }
    for _ in 0..<3 {
      guard let again = arena.take(3000, &recorder) else { return }
      again.stamp(1)
      arena.give(again, &recorder)
      recorder.expect(wait(5) { arena.statistics.maybeResidentBytes <= 1 << 20 }, "given back")
    }
    recorder.expect(wait(5) { files.looks.load(ordering: .relaxed) > 0 }, "it looks by itself now")
    recorder.expect(csm_hush(victim.ear) == 0, "nothing was written into the program's file")
    for number in ours {
      recorder.expectEqual(
        csm_identity(number).node, csm_identity(victim.cord).node, "the program's, still open")
      csm_close(number)
    }
    csm_close(victim.ear)
    csm_close(victim.cord)
  },

  Check("descriptors: to ring a bell of which a program has closed either end is no signal") {
    recorder in
    if leavesOutFork(&recorder) { return }
    for end in 0..<3 {
      recorder.context = "the file of number \(end) is closed"
      let status = inChild {
        let files = KeptStalls()
        let watch = StallWatch()
        let event = FutexEvent()
        watch.open(files)
        let ours = (Int32(3)..<64).filter { files.isOwn($0) }
        if ours.count != 3 { return 2 }
        csm_close(ours[end])
        event.signal()
        watch.ring()
        return watch.wait(event, files, nanoseconds: 1_000_000) == .signal ? 0 : 3
      }
      recorder.expectEqual(status, 0, "the child's status")
    }
  },
]

/// A kernel whose file tells nothing, and that knows which descriptors came since.
private final class KeptStalls: SystemFiles {
  private let before: [csm_file_identity] = (0..<64).map { csm_identity($0) }
  private let cord = Atomic<Int32>(-1)
  let looks = Atomic<Int>(0)

  deinit { csm_close(cord.load(ordering: .relaxed)) }

  /// A descriptor that was opened since, other than our own.
  func isOwn(_ number: Int32) -> Bool {
    let now = csm_identity(number)
    let then = before[Int(number)]
    return now.device != 0 && (now.node != then.node || now.device != then.device)
      && number != cord.load(ordering: .relaxed)
  }

  func read(_ path: borrowing SmallText, into text: inout SmallText) -> Bool {
    looks.add(1, ordering: .relaxed)
    text.clear()
    return false
  }

  func watchStalls() -> Int32? {
    let opened = csm_bell_open()
    if opened.error != 0 { return nil }
    cord.store(opened.cord, ordering: .relaxed)
    return opened.ear
  }

  func awaitStall(_ file: Int32, bell: Int32, nanoseconds: UInt64?) -> StallNews {
    _ = csm_poll_either(file, CInt(POLLIN), bell, nanoseconds ?? .max)
    return .none
  }
}
