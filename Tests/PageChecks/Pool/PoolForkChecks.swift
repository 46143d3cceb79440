import PageAlloc
import Synchronization

/// Children of `fork` while the limit of a pool is being changed.
package let poolSetterForkChecks: [Check] = [
  Check("pool: children are forked while a thread sets the limit, and set it, too") { recorder in
    if leavesOutFork(&recorder) { return }
    guard let pool = makePool(&recorder) else { return }
    let setter = LimitSetter(pool)
    var worst = 0
    runThreads(
      [setter],
      meanwhile: {
        // What the runtime sets up when locks are waited for is there before the first fork.
        setter.run(count: 200)
        for _ in 0..<(isEmulated ? 5 : 100) where worst == 0 {
          worst = inChildWithin(seconds: 5) {
            (try? pool.setMemoryLimit(.bytes(hard: 1 << 20))) == nil ? 2 : 0
          }
        }
        setter.isStopping.store(true, ordering: .relaxed)
      }
    ) { $0.run(count: .max) }
    recorder.expectEqual(worst, 0, "a child's status")
    recorder.expectEqual(setter.faults.load(ordering: .relaxed), 0, "faults in the thread")
  },

  Check("pool: a child that is forked while a thread sets the limit has one or the other") {
    recorder in
    if leavesOutFork(&recorder) { return }
    guard let pool = makePool(&recorder, limit: .bytes(hard: 1000 << 13)) else { return }
    let setter = LimitSetter(pool)
    var worst = 0
    runThreads(
      [setter],
      meanwhile: {
        setter.runBetween(count: 200)
        for _ in 0..<(isEmulated ? 5 : 100) where worst == 0 {
          worst = inChildWithin(seconds: 5) {
            var runs: UInt64 = 0
            while runs < 100, (try? pool.run(100)) != nil { runs += 1 }
            return pool.memoryLimits.hard == (runs * 100) << 13 ? 0 : 2
          }
        }
        setter.isStopping.store(true, ordering: .relaxed)
      }
    ) { $0.runBetween(count: .max) }
    recorder.expectEqual(worst, 0, "a child's status")
    recorder.expectEqual(setter.faults.load(ordering: .relaxed), 0, "faults in the thread")
  },
]

/// A thread that sets the limit of a pool, again and again.
private final class LimitSetter: Sendable {
  let pool: PagePool
  let faults = Atomic<Int>(0)
  let isStopping = Atomic<Bool>(false)

  init(_ pool: PagePool) { self.pool = pool }

  /// The same between two limits.
  func runBetween(count: Int) {
    for index in 0..<count {
      if isStopping.load(ordering: .relaxed) { return }
      let pages: UInt64 = index & 1 == 0 ? 2000 : 1000
      if (try? pool.setMemoryLimit(.bytes(hard: pages << 13))) == nil {
        faults.add(1, ordering: .relaxed)
      }
    }
  }

  func run(count: Int) {
    for _ in 0..<count {
      if isStopping.load(ordering: .relaxed) { return }
      if (try? pool.setMemoryLimit(.none)) == nil { faults.add(1, ordering: .relaxed) }
    }
  }
}
