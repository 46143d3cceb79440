import CSysMem
import CTestSystem
import CThreadSlots
import PageAlloc
import Synchronization

/// What a thread knows, without an arena: on threads of their own, which know nothing at first.
package let thisThreadChecks: [Check] = [
  Check("this thread: near slots and those of a table are told apart, and lie at their places") {
    recorder in
    let threads = [ThreadRecord(1), ThreadRecord(2)]
    runThreads(threads) { $0.use() }
    for thread in threads {
      recorder.expectEqual(thread.faults.load(ordering: .relaxed), 0, "faults")
    }
  }
]

/// What a place without a slot comes to: a child each.
package let thisThreadTrapChecks: [Check] = [
  Check("this thread: the slot of a place that has none traps") { recorder in
    if leavesOutFork(&recorder) { return }
    // The first behind the near ones, on a thread that has no table, or behind that.
    let first = Int(CTS_NEAR_SLOTS) + Int(ThisThread.record.table_count)
    recorder.expect(!ThisThread.hasSlot(at: first) && ThisThread.hasSlot(at: first - 1), "slots")
    for place in [first, .max, -1, .min] {
      recorder.context = "place \(place)"
      let reads = inHeardChild(&recorder) { if ThisThread[slot: place].arena == 9 { csm_yield() } }
      recorder.expect(reads.isTrap, "a read ends with \(reads.status)")
      let writes = inHeardChild(&recorder) {
        ThisThread[slot: place] = cts_slot(arena: 0, cache: 0)
      }
      recorder.expect(writes.isTrap, "a write ends with \(writes.status)")
    }
    // Behind a table whose memory goes on; its last slot is there.
    for (slot, isThere) in [(4, true), (5, false)] {
      recorder.context = "slot \(slot) of a table of 5"
      let end = inHeardChild(&recorder) {
        let mapped = csm_mmap(0, UInt(csm_page_size()), PROT_READ | PROT_WRITE, 0, 1)
        if mapped.error != 0 { return }
        // Of a thread that ends without a look at it.
        ThisThread.record.table = mapped.value
        ThisThread.record.table_count = 5
        ThisThread[slot: Int(CTS_NEAR_SLOTS) + slot] = cts_slot(arena: 1, cache: 1)
        ctest_exit_now(8)
      }
      recorder.expect(isThere ? end.status == 8 : end.isTrap, "it ends with \(end.status)")
    }
  }
]

/// A thread that writes to all that it knows, and looks at it again.
private final class ThreadRecord: Sendable {
  let faults = Atomic<Int>(0)
  private let number: UInt

  init(_ number: UInt) { self.number = number }

  func use() {
    let near = Int(CTS_NEAR_SLOTS)
    expect(ThisThread.record.table_count == 0 && ThisThread.record.number == 0, "a new thread")
    expect(ThisThread.hasSlot(at: near - 1) && !ThisThread.hasSlot(at: near), "the near ones")
    let count = 5
    let size = UInt(count * MemoryLayout<cts_slot>.stride)
    let mapped = csm_mmap(0, size, PROT_READ | PROT_WRITE, 0, 1)
    if mapped.error != 0 { return expect(false, "no memory") }
    ThisThread.record.table = mapped.value
    ThisThread.record.table_count = UInt(count)
    expect(ThisThread.hasSlot(at: near + count - 1), "the table's last")
    expect(!ThisThread.hasSlot(at: near + count), "behind it")
    for place in 0..<near + count {
      ThisThread[slot: place] = cts_slot(arena: number, cache: UInt(place))
    }
    // Another thread writes to its own meanwhile.
    csm_yield()
    for place in 0..<near + count {
      let slot = ThisThread[slot: place]
      expect(slot.arena == number && slot.cache == UInt(place), "the slot of a place")
    }
    ThisThread[slot: near].cache = 77
    expect(ThisThread[slot: near].cache == 77 && ThisThread[slot: near - 1].cache == 7, "one alone")
    expect(ThisThread.record.last.arena == 0 && ThisThread.record.inside == 0, "nothing else")
    // The slots go, so that the thread ends as if there had been none.
    for place in 0..<near { ThisThread[slot: place] = cts_slot(arena: 0, cache: 0) }
    ThisThread.record.table = 0
    ThisThread.record.table_count = 0
    _ = csm_munmap(mapped.value, size)
  }

  private func expect(_ holds: Bool, _ what: StaticString) {
    if !holds { faults.add(1, ordering: .relaxed) }
  }
}
