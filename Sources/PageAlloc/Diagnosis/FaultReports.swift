import CDiagnosis
import SysMem

// A fault in a checked arena is told of before anything else happens. This runs in a signal
// handler, on the thread that faulted: it allocates nothing, and waits for no lock for long, since
// that thread may hold it.

/// What is said of faults.
enum FaultReports {
  /// Has the process's faults reported, from the first call on.
  static func start() {
    // Without it there are no reports, and everything else is as it was.
    _ = unsafe cdg_catch_faults { address, calls, count in
      // As many words as are said.
      let trace = unsafe Trace(
        thread: cdg_thread(), UnsafeBufferPointer(start: calls, count: count))
      FaultReports.report(address, trace)
    }
  }

  private static func report(_ address: UInt, _ trace: Trace) {
    ArenaRegistry.withLockIfFree {
      ArenaRegistry.forEach { core in
        guard let checks = core.checks, let page = core.anyPage(at: address) else { return }
        let note = core.withHeapIfFree { heap in
          heap.allocator.isGrown(Geometry.chunk(of: page)) ? checks.note(of: page) : nil
        }
        if let note = note ?? nil { report(address, trace, note, base: core.base) }
      }
    }
  }

  private static func report(
    _ address: UInt, _ trace: Trace, _ note: RunNote, base: UInt
  ) {
    var line = DumpLine()
    line.append("PageAlloc: thread ")
    line.append(UInt(trace.thread))
    line.append(" faulted at ")
    line.append(address: address)
    line.append(note.state == .inUse ? ", in a run or its guards" : ", in a run that was freed")
    line.write()
    trace.reportCalls(isReadable: false) { $0.write() }
    note.report(base: base, isReadable: false) { $0.write() }
  }
}
