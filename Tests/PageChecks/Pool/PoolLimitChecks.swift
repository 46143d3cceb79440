import PageAlloc
import SysMem
import Synchronization

/// One limit for the arenas of a pool.
package let poolLimitChecks: [Check] = [
  Check("pool limits: shares never add up to more than the limit, whoever asks") { recorder in
    for (soft, hard) in [(Int.max, Int.max), (1000, Int.max), (1000, 1000), (600, 1000), (0, 10)] {
      let limits = PoolLimits(softPages: soft, hardPages: hard)
      var spare = limits.totalPages
      var random = SplitMix64(seed: UInt64(truncatingIfNeeded: soft &+ hard))
      for _ in 0..<50 {
        let need = 1 + random.below(200)
        guard let grant = PoolLimits.grant(for: need, spare: spare) else {
          recorder.expect(need > spare, "refused although there is enough")
          continue
        }
        recorder.expect(grant >= need && grant <= spare, "granted \(grant) for \(need) of \(spare)")
        spare -= grant
        let bounds = limits.limits(ofShare: grant)
        recorder.expect(bounds.softPages <= bounds.hardPages, "soft above hard")
        recorder.expect(hard == .max || bounds.hardPages == grant, "the hard bound of a share")
      }
      for pages in [1, 7, 100] where soft != 0 && soft != .max {
        let share = limits.share(forSoft: pages)
        recorder.expect(limits.limits(ofShare: share).softPages >= pages, "soft of \(share)")
      }
    }
  },

  Check("pool limits: a hard limit holds for all arenas, and all of it can be had") { recorder in
    let hard = 4096
    guard let pool = makePool(&recorder, limit: .bytes(hard: UInt64(hard) * 8192)) else { return }
    let takers = (0..<4).map { _ in PoolTaker(pool) }
    runThreads(takers) { $0.take(hard) }
    var count = 0
    for taker in takers { unsafe count += taker.runs.count }
    recorder.expectEqual(count, hard, "pages had by four threads that asked for more")
    recorder.expectEqual(pool.statistics.inUseBytes, UInt64(hard) * 8192, "in use")
    guard
      case .limitReached(1, let inUse, UInt64(hard) * 8192)? = pool.errorOfTaking(1)
    else { return recorder.fail("one page more: taken, or another error") }
    recorder.expectEqual(inUse, UInt64(hard) * 8192, "in use, as the error says")
    // What one has given back, another can have, out of whatever arena that is.
    for taker in takers { runThreads([taker]) { $0.giveAll() } }
    guard let whole = pool.take(hard, &recorder) else { return }
    recorder.expectEqual(pool.statistics.inUseBytes, UInt64(hard) * 8192, "in use by one run")
    recorder.expect(pool.errorOfTaking(1) != nil, "one page more")
    recorder.expect(pool.errorOfGiving(whole) == nil, "freed")
    recorder.expect(
      pool.statistics.maybeResidentBytes <= UInt64(hard) * 8192, "resident beyond the limit")
  },

  Check("pool limits: a soft limit is kept by giving back what other arenas have free") {
    recorder in
    let soft = 4096
    guard let pool = makePool(&recorder, limit: .bytes(soft: UInt64(soft) * 8192)) else { return }
    let takers = (0..<2).map { _ in PoolTaker(pool) }
    // The first fills the limit, and frees all; then the second does.
    for taker in takers {
      runThreads([taker]) {
        $0.take(soft)
        $0.giveAll()
      }
      let resident = pool.statistics.maybeResidentBytes
      recorder.expect(resident <= UInt64(soft) * 8192, "resident: \(resident)")
    }
    // What is in use may go beyond.
    guard let large = pool.take(2 * soft, &recorder) else { return }
    recorder.expect(pool.errorOfGiving(large) == nil, "freed")
  },

  Check("pool limits: it is changed, raised and taken away, while there are arenas") { recorder in
    guard let pool = makePool(&recorder) else { return }
    recorder.expect(pool.memoryLimits.soft == nil && pool.memoryLimits.hard == nil, "none")
    let taker = PoolTaker(pool)
    runThreads([taker]) { $0.take(1000) }
    let own = PoolTaker(pool)
    own.take(1000)
    func set(_ limit: PageArena.MemoryLimit) -> PageArenaError? {
      do throws(PageArenaError) {
        try pool.setMemoryLimit(limit)
        return nil
      } catch { return error }
    }
    recorder.expect(set(.bytes(soft: 2, hard: 1)) == .badMemoryLimit, "a soft one above the hard")
    recorder.expect(set(.bytes(hard: 1500 * 8192)) == nil, "below what is in use")
    recorder.expect(pool.memoryLimits.hard == 1500 * 8192, "the hard one")
    recorder.expect(pool.errorOfTaking(1) != nil, "taken although the limit is exceeded")
    own.giveAll()
    recorder.expectEqual(takeAll(from: pool, most: 2000), 500, "pages, once 1,000 were freed")
    recorder.expect(set(.bytes(hard: 1800 * 8192)) == nil, "raised")
    recorder.expectEqual(takeAll(from: pool, most: 2000), 300, "pages more")
    recorder.expect(set(.none) == nil, "taken away")
    recorder.expectEqual(takeAll(from: pool, most: 2000), 2000, "pages without a limit")
  },

  Check("pool limits: a control group bounds every arena, those that come later, too") { recorder in
    if leavesOutPools(&recorder) { return }
    let group = FakeFiles([
      ("/proc/self/cgroup", "0::/a\n"), ("/sys/fs/cgroup/a/memory.max", "1073741824\n"),
      ("/sys/fs/cgroup/a/memory.current", "268435456\n"),
    ])
    var options = quiet()
    options.files = group
    do throws(PageArenaError) {
      let pool = try PagePool(reserving: is32Bit ? 1 << 32 : 2 << 32, options: options)
      try pool.setMemoryLimit(.cgroup(fraction: 0.5))
      recorder.expect(pool.memoryLimits.hard != nil, "no hard limit of the first arena")
      // 1 GiB, less what is used: 768 MiB at the most.
      guard case .limitReached? = pool.errorOfTaking(1 << 17) else {
        return recorder.fail("1 GiB: taken, or another error")
      }
      guard pool.take(4096, &recorder) != nil else { return }
      if pool.homeCount > 1 {
        let taker = PoolTaker(pool)
        runThreads([taker]) { $0.take(1, pages: 1 << 17) }
        recorder.expectEqual(unsafe taker.runs.count, 0, "1 GiB in an arena made later")
      }
      try pool.setMemoryLimit(.bytes(hard: 8192 * 8192))
      recorder.expect(pool.errorOfTaking(8192) != nil, "beyond a limit in bytes")
      recorder.expect(pool.errorOfTaking(4096) == nil, "within it")
      try pool.setMemoryLimit(.none)
      // A host of 32 bits may not have so much in a row.
      recorder.expect(
        is32Bit || pool.errorOfTaking(1 << 17) == nil, "1 GiB without a limit")
    } catch { recorder.fail(error.description) }
  },

  Check("pool limits: a soft one that was lowered is kept again once enough was freed") {
    recorder in
    guard let pool = makePool(&recorder), let run = pool.take(12_800, &recorder),
      let other = pool.take(7680, &recorder)
    else { return }
    do throws(PageArenaError) {
      try pool.setMemoryLimit(.bytes(soft: 12_800 * 8192))
      recorder.expect(pool.errorOfGiving(run) == nil, "freed")
      // 7,680 pages are in use; 5,120 more fit, and are taken without a look at what is free.
      guard pool.take(200, &recorder) != nil else { return }
      let before = pool.statistics.returned
      for _ in 0..<20 {
        guard let short = pool.take(150, &recorder), pool.errorOfGiving(short) == nil else {
          return
        }
      }
      let after = pool.statistics.returned
      recorder.expectEqual(after.limitBytes, before.limitBytes, "given back although it fits")
      recorder.expectEqual(after.softLimitYields, before.softLimitYields, "beyond the limit")
      // A region counts.
      var region = try PageRegion(reserving: 64 << 20, countedIn: pool)
      try region.grow(to: 4096 * 8192)
      let resident = pool.statistics.maybeResidentBytes
      recorder.expect(resident <= 12_800 * 8192, "beyond the soft limit: \(resident)")
    } catch { recorder.fail(error.description) }
    recorder.expect(pool.errorOfGiving(other) == nil, "freed at the end")
  },

  Check("pool limits: four threads take and free at random, and never have more than the limit") {
    recorder in
    let hard = 2000
    guard let pool = makePool(&recorder, limit: .bytes(hard: UInt64(hard) * 8192)) else { return }
    let violations = Atomic<Int>(0)
    let granted = GrantedPages()
    let randoms = (0..<4).map { PoolChurn(pool, seed: $0, bound: hard, granted) }
    runThreads(randoms) { $0.run() }
    for random in randoms {
      violations.add(random.violations.load(ordering: .relaxed), ordering: .relaxed)
      recorder.expect(random.taken.load(ordering: .relaxed) > 0, "nothing taken")
    }
    recorder.expectEqual(violations.load(ordering: .relaxed), 0, "beyond the limit, or lost")
    recorder.expectEqual(pool.statistics.inUseBytes, 0, "in use at the end")
    recorder.expect(pool.errorOfTaking(hard) == nil, "all of it in one run")
  },

  Check("pool limits: threads that together ask for no more than the limit are never refused") {
    recorder in
    let hard = 2000
    guard let pool = makePool(&recorder, limit: .bytes(hard: UInt64(hard) * 8192)) else { return }
    let (granted, asked) = (GrantedPages(), GrantedPages())
    let randoms = (0..<6).map { PoolChurn(pool, seed: $0, bound: hard, granted, asked) }
    runThreads(randoms) { $0.run() }
    for random in randoms {
      recorder.expectEqual(random.violations.load(ordering: .relaxed), 0, "refused, or lost")
    }
    recorder.expectEqual(pool.statistics.inUseBytes, 0, "in use at the end")
  },
]

/// Takes single pages until there are no more.
///
/// - Returns: how many there were, at most `most`.
private func takeAll(from pool: PagePool, most: Int) -> Int {
  for count in 0..<most where pool.errorOfTaking(1) != nil { return count }
  return most
}

/// What all threads have.
private final class GrantedPages: Sendable {
  private let pages = Atomic<Int>(0)

  func add(_ count: Int) -> Int { pages.add(count, ordering: .sequentiallyConsistent).newValue }
  func subtract(_ count: Int) { pages.subtract(count, ordering: .sequentiallyConsistent) }
}

/// A thread that takes and frees at random.
private final class PoolChurn: Sendable {
  let pool: PagePool
  let seed: Int
  let bound: Int
  let violations = Atomic<Int>(0)
  let taken = Atomic<Int>(0)
  private let granted: GrantedPages
  /// Where all threads keep within the bound by themselves: what they have, or ask for just now.
  private let asked: GrantedPages?

  init(
    _ pool: PagePool, seed: Int, bound: Int, _ granted: GrantedPages, _ asked: GrantedPages? = nil
  ) {
    self.granted = granted
    self.asked = asked
    self.pool = pool
    self.seed = seed
    self.bound = bound
  }

  func run() {
    var random = SplitMix64(seed: UInt64(seed))
    var runs: [Run] = []
    for _ in 0..<4000 {
      if runs.count > 20 || (random.below(2) == 0 && !runs.isEmpty) {
        let run = runs.remove(at: random.below(runs.count))
        granted.subtract(run.pages)
        if !run.isStamped(UInt64(run.address)) || pool.errorOfGiving(run) != nil {
          violations.add(1, ordering: .relaxed)
        }
        asked?.subtract(run.pages)
      } else {
        let pages = 1 + random.below(120)
        if let asked, asked.add(pages) > bound {
          asked.subtract(pages)
          continue
        }
        guard let run = try? pool.run(pages) else {
          if asked != nil { violations.add(1, ordering: .relaxed) }
          asked?.subtract(pages)
          continue
        }
        run.stamp(UInt64(run.address))
        taken.add(1, ordering: .relaxed)
        // What all have, counted while they have it.
        if granted.add(run.pages) > bound { violations.add(1, ordering: .relaxed) }
        runs.append(run)
      }
    }
    for run in runs {
      granted.subtract(run.pages)
      if pool.errorOfGiving(run) != nil { violations.add(1, ordering: .relaxed) }
    }
  }
}

/// Children of `fork` while threads use a pool that is short of its limit.
package let poolForkChecks: [Check] = [
  Check("pool: children are forked while threads claim each other's shares of a limit") {
    recorder in
    if leavesOutFork(&recorder) { return }
    let hard = 2000
    guard let pool = makePool(&recorder, limit: .bytes(hard: UInt64(hard) * 8192)),
      let kept = pool.take(3, &recorder)
    else { return }
    kept.stamp(9)
    let granted = GrantedPages()
    let churns = (0..<2).map { PoolChurn(pool, seed: $0, bound: hard, granted) }
    var worst = 0
    runThreads(
      churns,
      meanwhile: {
        for _ in 0..<6 {
          worst = max(
            worst,
            inChild {
              // The limit may leave nothing but this.
              guard kept.isStamped(9), pool.errorOfGiving(kept) == nil,
                let run = try? pool.run(2)
              else { return 2 }
              run.stamp(1)
              return run.isStamped(1) && pool.errorOfGiving(run) == nil ? 0 : 3
            })
        }
      }
    ) { $0.run() }
    recorder.expectEqual(worst, 0, "a child's status")
    for churn in churns {
      recorder.expectEqual(churn.violations.load(ordering: .relaxed), 0, "faults in a thread")
    }
  }
]
