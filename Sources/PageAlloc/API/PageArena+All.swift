import SysMem

/// An arena of the process, as ``PageArena/all`` found it: nothing of it is held.
public struct ArenaSummary: Sendable {
  /// Its number in the process, counted from 1 and never used twice.
  public let number: UInt
  private let labelText: LabelText
  /// The last reference to the arena has gone, and it waits for the owners (``PageRun``) that are
  /// left.
  public let isOrphan: Bool
  /// What it holds.
  public let statistics: PageArena.Statistics

  /// What the program calls it: ``PageArena/Options/label``.
  public var label: String { labelText.text }

  init(_ core: ArenaCore) {
    number = core.number
    labelText = core.label
    isOrphan = core.withHeap { $0.owners.isOrphan }
    statistics = PageArena.Statistics(core)
  }
}

extension PageArena {
  /// All arenas that there are in the process, in no order: for exporters, and for pictures.
  ///
  /// ```swift
  /// for arena in PageArena.all { print(arena.label, arena.statistics.inUseBytes) }
  /// ```
  /// Those are in it that only their runs keep (``ArenaSummary/isOrphan``), and not those of
  /// another copy of the library in the process. Arenas may be made and end meanwhile; while they
  /// are looked at, whoever makes or ends one waits, and so does a thread that ends.
  ///
  /// - Warning: a signal's handler that calls it in the middle of a call which has the arena's lock
  ///   ends the program, as with ``statistics``.
  /// - Complexity: O(arenas).
  public static var all: [ArenaSummary] {
    var found: [ArenaSummary] = []
    while true {
      // No memory is asked for while the registry is locked: it may be an arena that serves it.
      let count = ArenaRegistry.withLock { ArenaRegistry.count }
      found.reserveCapacity(count)
      let isComplete = ArenaRegistry.withLock {
        if ArenaRegistry.count > found.capacity { return false }
        ArenaRegistry.forEach { found.append(ArenaSummary($0)) }
        return true
      }
      if isComplete { return found }
    }
  }

  /// What the program calls the arena: ``Options/label``.
  public var label: String { core.label.text }
}
