import CSysMem
import Synchronization

// To sleep until memory is short
// ==============================
//
// A thread that sleeps on a word cannot wait for a file meanwhile. So where stalls are to wake the
// scavenger, its thread sleeps on two files instead:
//
//   stalls   the kernel tells when tasks have waited for memory for 20 ms within 2 s
//   bell     two sockets: who signals the word also rings
//
// Whether there was a signal the word says still; the bell only ends the sleep. Where the kernel
// does not grant both, the thread sleeps on the word, and looks at the kernel's count once a
// generation.
//
// A program may close whatever it finds open, and have the numbers for files of its own. So each is
// looked at before it is used or closed; when one is another's, the watch is over. Nobody can ring
// then, so no sleep is longer than a second.

/// A descriptor that is kept, and what it was opened for.
@safe
private struct KeptFile: ~Copyable {
  // -1 for none. Written by the thread, and where there is none; the identity comes before.
  private let number = Atomic<Int32>(-1)
  private let device = Atomic<UInt>(0)
  private let node = Atomic<UInt>(0)

  /// Whether there is one.
  var isOpen: Bool { number.load(ordering: .relaxed) >= 0 }

  /// Keeps a file that was just opened.
  borrowing func keep(_ file: Int32) {
    let identity = FileIdentity(of: file)
    device.store(identity.device, ordering: .relaxed)
    node.store(identity.node, ordering: .relaxed)
    number.store(file, ordering: .releasing)
  }

  /// Its number, if that is still the file's; -1 otherwise.
  var current: Int32 {
    let number = number.load(ordering: .acquiring)
    return number >= 0 && isOurs(number) ? number : -1
  }

  /// Closes it, unless somebody did.
  borrowing func close() {
    let number = number.exchange(-1, ordering: .relaxed)
    if number >= 0, isOurs(number) { csm_close(number) }
  }

  private borrowing func isOurs(_ number: Int32) -> Bool {
    FileIdentity(of: number)
      == FileIdentity(
        device: device.load(ordering: .relaxed), node: node.load(ordering: .relaxed))
  }
}

/// The files on which the scavenger's thread sleeps where stalls are to wake it.
package struct StallWatch: ~Copyable {
  // Who rings reads `cord`, which stays open as long as the thread lives; that no signal is missed
  // is by the fences: either who rings sees the bell, or the thread sees the signal that came
  // before.
  private let stalls = KeptFile()
  private let ear = KeptFile()
  private let cord = KeptFile()

  /// Watches nothing.
  package init() {}

  /// Whether there is anything to sleep on.
  package var isOn: Bool { stalls.isOpen }

  /// Opens all files, or none.
  package borrowing func open(_ files: any SystemFiles) {
    guard let file = files.watchStalls() else { return }
    let bell = csm_bell_open()
    guard bell.error == 0 else {
      csm_close(file)
      return
    }
    stalls.keep(file)
    ear.keep(bell.ear)
    cord.keep(bell.cord)
    atomicMemoryFence(ordering: .sequentiallyConsistent)
  }

  /// Closes them, when the thread has ended, or they are of no use.
  package borrowing func close() {
    stalls.close()
    cord.close()
    ear.close()
  }

  /// Ends a sleep, after the signal itself.
  package borrowing func ring() {
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    let cord = cord.current
    if cord >= 0 { csm_ring(cord) }
  }

  /// What ended a sleep.
  package enum End: Sendable {
    /// A signal.
    case signal
    /// The time was over.
    case time
    /// Tasks have stalled.
    case stall
  }

  /// Sleeps until `event` is signalled, tasks have stalled, or so many nanoseconds are over; for a
  /// second at the most, which counts as a signal.
  package borrowing func wait(
    _ event: borrowing FutexEvent, _ files: any SystemFiles, nanoseconds: UInt64?
  ) -> End {
    if event.take() { return .signal }
    let (file, bell) = (stalls.current, ear.current)
    // Somebody has closed what is ours: from now on the thread sleeps on the word.
    guard file >= 0, bell >= 0, cord.current >= 0 else {
      close()
      return .signal
    }
    let slice = min(nanoseconds ?? .max, 1_000_000_000)
    let news = files.awaitStall(file, bell: bell, nanoseconds: slice)
    // In this order: a signal in between leaves the bell to be heard once more.
    let wasRung = ear.current >= 0 && csm_hush(bell) != 0
    let wasSignalled = event.take()
    // The kernel would end every sleep at once.
    if news == .gone || cord.current < 0 { close() }
    if news == .stalled { return .stall }
    return wasRung || wasSignalled || !isOn || slice != nanoseconds ? .signal : .time
  }
}

/// Microseconds in which some task of the system waited for memory, since it started; `nil` where
/// the kernel does not say.
///
/// The file's first line: `some avg10=0.00 avg60=0.00 avg300=0.00 total=12345`.
package func stallMicroseconds(_ files: any SystemFiles) -> UInt64? {
  var text = SmallText()
  guard files.read(SmallText("/proc/pressure/memory"), into: &text), text.has("some ", at: 0)
  else { return nil }
  let end = text.index(of: UInt8(ascii: "\n"), from: 0)
  for place in 0..<end where text.has("total=", at: place) {
    return text.number(at: place + 6)
  }
  return nil
}
