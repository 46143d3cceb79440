import CSysMem
import Synchronization

// To sleep until memory is short
// ==============================
//
// A thread that sleeps on a word cannot wait for a file meanwhile. So where stalls are to wake the
// scavenger, its thread sleeps on two files instead:
//
//   stalls   the kernel tells when tasks have waited for memory for 20 ms within 2 s
//   bell     an eventfd: who signals the word also rings
//
// Whether there was a signal the word says still; the bell only ends the sleep. Where the kernel
// does not grant both, the thread sleeps on the word, and looks at the kernel's count once a
// generation.

/// The files on which the scavenger's thread sleeps where stalls are to wake it.
package struct StallWatch: ~Copyable {
  // -1 for none. Written by the thread, and where there is none. Who rings reads `bell`, which
  // stays open as long as the thread lives; that no signal is missed is by the fences: either who
  // rings sees the bell, or the thread sees the signal that came before.
  private let stalls = Atomic<Int32>(-1)
  private let bell = Atomic<Int32>(-1)

  /// Watches nothing.
  package init() {}

  /// Whether there is anything to sleep on.
  package var isOn: Bool { stalls.load(ordering: .relaxed) >= 0 }

  /// Opens both files, or none.
  package borrowing func open(_ files: any SystemFiles) {
    guard let file = files.watchStalls() else { return }
    let opened = csm_eventfd()
    guard opened.error == 0 else {
      csm_close(file)
      return
    }
    stalls.store(file, ordering: .relaxed)
    bell.store(Int32(truncatingIfNeeded: opened.value), ordering: .relaxed)
    atomicMemoryFence(ordering: .sequentiallyConsistent)
  }

  /// Closes them, when the thread has ended.
  package borrowing func close() {
    closeStalls()
    let bell = bell.exchange(-1, ordering: .relaxed)
    if bell >= 0 { csm_close(bell) }
  }

  private borrowing func closeStalls() {
    let file = stalls.exchange(-1, ordering: .relaxed)
    if file >= 0 { csm_close(file) }
  }

  /// Ends a sleep, after the signal itself.
  package borrowing func ring() {
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    let bell = bell.load(ordering: .relaxed)
    if bell >= 0 { csm_ring(bell) }
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

  /// Sleeps until `event` is signalled, tasks have stalled, or so many nanoseconds are over.
  package borrowing func wait(
    _ event: borrowing FutexEvent, _ files: any SystemFiles, nanoseconds: UInt64?
  ) -> End {
    if event.take() { return .signal }
    let bell = bell.load(ordering: .relaxed)
    let news = files.awaitStall(
      stalls.load(ordering: .relaxed), bell: bell, nanoseconds: nanoseconds)
    // In this order: a signal in between leaves the bell to be heard once more.
    let wasRung = csm_hush(bell) != 0
    let wasSignalled = event.take()
    // The kernel would end every sleep at once.
    if news == .gone { closeStalls() }
    return news == .stalled ? .stall : wasRung || wasSignalled || news == .gone ? .signal : .time
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
