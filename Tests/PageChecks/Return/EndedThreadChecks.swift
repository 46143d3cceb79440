import PageAlloc
import Synchronization

/// Threads that came and went leave no memory behind. The clock is real.
package let endedThreadChecks: [Check] = [
  Check("ended threads: the memory of their caches goes back") { recorder in
    guard let arena = makeArena(&recorder, .quick()) else { return }
    let before = arena.statistics.metadataBytes
    // All of them at once, so that each has a cache of its own.
    let meeting = Meeting(128)
    var most: UInt64 = 0
    runThreads(
      Array(repeating: meeting, count: meeting.count),
      meanwhile: {
        meeting.waitForAll()
        most = arena.statistics.metadataBytes
        meeting.end()
      }
    ) { meeting in
      if let run = try? arena.run(3) { _ = arena.errorOfGiving(run) }
      meeting.attend()
    }
    let caches = UInt64(meeting.count) * 16_384
    recorder.expect(most >= before + caches, "\(most) bytes with all threads")
    // 1 MiB may stay.
    let isReturned = wait(10) { arena.statistics.metadataBytes <= before + 1 << 20 }
    recorder.expect(isReturned, "\(arena.statistics.metadataBytes) bytes of tables stay")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("ended threads: caches are parted with in a list, and their owners stay counted") {
    recorder in
    var list = CacheList(isClosedForGood: false)
    let caches = (0..<5).map { _ in BareCache() }
    for cache in caches { list.add(cache.reference) }
    for index in [0, 2, 4] { list.retire(caches[index].reference) }
    recorder.expectEqual(list.retiredCount, 3, "without an owner")
    recorder.expect(list.takeRetired() == caches[4].reference, "one is found an owner")
    var removed: [CacheReference] = []
    recorder.expect(
      list.removeRetired { removed.append($0) } == caches[2].reference, "the one that went last")
    recorder.expect(removed == [caches[2].reference, caches[0].reference], "both")
    recorder.expectEqual(list.count, 3, "that stay")
    recorder.expectEqual(list.ownedCount, 3, "with owners")
    var left: [CacheReference] = []
    list.forEach { left.append($0) }
    recorder.expect(left == [4, 3, 1].map { caches[$0].reference }, "the others, in order")
    recorder.expect(list.takeRetired() == nil, "none waits")
    for index in [4, 3, 1] { list.retire(caches[index].reference) }
    _ = list.removeRetired { _ in }
    recorder.expectEqual(list.count, 0, "all went")
    list.add(caches[0].reference)
    recorder.expectEqual(list.count, 1, "one more")
  },
]

/// Where threads stay until all are there, and it is over.
private final class Meeting: Sendable {
  let count: Int
  private let present = Atomic<Int>(0)
  private let isOver = Atomic<Bool>(false)

  init(_ count: Int) { self.count = count }

  func attend() {
    present.add(1, ordering: .releasing)
    while !isOver.load(ordering: .acquiring) { sleep(milliseconds: 1) }
  }

  func waitForAll() {
    while present.load(ordering: .acquiring) < count { sleep(milliseconds: 1) }
  }

  func end() { isOver.store(true, ordering: .releasing) }
}
