import PageAlloc
import SysMem

/// Parts of runs that the kernel will not make memory again.
package let decommitRefusalChecks: [Check] = [
  Check("decommit: where the kernel refuses a part, what is memory by then goes on counting") {
    recorder in
    let calls = FakeCalls()
    guard let arena = makeArena(&recorder, calls: calls), var run = arena.own(8, &recorder) else {
      return
    }
    do throws(PageArenaError) {
      try run.decommit(in: 1..<3)
      try run.decommit(in: 5..<6)
      try run.protect(.none)
    } catch { return recorder.fail(error.description) }
    arena.expectPages(inUse: 8, inaccessible: 3, &recorder)
    // The second of two parts.
    calls.fail(call: 1)
    recorder.expect((try? run.commit(in: 0..<8)) == nil, "refused")
    calls.failNoMore()
    recorder.expect(run.isReadable(1) && !run.isReadable(5), "one part is memory")
    arena.expectPages(inUse: 8, inaccessible: 1, &recorder)
    recorder.succeeds("discarded") { () throws(PageArenaError) in try run.discard() }
    arena.expectPages(inUse: 8, inaccessible: 1, &recorder)
    run.deallocate()
    arena.expectPages(inUse: 0, inaccessible: 0, &recorder)
  },

  Check("decommit: a run that the kernel will not make plain counts as before") { recorder in
    let calls = FakeCalls()
    guard let arena = makeArena(&recorder, calls: calls), var run = arena.own(8, &recorder) else {
      return
    }
    recorder.succeeds("decommit") { () throws(PageArenaError) in try run.decommit(in: 2..<8) }
    calls.fail(call: 0)
    recorder.expect(run.becomePlain() != nil, "refused")
    calls.failNoMore()
    recorder.expectEqual(run.committedByteCount, 2 * 8192, "committed")
    arena.expectPages(inUse: 8, inaccessible: 6, &recorder)
    recorder.expect(!run.isReadable(2), "it cannot be accessed")
    recorder.expect(run.becomePlain() == nil, "plain")
    arena.expectPages(inUse: 8, inaccessible: 0, &recorder)
    run.deallocate()
    arena.expectPages(inUse: 0, inaccessible: 0, &recorder)
  },
]
