import CSysMem
import Synchronization
import SysMem

/// A kernel that tells of stalls when told to.
final class FakeStalls: SystemFiles {
  /// A pipe in the place of the kernel's file.
  let file = Atomic<Int32>(-1)
  private let cord = Atomic<Int32>(-1)
  /// Sleeps on the files, and looks at the kernel's count.
  let sleeps = Atomic<Int>(0)
  let looks = Atomic<Int>(0)
  /// The file is of no use.
  let isGone = Atomic<Bool>(false)

  deinit { csm_close(cord.load(ordering: .relaxed)) }

  func stall() { csm_ring(cord.load(ordering: .relaxed)) }

  func read(_ path: borrowing SmallText, into text: inout SmallText) -> Bool {
    looks.add(1, ordering: .relaxed)
    text.clear()
    return false
  }

  func watchStalls() -> Int32? {
    let opened = csm_bell_open()
    if opened.error != 0 { return nil }
    file.store(opened.ear, ordering: .relaxed)
    cord.store(opened.cord, ordering: .relaxed)
    return opened.ear
  }

  func awaitStall(_ file: Int32, bell: Int32, nanoseconds: UInt64?) -> StallNews {
    sleeps.add(1, ordering: .relaxed)
    if isGone.load(ordering: .relaxed) { return .gone }
    _ = csm_poll_either(file, CInt(POLLIN), bell, nanoseconds ?? .max)
    return csm_hush(file) == 1 ? .stalled : .none
  }
}
