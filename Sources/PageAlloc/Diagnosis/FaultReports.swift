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
    _ = unsafe cdg_catch_faults { address, access, calls, count in
      // As many words as are said.
      let trace = unsafe Trace(
        thread: cdg_thread(), UnsafeBufferPointer(start: calls, count: count))
      FaultReports.report(address, access, trace)
    }
  }

  private static func report(_ address: UInt, _ access: Int32, _ trace: Trace) {
    ArenaRegistry.withLockIfFree {
      ArenaRegistry.forEach { core in
        guard let checks = core.checks, let page = core.anyPage(at: address) else { return }
        let found = core.withHeapIfFree { heap -> (RunNote, Range<PageNumber>, Bool)? in
          guard heap.allocator.isGrown(Geometry.chunk(of: page)),
            let note = checks.note(of: page)
          else { return nil }
          let pages = heap.accessiblePages(of: note, guardPages: core.guardPages)
          return (note, pages, heap.runs.decommitted.count(in: page..<(page + 1)) > 0)
        }
        guard let (note, pages, isDecommitted) = found ?? nil else { return }
        let bytes = core.address(of: pages.lowerBound)..<core.address(of: pages.upperBound)
        let state: StaticString =
          if note.state != .inUse {
            ", in a run that was freed"
          } else if isDecommitted {
            ", in pages of a run that are decommitted"
          } else {
            ", in a run or its guards"
          }
        report(address, access, trace, note, bytes, state, base: core.base)
        if core.checkedMode.endsProcess { CheckedMode.endProcess() }
      }
    }
  }

  private static func report(
    _ address: UInt, _ access: Int32, _ trace: Trace, _ note: RunNote, _ run: Range<UInt>,
    _ state: StaticString, base: UInt
  ) {
    var line = DumpLine()
    line.append("PageAlloc: thread ")
    line.append(UInt(trace.thread))
    line.append(" faulted at ")
    line.append(address: address)
    if access == CDG_READ { line.append(", reading") }
    if access == CDG_WRITE { line.append(", writing") }
    let (distance, place): (UInt, StaticString) =
      if address < run.lowerBound {
        (run.lowerBound - address, " before the start of the run")
      } else if address < run.upperBound {
        (address - run.lowerBound, " behind the start of the run")
      } else {
        (address - run.upperBound, " behind the end of the run")
      }
    line.append(", ")
    line.append(distance)
    line.append(distance == 1 ? " byte" : " bytes")
    line.append(place)
    line.append(state)
    line.write()
    trace.reportCalls(isReadable: false) { $0.write() }
    note.report(base: base, isReadable: false) { $0.write() }
  }
}

extension Heap {
  /// The pages of a run, without the guards around them.
  fileprivate func accessiblePages(of note: RunNote, guardPages: Int) -> Range<PageNumber> {
    var pages = note.pages
    if pages.isEmpty || note.state != .inUse { return pages }
    if runs.extentAndKind(pages.lowerBound).isGuard {
      pages = min(pages.lowerBound + guardPages, pages.upperBound)..<pages.upperBound
    }
    let last = pages.upperBound - guardPages
    if last >= pages.lowerBound, runs.extentAndKind(last).isGuard {
      pages = pages.lowerBound..<last
    }
    return pages
  }
}
