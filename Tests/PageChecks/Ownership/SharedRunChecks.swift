import PageAlloc
import Synchronization

/// A run with many owners.
package let sharedRunChecks: [Check] = [
  Check("shared run: it is freed with the last copy, and read by all") { recorder in
    guard let arena = makeArena(&recorder), var run = arena.own(3, &recorder) else { return }
    run.stamp(6)
    let address = run.address
    var copies = [SharedPageRun](repeating: SharedPageRun(run), count: 5)
    for copy in copies {
      recorder.expectEqual(copy.address, address, "the same memory")
      recorder.expectEqual(copy.pages, 3, "pages")
      recorder.expectEqual(copy.byteCount, 3 * 8192, "bytes")
      recorder.expectEqual(copy.bytes.byteCount, 3 * 8192, "bytes in the span")
      recorder.expectEqual(copy.elements(of: UInt64.self)[1024], 7, "the second page")
      recorder.expectEqual(UInt(copy.offset) & 8191, 0, "a page's offset")
    }
    recorder.expectEqual(arena.statistics.inUseBytes, 3 * 8192, "in use")
    var last = copies[4]
    recorder.expect(!last.isUnique(), "one of several")
    recorder.expect(last.withMutableBytesIfUnique { _ in 0 } == nil, "not written to")
    copies = []
    recorder.expect(last.isUnique(), "the last one")
    let written: Int? = last.withMutableBytesIfUnique { bytes in
      bytes.storeBytes(of: 9, toByteOffset: 8, as: UInt64.self)
      return bytes.byteCount
    }
    recorder.expectEqual(written ?? 0, 3 * 8192, "written to")
    recorder.expectEqual(last.elements(of: UInt64.self)[1], 9, "what was written")
    recorder.expectEqual(arena.statistics.inUseBytes, 3 * 8192, "still in use")
    _ = consume last
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "freed")
  },

  Check("shared run: copies go in many threads, and the arena before them") { recorder in
    let calls = FakeCalls()
    var holders: [SharedHolder] = []
    do {
      guard let arena = makeArena(&recorder, calls: calls), var run = arena.own(2, &recorder)
      else { return }
      run.stamp(1)
      let shared = SharedPageRun(run)
      for _ in 0..<4 { holders.append(SharedHolder(shared)) }
    }
    runThreads(holders) { $0.readAndDrop() }
    for holder in holders {
      recorder.expectEqual(holder.sum.load(ordering: .relaxed), 3, "read by a thread")
    }
    holders = []
    recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "mapped at the end")
  },

  Check("shared arena: one for all") { recorder in
    // In a child, since it stays, with its thread, as long as the process.
    if leavesOutFork(&recorder) { return }
    if isEmulated { return recorder.leaveOut("an emulator that has grown, to be copied by a fork") }
    let status = inChild {
      let arena = PageArena.shared
      guard arena === PageArena.shared, let run = try? arena.run(2) else { return 1 }
      return arena.errorOfGiving(run) == nil ? 0 : 2
    }
    recorder.expectEqual(status, 0, "the child's status")
  },
]

private final class SharedHolder: Sendable {
  let sum = Atomic<UInt64>(0)
  // Of the thread that it is given to.
  nonisolated(unsafe) private var shared: SharedPageRun?

  init(_ shared: SharedPageRun) { unsafe self.shared = shared }

  func readAndDrop() {
    if let shared = unsafe shared {
      let words = shared.elements(of: UInt64.self)
      sum.store(words[0] + words[1024], ordering: .relaxed)
    }
    unsafe shared = nil
  }
}
