import PageAlloc

/// Replays the first steps of a trace on an arena, and leaves what is live then in use.
///
/// One word of each page is written as the page is given out, and checked before it goes back.
///
/// - Precondition: `steps` is in 0 ... the number of events.
/// - Throws: `ReplayError` at the first call that fails and at the first word that is not as it was
///   written.
package func replay(
  _ trace: ProgramTrace, steps: Int, on arena: PageArena,
  progress: ((_ done: Int, _ total: Int) -> Void)? = nil
) throws(ReplayError) {
  let options = ReplayOptions(checking: .oneWord)
  var tables = ReplayTables(trace, options)
  var replayer = Replayer(trace: trace, source: arena, options: options)
  for index in 0..<steps {
    replayer.line = trace.firstEventLine + index
    try replayer.perform(trace.events[index], &tables)
    if index % 4096 == 0 { progress?(index, steps) }
  }
}
