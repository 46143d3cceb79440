import PageAlloc

/// Replays the first steps of a trace on an arena, and leaves what is live then in use.
///
/// - Parameter checking: what is written to each page as it is given out, and checked before it
///   goes back.
/// - Precondition: `steps` is in 0 ... the number of events.
/// - Throws: `ReplayError` at the first call that fails and at the first word that is not as it was
///   written.
package func replay(
  _ trace: ProgramTrace, steps: Int, on arena: PageArena,
  checking: ReplayOptions.Checking = .oneWord,
  progress: ((_ done: Int, _ total: Int) -> Void)? = nil
) throws(ReplayError) {
  let options = ReplayOptions(checking: checking)
  var tables = ReplayTables(trace, options)
  var replayer = Replayer(trace: trace, source: arena, options: options)
  for index in 0..<steps {
    replayer.line = trace.firstEventLine + index
    try replayer.perform(trace.events[index], &tables)
    if index % 4096 == 0 { progress?(index, steps) }
  }
}

/// Replays a whole trace on an arena, and lets somebody look at it on the way.
///
/// One word of each page is written as the page is given out, and checked before it goes back. What
/// is live after the last event is freed.
///
/// - Parameters:
///   - interval: after how many operations `look` is called; at least 1. It is called before the
///     first and after the last one, too.
///   - look: is told how many operations were done: events, and the frees after them.
/// - Throws: `ReplayError` at the first call that fails and at the first word that is not as it was
///   written.
package func replay(
  _ trace: ProgramTrace, on arena: PageArena, every interval: Int, look: (_ done: Int) -> Void
) throws(ReplayError) {
  let options = ReplayOptions(checking: .oneWord)
  var tables = ReplayTables(trace, options)
  var replayer = Replayer(trace: trace, source: arena, options: options)
  let eventCount = trace.events.count
  let total = eventCount + trace.closingFrees.count
  for index in 0..<total {
    if index % interval == 0 { look(index) }
    let isEvent = index < eventCount
    replayer.line = isEvent ? trace.firstEventLine + index : nil
    try replayer.perform(
      isEvent ? trace.events[index] : trace.closingFrees[index - eventCount], &tables)
  }
  look(total)
}
