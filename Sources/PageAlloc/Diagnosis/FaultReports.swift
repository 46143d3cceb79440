import CDiagnosis
import SysMem

// A fault in a checked arena is told of before anything else happens. This runs in a signal handler, on the
// thread that faulted: it allocates nothing, and waits for no lock for long, since that thread may hold it.

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
    guard patiently({ ArenaRegistry.tryLock() }) else { return }
    defer { ArenaRegistry.unlock() }
    var arena = unsafe ArenaRegistry.first
    while let state = unsafe arena {
      // In the list, whose lock is held, so it lives.
      if let checks = unsafe state.pointee.checks, let page = unsafe state.pointee.page(at: address)
      {
        guard patiently({ unsafe state.locks.pointee.heap.tryLock() }) else { return }
        let number = checks.number(of: page)
        let note = number == 0 ? nil : checks[number]
        unsafe state.locks.pointee.heap.unlock()
        if let note { return unsafe report(address, trace, note, base: state.pointee.base) }
      }
      unsafe arena = state.pointee.nextArena
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

/// Tries for about a tenth of a second.
func patiently(_ attempt: () -> Bool) -> Bool {
  for _ in 0..<1000 {
    if attempt() { return true }
    cdg_pause()
  }
  return false
}

extension ArenaState {
  /// The page at an address, if it lies in what the arena has grown.
  fileprivate func page(at address: UInt) -> PageNumber? {
    let page = (address &- base) >> UInt(Geometry.pageShift)
    guard address >= base, page < UInt(Geometry.pageCount) else { return nil }
    return allocator.isGrown(Geometry.chunk(of: Int(page))) ? Int(page) : nil
  }
}
