import PageAlloc
import Synchronization

/// Threads that came and went leave no memory behind. The clock is real.
package let endedThreadChecks: [Check] = [
  Check("ended threads: the memory of their caches goes back") { recorder in
    guard let arena = makeArena(&recorder, .quick()) else { return }
    let before = arena.statistics.metadataBytes
    // All of them at once, so that each has a cache of its own.
    let meeting = Meeting(128)
    var peak: UInt64 = 0
    runThreads(
      Array(repeating: meeting, count: meeting.count),
      meanwhile: {
        meeting.waitForAll()
        peak = arena.statistics.metadataBytes
        meeting.end()
      }
    ) { meeting in
      if let run = try? arena.run(3) { _ = arena.errorOfGiving(run) }
      meeting.attend()
    }
    let caches = UInt64(meeting.count - 1) * 16_384
    recorder.expect(peak >= before + caches, "\(peak) bytes with all threads")
    let most = before + ScavengeGoal.mostKeptBytes
    let isReturned = wait(10) { arena.statistics.metadataBytes <= most }
    recorder.expect(isReturned, "\(arena.statistics.metadataBytes) bytes of tables stay")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("ended threads: their caches' memory goes on request, and comes again as it was new") {
    recorder in
    let calls = FakeCalls()
    var arena = makeArena(&recorder, calls: calls)
    // The arena grows first: how much its tables do then hangs on where its first piece lies.
    if let run = arena?.take(8, &recorder) { arena?.give(run, &recorder) }
    let before = arena?.statistics.metadataBytes ?? 0
    for round in 0..<3 {
      var caches: [CacheHolder] = []
      for _ in 0..<200 {
        guard let cache = try? arena?.makeCache() else { return recorder.fail("no cache") }
        caches.append(CacheHolder(cache, caches.count))
      }
      for (index, holder) in caches.enumerated() {
        guard let run = try? holder.cache.run(1 + index % 8) else {
          return recorder.fail("no run in round \(round)")
        }
        recorder.expect(holder.cache.errorOfGiving(run) == nil, "freed")
      }
      // Half of them stay in the first round: then places lie between others.
      caches.removeAll { $0.number % 2 == round % 2 || round > 0 }
      _ = try? arena?.releaseFreeMemory()
      let left = UInt64(caches.count + CacheTally.ownCounts)
      let now = arena?.statistics.metadataBytes ?? 0
      recorder.expect(now <= before + (left + 1) * 20_480 + 8192, "\(now) bytes in round \(round)")
      recorder.expectEqual(
        Int(arena?.systemStatistics.readyBytes ?? 0),
        Int((arena?.statistics.freeMaybeResidentBytes ?? 0) + now), "ready")
      recorder.expect(arena?.brokenInvariant() == nil, "the invariants hold")
    }
    arena = nil
    recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "mapped at the end")
  },

  Check("ended threads: a kernel that takes nothing back gives caches that are clear") { recorder in
    let calls = FakeCalls()
    guard let arena = makeArena(&recorder, calls: calls) else { return }
    for _ in 0..<3 {
      var caches: [CacheHolder] = []
      for _ in 0..<64 {
        guard let cache = try? arena.makeCache() else { return recorder.fail("no cache") }
        caches.append(CacheHolder(cache))
      }
      for holder in caches {
        let runs = (1...40).compactMap { try? holder.cache.run($0) }
        for run in runs { recorder.expect(holder.cache.errorOfGiving(run) == nil, "freed") }
      }
      caches.removeAll()
      calls.refuse(.madvise)
      arena.drainCaches()
      arena.dropRetiredCaches()
      calls.failNoMore()
      recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
      recorder.expectEqual(arena.settledStatistics.inUseBytes, 0, "in use")
    }
  },

  Check("ended threads: a cache that its thread gave back in between is not taken again") {
    recorder in
    guard let subject = makeHeap(&recorder) else { return }
    let (cache, other) = (BareCache(subject), BareCache(subject))
    subject.heap.add(cache.reference, for: 7)
    subject.heap.add(other.reference, for: 8)
    // Who looked saw that it is thread 7's, and then that there is no such thread any more.
    _ = subject.heap.retire(cache.reference)
    recorder.expect(subject.heap.retireAbandoned(cache.reference, of: 7) == nil, "nobody's")
    recorder.expect(subject.heap.obtainCache(for: 9) == cache.reference, "another thread's")
    recorder.expect(subject.heap.retireAbandoned(cache.reference, of: 7) == nil, "it keeps it")
    recorder.expectEqual(subject.heap.caches.ownedCount, 2, "with owners")
    recorder.expect(subject.heap.retireAbandoned(cache.reference, of: 9) != nil, "it has ended")
    recorder.expectEqual(subject.heap.caches.ownedCount, 1, "with an owner")
    recorder.expect(subject.heap.brokenInvariant() == nil, "the invariants hold")
  },

  Check("ended threads: caches are parted with in a list, and their owners stay counted") {
    recorder in
    var list = CacheList(isClosedForGood: false)
    let table = BareTable()
    // The first have counts of their own, and stay.
    let first = (0..<CacheTally.ownCounts).map { _ in BareCache(table) }
    let caches = (0..<5).map { _ in BareCache(table) }
    for cache in caches { list.add(cache.reference) }
    for index in [0, 2, 4] { list.retire(caches[index].reference) }
    recorder.expectEqual(list.retiredCount, 3, "without an owner")
    recorder.expect(list.takeRetired() == caches[4].reference, "one is found an owner")
    var removed: [CacheReference] = []
    recorder.expect(
      list.removeRetired { removed.append($0) } == caches[0].reference, "the one made first")
    recorder.expect(caches[0].reference.contents.nextRetired == caches[2].reference, "the next")
    recorder.expect(removed == [caches[2].reference, caches[0].reference], "both")
    list.add(first[0].reference)
    list.retire(first[0].reference)
    recorder.expect(list.removeRetired { _ in } == nil, "one of the first")
    recorder.expect(list.takeRetired() == first[0].reference, "which waits")
    recorder.expectEqual(list.count, 4, "that stay")
    recorder.expectEqual(list.ownedCount, 4, "with owners")
    var left: [CacheReference] = []
    list.forEach { left.append($0) }
    let others = [first[0]] + [4, 3, 1].map { caches[$0] }
    recorder.expect(left == others.map { $0.reference }, "the others, in order")
    recorder.expect(list.takeRetired() == nil, "none waits")
    for index in [4, 3, 1] { list.retire(caches[index].reference) }
    _ = list.removeRetired { _ in }
    recorder.expectEqual(list.count, 1, "all others went")
    list.add(caches[0].reference)
    recorder.expectEqual(list.count, 2, "one more")
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
