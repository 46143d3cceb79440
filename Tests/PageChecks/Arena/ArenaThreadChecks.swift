import PageAlloc
import Synchronization

/// What a worker thread gets, and what it found.
private final class Worker: Sendable {
  let arena: PageArena
  let seed: UInt64
  let faults = Atomic<Int>(0)

  init(_ arena: PageArena, seed: UInt64) {
    self.arena = arena
    self.seed = seed
  }

  /// Allocates, writes, checks and frees.
  func churn() {
    var random = SplitMix64(seed: seed)
    var runs: [(run: Run, stamp: UInt64)] = []
    for step in 0..<4000 {
      if runs.count < 40, random.below(100) < 55 {
        let zeroed = random.below(4) == 0
        guard let run = try? arena.run(random.logarithmic(7), zeroed: zeroed) else {
          faults.add(1, ordering: .relaxed)
          continue
        }
        if zeroed, !run.isZero { faults.add(1, ordering: .relaxed) }
        let stamp = random.next()
        run.stamp(stamp)
        runs.append((run, stamp))
      } else if !runs.isEmpty {
        let taken = runs.swapRemove(random.below(runs.count))
        free(taken.run, taken.stamp)
      }
      if step % 512 == 0 { _ = try? arena.scavenge(byteCount: 1 << 18) }
    }
    for left in runs { free(left.run, left.stamp) }
  }

  private func free(_ run: Run, _ stamp: UInt64) {
    if !run.isStamped(stamp) { faults.add(1, ordering: .relaxed) }
    if arena.errorOfGiving(run) != nil { faults.add(1, ordering: .relaxed) }
  }
}

extension Array {
  /// Takes an element out; the last one takes its place.
  fileprivate mutating func swapRemove(_ index: Int) -> Element {
    swapAt(index, count - 1)
    return removeLast()
  }
}

package let arenaThreadChecks: [Check] = [
  Check("threads: four allocate, write, check, free and scavenge at once") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    var workers: [Worker] = []
    for seed in 0..<4 { workers.append(Worker(arena, seed: UInt64(seed))) }
    runThreads(workers) { $0.churn() }
    for worker in workers {
      recorder.expectEqual(worker.faults.load(ordering: .relaxed), 0, "faults in a thread")
    }
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use at the end")
    recorder.expect(arena.brokenInvariant() == nil, "the allocator's invariants hold")
  },

  Check("threads: eight grow at once, and no memory is lost") { recorder in
    guard let arena = makeArena(&recorder, byteCount: 256 << 20) else { return }
    var workers: [Worker] = []
    for seed in 0..<8 { workers.append(Worker(arena, seed: UInt64(seed))) }
    runThreads(workers) { worker in
      while true {
        do throws(PageArenaError) {
          _ = try worker.arena.run(512)
          worker.faults.add(1, ordering: .relaxed)  // here: runs taken
        } catch { return }
      }
    }
    var taken = 0
    for worker in workers { taken += worker.faults.load(ordering: .relaxed) }
    recorder.expectEqual(taken, UInt.bitWidth == 64 ? 63 : 64, "chunks taken in all")
    recorder.expectEqual(arena.statistics.inUseBytes, UInt64(taken) << 22, "in use")
  },
]
