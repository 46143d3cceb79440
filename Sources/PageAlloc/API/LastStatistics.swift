import SysMem

/// The figures of the arenas that are there when the process ends, on standard error.
enum LastStatistics {
  private static let wish = LastWish()

  /// Has them written when the process ends.
  static func start() {
    wish.make {
      ArenaRegistry.forEachAtLast { core in
        guard core.withHeapIfFree({ _ in true }) != nil else { return }
        PageArena.Statistics(core).write(of: core, "when the process ended")
      }
    }
  }
}

extension PageArena.Statistics {
  /// Writes a line for each figure that is not 0 to standard error.
  func write(of core: ArenaCore, _ when: StaticString) {
    var head = core.beginLine("statistics:")
    head.append(when)
    head.append(":")
    head.write()
    for figure in figures where figure.value != 0 {
      var line = DumpLine()
      line.append("  ")
      line.append(text: figure.name)
      line.append(" ", figure.value)
      line.write()
    }
  }
}
