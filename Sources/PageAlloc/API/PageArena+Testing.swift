import SysMem

// What only the project's own checks and tools look at.

extension PageArena {
  /// The states of all memory that the arena has of the system, its tables included.
  package var systemStatistics: SysMem.Statistics { core.system.statistics }

  /// Has the tally of the caches off by so many pages, as it may be while owners have not told what
  /// they hold.
  package func misstateCaches(by pages: Int) { core.tally.misstate(by: pages) }

  /// Does something as the handler of a signal that finds its thread inside of its own cache.
  ///
  /// - Returns: `false`, with nothing done, where the thread has none, or is not let in.
  package func insideOwnCache(_ body: () -> Void) -> Bool {
    guard let cache = core.cacheInLastSlot(), cache.front.enter() else { return false }
    body()
    cache.front.leave()
    return true
  }

  /// How often the distance of the profile's samples is doubled now; `nil` where there is none.
  package var profileDoublings: Int? { core.profile?.doublings }

  /// Parts with caches that have no owner.
  package func dropRetiredCaches() { core.dropRetiredCaches() }

  /// The figures once every cache has told exactly what it holds; no owner may be inside its own.
  package var settledStatistics: Statistics {
    core.withHeap { heap in heap.caches.forEach { $0.contents.tell() } }
    return statistics
  }

  /// The address of page 0.
  package var origin: UInt { core.base }

  /// Its place in the registry, and its number.
  package var registration: (place: Int, number: UInt) { (core.place, core.number) }

  /// Whether the arena of a number is in a place. With the registry's lock held.
  package static func isRegistered(_ place: Int, _ number: UInt) -> Bool {
    ArenaRegistry.find(place, number) != nil
  }

  /// Runs `body` where a signal's handler may come: while its thread holds the heap lock.
  package func underHeapLock(_ body: () -> Void) { core.withHeap { _ in body() } }

  /// Looks at the memory of the tables, or damages it. Nobody else may use the arena meanwhile.
  package func withTables(_ body: (borrowing AllocatorTables) -> Void) {
    core.withGrowth { body($0.tables) }
  }

  /// One step of the scavenger, with a clock of the check's own. The arena must not scavenge in the
  /// background.
  package func backgroundStep(isStalled: Bool = false) -> ScavengeStep {
    Scavenger(core).step(isStalled: isStalled, isWatched: false)
  }

  /// Whether the scavenger's thread exists, and whether this arena waits for a free that wakes it.
  package var scavengerThread: (exists: Bool, isParked: Bool) {
    (ScavengerThread.exists, core.withHeap { $0.scavenger.phase == .parked })
  }

  /// When the scavenger's thread would come back to the arena, which must not scavenge in the
  /// background, after steps that end so; each is begun because the arena was woken.
  ///
  /// - Parameter wakes: whether a free wakes the arena in the middle of each step.
  /// - Returns: nanoseconds for each step: 0 for at once; `nil` for not before it is woken.
  package func returns(after steps: [ScavengeStep], wakes: [Bool]) -> [UInt64?] {
    var list = ScavengerThread.List()
    defer {
      list.remove(core)
      core.withLink { $0 = ScavengerLink() }
    }
    var returns: [UInt64?] = []
    for (step, isWoken) in zip(steps, wakes) {
      list.wake(core)
      guard case .step = list.next(after: 0) else { return returns }
      if isWoken { list.wake(core) }
      list.finish(core, step)
      switch list.next(after: 0) {
      case .step: returns.append(0)
      case .sleep(let nanoseconds): returns.append(nanoseconds)
      case .end: return returns
      }
    }
    return returns
  }

  /// Whether guards are markers here, as a rule.
  package var hasMarkers: Bool { core.system.calls.canMarkGuards }

  /// From so many pages on, a run that grows is moved by page tables.
  package static var moveThreshold: Int { ArenaCore.moveThreshold }

  /// Tries again to make plain what the kernel refused to.
  ///
  /// - Returns: the bytes that are free again.
  @discardableResult
  package func emptyLimbo() -> Int { core.emptyLimbo() }

  /// Frees the oldest runs in quarantine for good, until it holds so many pages at the most.
  ///
  /// - Returns: how many pages.
  @discardableResult
  package func emptyQuarantine(to pageLimit: Int = 0) -> Int { core.emptyQuarantine(to: pageLimit) }

  /// The name of the first invariant that does not hold; `nil` where all do.
  ///
  /// Waits for a release that is under way, since pages on their way to the kernel are neither free
  /// nor in use to the scavenge index.
  /// - Complexity: O(heap).
  package func brokenInvariant() -> StaticString? {
    core.withRelease { core.withHeap { $0.brokenInvariant() } }
  }
}
