import CDiagnosis
import PageAlloc

/// Who did something to a run, and how a report says it.
package let traceChecks: [Check] = [
  Check("trace: a thread and its innermost calls; what does not fit is left out") { recorder in
    recorder.expect(!Trace().isKnown && Trace().count == 0, "nobody")
    for count in [0, 1, 15, 16, 17, 40] {
      recorder.context = "\(count) calls"
      let trace = makeTrace(thread: 5, calls: count)
      recorder.expect(trace.isKnown, "somebody")
      recorder.expectEqual(trace.thread, 5, "the thread")
      recorder.expectEqual(trace.count, min(count, Trace.depth), "calls")
      for index in 0..<trace.count {
        recorder.expectEqual(trace[index], UInt(index + 1), "call \(index)")
      }
    }
  },

  Check("trace: here is this thread") { recorder in
    let trace = Trace.here()
    recorder.expectEqual(trace.thread, cdg_thread(), "the thread")
    recorder.expect(trace.count >= 0 && trace.count <= Trace.depth, "\(trace.count) calls")
    for index in 0..<trace.count { recorder.expect(trace[index] != 0, "call \(index)") }
  },

  Check("report: a run by its size, its place and what has become of it") { recorder in
    let rows: [(RunNote.State, pages: UInt32, live: UInt32, StaticString)] = [
      (.none, 1, 0, "  8 KiB in 1 page at 0x0000000000012000, unknown"),
      (.inUse, 1, 1, "  8 KiB in 1 page at 0x0000000000012000, in use"),
      (.inUse, 3, 2, "  24 KiB in 3 pages at 0x0000000000012000, in use but for 1 page"),
      (.inUse, 512, 2, "  4096 KiB in 512 pages at 0x0000000000012000, in use but for 510 pages"),
      (.leaving, 2, 0, "  16 KiB in 2 pages at 0x0000000000012000, freed, in quarantine"),
      (.quarantined, 2, 0, "  16 KiB in 2 pages at 0x0000000000012000, freed, in quarantine"),
      (.free, 2, 0, "  16 KiB in 2 pages at 0x0000000000012000, freed"),
    ]
    for (state, pages, live, text) in rows {
      recorder.context = text.description
      var note = RunNote()
      note.state = state
      note.firstPage = 1
      note.pageCount = pages
      note.livePages = live
      var lines = 0
      note.report(base: 0x10000, isReadable: false) { line in
        lines += 1
        recorder.expect(
          line.has(text, at: 0) && line.count == text.utf8CodeUnitCount, "not \(line.text)")
      }
      recorder.expectEqual(lines, 1, "lines")
    }
  },

  Check("report: who allocated a run and who freed it, with the calls") { recorder in
    var note = RunNote()
    note.state = .free
    note.pageCount = 1
    note.allocation = makeTrace(thread: 47, calls: 2)
    note.end = makeTrace(thread: 11, calls: 0)
    let starts: [StaticString] = [
      "  8 KiB in 1 page at ", "  allocated by thread 47:", "    ", "    ",
      "  freed by thread 11 (no back-trace here)",
    ]
    var count = 0
    note.report(base: 0, isReadable: false) { line in
      if count < starts.count {
        recorder.expect(line.has(starts[count], at: 0), "line \(count): \(line.text)")
      }
      count += 1
    }
    recorder.expectEqual(count, starts.count, "lines")
  },

  Check("report: calls of the library are left out, and names are as they were written") {
    recorder in
    guard hasTraces else {
      return recorder.leaveOut("back-traces: Embedded Swift emits no tables to unwind by")
    }
    guard let arena = makeCheckedArena(&recorder), let run = arena.take(4, &recorder) else {
      return
    }
    guard let record = arena.diagnose(run.address), let first = record.allocation?.addresses.first
    else { return recorder.fail("no record") }
    let text = record.description
    let lines = text.utf8.split(separator: 10)
    recorder.expect(lines.count > 2, text)
    // The innermost call of all is the library's, and not told.
    recorder.expect(first != 0 && !text.utf8.has("ArenaCore"), text)
    recorder.expect(!text.utf8.has("$s"), "a name as the linker has it: \(text)")
    arena.give(run, &recorder)
  },
]

extension String.UTF8View {
  /// Whether a text is somewhere in it.
  fileprivate func has(_ part: StaticString) -> Bool {
    let (all, wanted) = (Array(self), Array(part.description.utf8))
    return all.indices.contains { all[$0...].starts(with: wanted) }
  }
}

/// A trace of calls that return to 1, 2, 3 ...
private func makeTrace(thread: UInt32, calls count: Int) -> Trace {
  let calls = (0..<count).map { UInt($0 + 1) }
  // The calls are copied.
  return unsafe calls.withUnsafeBufferPointer { unsafe Trace(thread: thread, $0) }
}
