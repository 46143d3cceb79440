import PageAlloc
import Synchronization

/// A thread that allocates, writes, checks and frees.
final class Churn: Sendable {
  let arena: PageArena
  let seed: UInt64
  let steps: Int
  let pages: Int
  let faults = Atomic<Int>(0)
  /// Ends work that has no end of its own.
  let isStopping = Atomic<Bool>(false)

  init(_ arena: PageArena, seed: UInt64, steps: Int = 3000, pages: Int = 2000) {
    self.arena = arena
    self.seed = seed
    self.steps = steps
    self.pages = pages
  }

  /// Keeps up to `pages` pages, in runs of up to 128, for so many steps.
  func churn() {
    var random = SplitMix64(seed: seed)
    var runs: [(run: Run, stamp: UInt64)] = []
    var live = 0
    for _ in 0..<steps {
      let count = random.logarithmic(7)
      if live + count <= pages, random.below(5) < 3 {
        guard let run = try? arena.run(count) else {
          faults.add(1, ordering: .relaxed)
          continue
        }
        let stamp = random.next()
        run.stamp(stamp)
        runs.append((run, stamp))
        live += count
      } else if !runs.isEmpty {
        runs.swapAt(random.below(runs.count), runs.count - 1)
        let taken = runs.removeLast()
        live -= taken.run.pages
        free(taken.run, taken.stamp)
      }
    }
    for left in runs { free(left.run, left.stamp) }
  }

  private func free(_ run: Run, _ stamp: UInt64) {
    if !run.isStamped(stamp) { faults.add(1, ordering: .relaxed) }
    if arena.errorOfGiving(run) != nil { faults.add(1, ordering: .relaxed) }
  }
}
