import PageAlloc
import Synchronization
import SysMem

/// Children of `fork` while the limit of a pool is being changed.
package let poolSetterForkChecks: [Check] = [
  Check("pool: children are forked while a thread sets the limit, and set it, too") { recorder in
    if leavesOutFork(&recorder) { return }
    guard let pool = makePool(&recorder) else { return }
    forkWhileSetting([.none], of: pool, &recorder) {
      (try? pool.setMemoryLimit(.bytes(hard: 1 << 20))) == nil ? 2 : 0
    }
  },

  Check("pool: a child that is forked while a thread sets the limit has one or the other") {
    recorder in
    if leavesOutFork(&recorder) { return }
    guard let pool = makePool(&recorder, limit: .bytes(hard: 1000 << 13)) else { return }
    let limits = [2000, 1000].map { PageArena.MemoryLimit.bytes(hard: $0 << 13) }
    forkWhileSetting(limits, of: pool, &recorder) {
      var runs: UInt64 = 0
      while runs < 100, (try? pool.run(100)) != nil { runs += 1 }
      return pool.memoryLimits.hard == (runs * 100) << 13 ? 0 : 2
    }
  },
]

/// Forks children, each of which does something, while a thread sets the limit of a pool.
private func forkWhileSetting(
  _ limits: [PageArena.MemoryLimit], of pool: PagePool, _ recorder: inout Recorder,
  _ inChild: () -> Int32
) {
  let setter = LimitSetter(pool, limits)
  var worst = 0
  runThreads(
    [setter],
    meanwhile: {
      // What the runtime sets up when locks are waited for is there before the first fork.
      setter.run(count: 200)
      for _ in 0..<(isEmulated ? 5 : 100) where worst == 0 {
        worst = inChildWithin(seconds: 5, inChild)
      }
      setter.isStopping.store(true, ordering: .relaxed)
    }
  ) { $0.run(count: .max) }
  recorder.expectEqual(worst, 0, "a child's status")
  recorder.expectEqual(setter.faults.load(ordering: .relaxed), 0, "faults in the thread")
}

/// A thread that sets the limit of a pool, again and again, to each of some in turn.
private final class LimitSetter: Sendable {
  private let pool: PagePool
  private let limits: [PageArena.MemoryLimit]
  let faults = Atomic<Int>(0)
  let isStopping = Atomic<Bool>(false)

  init(_ pool: PagePool, _ limits: [PageArena.MemoryLimit]) {
    self.pool = pool
    self.limits = limits
  }

  func run(count: Int) {
    for index in 0..<count {
      if isStopping.load(ordering: .relaxed) { return }
      if (try? pool.setMemoryLimit(limits[index % limits.count])) == nil {
        faults.add(1, ordering: .relaxed)
      }
    }
  }
}

// MARK: - A child whose parent was making an arena

/// A child of `fork` while a thread makes an arena of a pool.
package let poolMakerForkChecks: [Check] = [
  Check("pool: a child makes the arena that a thread of its parent's was just making") { recorder in
    guard !is32Bit else { return recorder.leaveOut("a host of 32 bits has one arena") }
    if leavesOutFork(&recorder) { return }
    var options = PageArena.Options(calls: LinuxCalls())
    options.scavenging = .manual
    options.makeRoom = {
      Making.isUnderWay.store(true, ordering: .releasing)
      while Making.isHeld.load(ordering: .acquiring) { sleep(milliseconds: 1) }
      return true
    }
    guard let pool = try? PagePool(reserving: 8 << 30, options: options) else {
      return recorder.fail("no pool")
    }
    // Of the length of an arena: the second one needs another.
    let pages = 500_000
    guard pool.take(pages, &recorder) != nil else { return }
    Making.isUnderWay.store(false, ordering: .relaxed)
    Making.isHeld.store(true, ordering: .relaxed)
    var status = -1
    let maker = PoolMaker(pool, pages)
    runThreads(
      [maker],
      meanwhile: {
        while !Making.isUnderWay.load(ordering: .acquiring) { sleep(milliseconds: 1) }
        status = inChildWithin(seconds: 5) {
          Making.isHeld.store(false, ordering: .relaxed)
          guard let run = try? pool.run(pages) else { return 2 }
          return pool.arenaCount == 2 && pool.errorOfGiving(run) == nil ? 0 : 3
        }
        Making.isHeld.store(false, ordering: .releasing)
      }
    ) { $0.run() }
    recorder.expectEqual(status, 0, "the child's status")
    recorder.expectEqual(maker.faults.load(ordering: .relaxed), 0, "faults in the thread")
    recorder.expectEqual(pool.arenaCount, 2, "arenas in the parent")
  }
]

/// Holds whoever makes an arena.
private enum Making {
  static let isUnderWay = Atomic<Bool>(false)
  static let isHeld = Atomic<Bool>(false)
}

/// A thread that takes a run for which an arena is made.
private final class PoolMaker: Sendable {
  private let pool: PagePool
  private let pages: Int
  let faults = Atomic<Int>(0)

  init(_ pool: PagePool, _ pages: Int) {
    self.pool = pool
    self.pages = pages
  }

  func run() {
    if (try? pool.run(pages)) == nil { faults.add(1, ordering: .relaxed) }
  }
}
