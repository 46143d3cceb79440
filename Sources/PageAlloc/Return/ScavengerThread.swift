import CSysMem
import Synchronization
import SysMem

// The scavenger's thread
// ======================
//
// One thread gives memory back in the background for all arenas that this copy of the library has
// made. It is started by the first of them that wants that, and ends with the last; a free only
// wakes it.
//
//   list     arena --> arena --> arena      awake, each with the time to its next step
//   current  arena                          the one whose step is being performed
//
//   loop:  take the first arena whose time has come; perform a step; sleep until the next time
//          an arena that parks leaves the list; a free that finds too much puts it back
//
// Where an arena wants to hear of stalls, the thread sleeps on two files (StallWatch) instead of a
// word. After a fork the child has no thread; its next growth starts one.

/// The one thread that scavenges.
enum ScavengerThread {
  /// Guards the start and the end of the thread, each of which waits for the other.
  private static let lifecycle = FutexLock()
  /// Guards the list, and the links of the arenas.
  private static let listLock = FutexLock()
  /// Ends the sleep of the thread.
  private static let event = FutexEvent()
  /// Where the thread sleeps if stalls are to wake it.
  private static let watch = StallWatch()
  /// There are arenas that want a thread, and there is none: looked at by whoever grows.
  private static let isMissing = Atomic<Bool>(false)

  /// What the lifecycle's lock guards.
  private struct Life {
    /// Arenas that want the thread.
    var arenaCount = 0
    var hasThread = false
    var thread = pthread_t()
  }

  // Reached by `withLife` and `withList` alone.
  nonisolated(unsafe) private static var life = Life()
  nonisolated(unsafe) private static var list = List()

  private static func withLife<Result>(_ body: (inout Life) -> Result) -> Result {
    let mark = InsideMark(.scavengerLife)
    lifecycle.lock(mark)
    defer {
      lifecycle.unlock()
      mark.end()
    }
    return unsafe body(&life)
  }

  private static func withList<Result>(_ body: (inout List) -> Result) -> Result {
    let mark = InsideMark(.scavengerList)
    listLock.lock(mark)
    defer {
      listLock.unlock()
      mark.end()
    }
    return unsafe body(&list)
  }
}

// MARK: - For arenas

extension ScavengerThread {
  /// An arena that scavenges in the background was made, and is in the registry.
  static func join(_ core: ArenaCore) {
    withLife { life in
      life.arenaCount += 1
      if core.plan.readsPressure { chooseWatcher() }
      start(&life)
    }
  }

  /// An arena that joined is about to end, and is in the registry no more. Afterwards the thread
  /// does not know it.
  static func leave(_ core: ArenaCore) {
    withLife { life in
      life.arenaCount -= 1
      withList { $0.remove(core) }
      if core.plan.readsPressure { chooseWatcher() }
      if life.arenaCount == 0 { return stop(&life) }
      var patience = Patience()
      while life.hasThread, withList({ $0.isUsing(core) }) { patience.goesOn() }
    }
  }

  /// Has the thread watch for stalls by the files of an arena that wants to hear of them, if there
  /// is one. It walks over all arenas, so it is called only where one of those joins or leaves.
  private static func chooseWatcher() {
    ArenaRegistry.withLock {
      withList { list in
        if list.watcher != nil { return }
        ArenaRegistry.forEach {
          if $0.plan.hearsOfStalls, list.watcher == nil { list.watcher = $0 }
        }
      }
    }
    signal()
  }

  /// Wakes the thread for an arena. Waits for nobody but whoever changes the list.
  @inline(never)
  static func wake(_ core: ArenaCore) {
    withList { $0.wake(core) }
    signal()
  }

  /// Starts the thread where it is missing: in a child of `fork`, or where there was none to be
  /// had.
  @inline(__always)
  static func startIfMissing() {
    if isMissing.load(ordering: .relaxed) { withLife { start(&$0) } }
  }

  /// Whether there is a thread.
  static var exists: Bool { withLife { $0.hasThread } }
}

// MARK: - Its beginning and end

extension ScavengerThread {
  private static func start(_ life: inout Life) {
    if life.hasThread || life.arenaCount == 0 { return }
    withList { $0.isStopping = false }
    let error = unsafe csm_thread_start(
      &life.thread,
      { _ in
        ScavengerThread.run()
        return nil
      }, nil, 256 << 10)
    life.hasThread = error == 0
    isMissing.store(error != 0, ordering: .relaxed)
  }

  /// Ends the thread and waits for it: a step takes milliseconds at the most.
  private static func stop(_ life: inout Life) {
    isMissing.store(false, ordering: .relaxed)
    if !life.hasThread { return }
    withList { $0.isStopping = true }
    signal()
    // Joined once, as the lock sees to.
    _ = csm_thread_join(life.thread)
    life.hasThread = false
  }

  private static func signal() {
    event.signal()
    watch.ring()
  }
}

// MARK: - Its work

extension ScavengerThread {
  /// The thread's whole life.
  private static func run() {
    var last = Moment.now
    var slept: UInt64 = 0
    while true {
      keepWatch()
      let now = Moment.now
      // A sleep that ended by itself was as long as it was meant to be, whatever the clock says.
      let elapsed = max(now.elapsed(since: last), slept)
      last = now
      slept = 0
      switch withList({ $0.next(after: elapsed) }) {
      case .end:
        return watch.close()
      case .step(let core, let isStalled):
        let step = Scavenger(core).step(isStalled: isStalled, isWatched: watch.isOn)
        withList { $0.finish(core, step) }
      case .sleep(let nanoseconds):
        if sleep(nanoseconds: nanoseconds), let nanoseconds { slept = nanoseconds }
      }
    }
  }

  /// Opens the files that tell of stalls, or closes those of an arena that leaves.
  private static func keepWatch() {
    let (watcher, watched) = withList { ($0.watcher, $0.watched) }
    if watcher?.number ?? 0 == watched { return }
    watch.close()
    if let watcher { watch.open(watcher.files) }
    withList { $0.watched = watcher?.number ?? 0 }
  }

  /// Sleeps until signalled, or for so many nanoseconds.
  ///
  /// - Returns: whether the time was over.
  private static func sleep(nanoseconds: UInt64?) -> Bool {
    guard watch.isOn, let files = withList({ $0.watcher?.files }) else {
      return event.wait(nanoseconds: nanoseconds)
    }
    let end = watch.wait(event, files, nanoseconds: nanoseconds)
    if end == .stall {
      ArenaRegistry.withLock {
        ArenaRegistry.forEach { core in
          if core.plan.hearsOfStalls { withList { $0.stall(core) } }
        }
      }
    }
    return end == .time
  }
}

// MARK: - fork

extension ScavengerThread {
  /// In the child, which has no thread: its next growth starts one. All that the locks guard is
  /// made anew, so a fork does not wait for them. The registry's lock is held.
  static func renewInChild() {
    lifecycle.reset()
    listLock.reset()
    var (newList, newLife) = (List(), Life())
    ArenaRegistry.forEach { core in
      core.withLink { $0 = ScavengerLink() }
      if core.plan.isInBackground { newLife.arenaCount += 1 }
      if core.plan.hearsOfStalls, newList.watcher == nil { newList.watcher = core }
    }
    unsafe (list, life) = (newList, newLife)
    isMissing.store(newLife.arenaCount > 0, ordering: .relaxed)
    event.reset()
    watch.close()
  }
}
