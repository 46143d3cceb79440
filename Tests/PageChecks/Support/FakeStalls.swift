import CSysMem
import Synchronization
import SysMem

/// A kernel that tells of stalls when told to.
final class FakeStalls: SystemFiles {
  /// An eventfd in the place of the kernel's file.
  let file = Atomic<Int32>(-1)
  /// Sleeps on the files, and looks at the kernel's count.
  let sleeps = Atomic<Int>(0)
  let looks = Atomic<Int>(0)
  /// The file is of no use.
  let isGone = Atomic<Bool>(false)

  func stall() { csm_ring(file.load(ordering: .relaxed)) }

  func read(_ path: borrowing SmallText, into text: inout SmallText) -> Bool {
    looks.add(1, ordering: .relaxed)
    text.clear()
    return false
  }

  func watchStalls() -> Int32? {
    let opened = csm_eventfd()
    if opened.error != 0 { return nil }
    file.store(Int32(opened.value), ordering: .relaxed)
    return Int32(opened.value)
  }

  func awaitStall(_ file: Int32, bell: Int32, nanoseconds: UInt64?) -> StallNews {
    sleeps.add(1, ordering: .relaxed)
    if isGone.load(ordering: .relaxed) { return .gone }
    _ = csm_poll_either(file, CInt(POLLIN), bell, nanoseconds ?? .max)
    return csm_hush(file) == 1 ? .stalled : .none
  }
}
