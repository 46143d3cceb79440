import PageAlloc
import Synchronization

/// A thread and its caches of many arenas: those in the first places, and those in its table.
package let threadSlotsChecks: [Check] = [
  Check("thread slots: a thread finds its caches of 1, 9 and 300 arenas, and gives all back") {
    recorder in
    for count in [1, 9, 300] {
      recorder.context = "\(count) arenas"
      // 64 MiB of address space each.
      if Reservation.offsetsAreAddresses, count > 16 {
        recorder.leaveOut("300 arenas at once: too little address space on 32 bits")
        continue
      }
      var arenas: [PageArena] = []
      for _ in 0..<count {
        guard let arena = makeArena(&recorder, byteCount: 64 << 20) else { return }
        arenas.append(arena)
      }
      let user = SlotUser(arenas)
      runThreads([user]) { $0.use() }
      recorder.expectEqual(user.faults.load(ordering: .relaxed), 0, "faults")
      recorder.expectEqual(user.rounds.load(ordering: .relaxed), 3, "rounds")
      for (index, arena) in arenas.enumerated() {
        let statistics = arena.statistics
        recorder.expectEqual(statistics.inUseBytes, 0, "in use in arena \(index)")
        recorder.expectEqual(statistics.cachedBytes, 0, "cached in arena \(index)")
        recorder.expect(arena.brokenInvariant() == nil, "arena \(index) is sound")
      }
      // The caches that the thread left behind are another thread's.
      let mapped = arenas.map { $0.statistics.metadataBytes }
      let other = SlotUser(arenas)
      runThreads([other]) { $0.use() }
      recorder.expectEqual(other.faults.load(ordering: .relaxed), 0, "faults of the next thread")
      recorder.expect(
        arenas.map { $0.statistics.metadataBytes } == mapped, "caches are used again")
    }
  },

  Check("thread slots: the slots of arenas that went fit no other arena in their places") {
    recorder in
    let rounds = Reservation.offsetsAreAddresses ? 4 : 12
    for round in 0..<rounds {
      recorder.context = "round \(round)"
      var arenas: [PageArena] = []
      for _ in 0..<12 {
        guard let arena = makeArena(&recorder, byteCount: 64 << 20) else { return }
        arenas.append(arena)
      }
      // On this thread, which goes on.
      let user = SlotUser(arenas)
      user.use()
      recorder.expectEqual(user.faults.load(ordering: .relaxed), 0, "faults")
      for (index, arena) in arenas.enumerated() {
        recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use in arena \(index)")
        recorder.expect(arena.brokenInvariant() == nil, "arena \(index) is sound")
      }
    }
  },
]

/// Uses each of some arenas in turn, three times.
private final class SlotUser: Sendable {
  let arenas: [PageArena]
  let faults = Atomic<Int>(0)
  let rounds = Atomic<Int>(0)

  init(_ arenas: [PageArena]) { self.arenas = arenas }

  func use() {
    var addresses: [UInt] = []
    for round in 0..<3 {
      for (index, arena) in arenas.enumerated() {
        guard let run = try? arena.run(1 + index % 5) else {
          faults.add(1, ordering: .relaxed)
          continue
        }
        run.stamp(UInt64(index))
        // Of the cache that was found: what was put there the last time comes again.
        if round == 0 {
          addresses.append(run.address)
        } else if addresses[index] != run.address {
          faults.add(1, ordering: .relaxed)
        }
        if !run.isStamped(UInt64(index)) { faults.add(1, ordering: .relaxed) }
        if arena.errorOfGiving(run) != nil { faults.add(1, ordering: .relaxed) }
        if arena.statistics.cachedBytes == 0 { faults.add(1, ordering: .relaxed) }
      }
      rounds.add(1, ordering: .relaxed)
    }
  }
}
