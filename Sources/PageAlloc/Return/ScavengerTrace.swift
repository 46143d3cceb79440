import SysMem

extension Scavenger {
  /// The same step, and a line on standard error where it gave memory back: `PAGEALLOC_TRACE`.
  func tracedStep(isStalled: Bool, isWatched: Bool) -> ScavengeStep {
    let before = core.withHeap { $0.scavenger.counters.backgroundBytes }
    let start = core.clock.processorTime()
    let next = quietStep(isStalled: isStalled, isWatched: isWatched)
    let worked = core.clock.processorTime().elapsed(since: start)
    let (after, counts, inUse) = core.withHeap {
      ($0.scavenger.counters.backgroundBytes, $0.counts, $0.inUsePages)
    }
    if after == before { return next }
    var line = core.beginLine("scavenge:")
    line.append("", (after &- before) / 1024)
    line.append(" KiB back in ", worked / 1000)
    line.append(" us; now in use ", ArenaCore.bytes(inUse) / 1024)
    line.append(" KiB, may be resident ", ArenaCore.bytes(counts.resident) / 1024)
    line.append(" KiB, given back ", ArenaCore.bytes(counts.scavenged) / 1024)
    line.append(" KiB")
    line.write()
    return next
  }
}
