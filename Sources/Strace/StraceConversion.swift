import PageTrace

/// The processes of a strace, each with the trace of its memory.
package struct StraceConversion {
  package let counts: StraceCounts
  /// Those that had memory, in the order in which they were first heard of. One, when they were
  /// merged.
  package let processes: [ConvertedProcess]
  /// Whether calls that make processes were recorded. Where not, which thread belongs to which
  /// process was guessed.
  package let tellsProcesses: Bool

  /// Converts what `strace -f` wrote.
  ///
  /// - Parameters:
  ///   - isMerged: all processes become one trace. Each has runs of its own, which are freed when
  ///     it ends. Else a process is a trace, and what is live at its end stays so.
  ///   - progress: is told now and then how many bytes were read, and how many there are.
  /// - Throws: `TraceFormatError` for a call about memory whose arguments make no sense, and where
  ///   there is no such call at all.
  /// - Complexity: O(*n* log *m*) for *n* lines and *m* mappings, as a rule. A process that was not
  ///   told of may cost another turn, as long as the turns have no more than 50 million events.
  package init(
    _ bytes: [UInt8], isMerged: Bool = false,
    progress: ((_ done: Int, _ total: Int) -> Void)? = nil
  ) throws(TraceFormatError) {
    let events = try StraceEvents(bytes, progress: progress)
    var forked: Set<UInt64> = []
    while true {
      var run = ConversionRun(events, forked: forked, isMerged: isMerged)
      if let task = run.run(), forked.count * events.events.count < ConversionRun.mostWork {
        forked.insert(task)
        continue
      }
      counts = events.counts
      processes = run.converted
      tellsProcesses = events.tellsProcesses
      return
    }
  }

  /// The process with the most memory at once; the first of them.
  package var largest: ConvertedProcess? {
    var largest: ConvertedProcess?
    for process in processes
    where process.writer.peakLivePages > largest?.writer.peakLivePages ?? -1 { largest = process }
    return largest
  }
}

/// A process of a strace.
package struct ConvertedProcess {
  /// Its number; 0 where strace did not tell it, and of all processes together.
  package let number: UInt64
  /// The program that it was last, and its words, where strace told them.
  package let program: String
  package let command: String
  package let writer: TraceWriter
  package let leftOut: LeftOut
  /// `64-bit` or `32-bit`, by its addresses.
  package let arch: String
}
