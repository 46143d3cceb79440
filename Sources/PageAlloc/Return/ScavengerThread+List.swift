// The list of the arenas that are awake, and which of them is next. Its lock guards it.

extension ScavengerThread {
  /// What the list's lock guards.
  struct List {
    /// The arenas that are awake.
    var first: ArenaCore?
    /// The one whose step is being performed.
    var current: ArenaCore?
    /// The one whose files are to tell of stalls.
    var watcher: ArenaCore?
    /// The number of the one whose files the thread has opened, or could not open; 0 for none.
    var watched: UInt = 0
    /// The thread is to end.
    var isStopping = false
  }
}

extension ScavengerThread {
  /// What the thread does next.
  enum Next {
    case step(ArenaCore, isStalled: Bool)
    case sleep(nanoseconds: UInt64?)
    case end
  }
}

extension ScavengerThread.List {
  /// Puts an arena into the list, or has its next step come at once.
  mutating func wake(_ core: ArenaCore) {
    core.withLink { link in
      link.wasWoken = true
      link.delay = 0
      if link.isLinked { return }
      link.isLinked = true
      link.next = first
      first = core
    }
  }

  /// The same, for a step that gives all back.
  mutating func stall(_ core: ArenaCore) {
    core.withLink { $0.isStalled = true }
    wake(core)
  }

  /// Takes an arena out.
  mutating func remove(_ core: ArenaCore) {
    if watcher?.number == core.number { watcher = nil }
    unlink(core)
  }

  /// The thread still performs a step of an arena's, or has its files open.
  func isUsing(_ core: ArenaCore) -> Bool {
    current?.number == core.number || watched == core.number
  }

  private mutating func unlink(_ core: ArenaCore) {
    guard core.withLink({ $0.isLinked }) else { return }
    let next = core.withLink { link in
      link.isLinked = false
      return link.next
    }
    if first?.number == core.number {
      first = next
      return
    }
    var position = first
    while let other = position {
      position = other.withLink { link in
        if link.next?.number == core.number { link.next = next }
        return link.next
      }
    }
  }

  /// The first arena whose time has come, which is the current one then; else how long to sleep.
  ///
  /// - Parameter elapsed: nanoseconds since the last look.
  /// - Complexity: O(arenas that are awake).
  mutating func next(after elapsed: UInt64) -> ScavengerThread.Next {
    if isStopping { return .end }
    var least: UInt64?
    var due: ArenaCore?
    var position = first
    while let core = position {
      position = core.withLink { link in
        link.delay -= min(link.delay, elapsed)
        if link.delay == 0, due == nil { due = core }
        least = min(least ?? .max, link.delay)
        return link.next
      }
    }
    guard let due else { return .sleep(nanoseconds: least) }
    current = due
    let isStalled = due.withLink { link in
      defer { (link.isStalled, link.wasWoken) = (false, false) }
      return link.isStalled
    }
    return .step(due, isStalled: isStalled)
  }

  /// The step of the current arena is over.
  mutating func finish(_ core: ArenaCore, _ step: ScavengeStep) {
    current = nil
    switch step {
    case .sleep(let nanoseconds): core.withLink { if !$0.wasWoken { $0.delay = nanoseconds } }
    case .park: if !core.withLink({ $0.wasWoken }) { unlink(core) }
    }
  }
}
