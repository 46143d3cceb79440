import PageAlloc
import SysMem

/// What arenas are called, and all of them at a look.
package let labelChecks: [Check] = [
  Check("labels: an arena has the one it was given, or none") { recorder in
    guard let plain = makeArena(&recorder) else { return }
    recorder.expect(plain.label.utf8.count == 0, plain.label)
    for label in ["cache", "sessions [eu] été", String(repeating: "x", count: 48)] {
      guard let arena = labelled(label, &recorder) else { return }
      recorder.expect(arena.label.utf8.elementsEqual(label.utf8), arena.label)
    }
    for (label, byteCount) in [
      (String(repeating: "x", count: 49), 49), ("two\nlines", 9), ("\u{7f}", 1),
      (String(repeating: "é", count: 25), 50),
    ] {
      let refusal = PageArenaError.badLabel(byteCount: byteCount, limit: 48)
      recorder.throwsError(refusal) { () throws(PageArenaError) in
        _ = try PageArena(label: label)
      }
    }
  },

  Check("labels: all arenas are found, orphans too, and none that has ended") { recorder in
    guard let first = labelled("first", &recorder), let second = labelled("second", &recorder),
      let run = first.take(3, &recorder)
    else { return }
    recorder.expectEqual(arenaCount("first") + arenaCount("second"), 2, "arenas")
    var all = PageArena.all
    guard let found = all.first(where: { $0.label.utf8.elementsEqual("first".utf8) }) else {
      return recorder.fail("the first is not found")
    }
    recorder.expectEqual(found.statistics.inUseBytes, 3 << 13, "in use")
    recorder.expectEqual(found.number, first.registration.number, "number")
    recorder.expect(!found.isOrphan, "it is referred to")
    first.give(run, &recorder)
    recorder.expectEqual(second.statistics.inUseBytes, 0, "in use in the second")

    var owner = orphan(&recorder)
    all = PageArena.all
    recorder.expectEqual(arenaCount("first") + arenaCount("orphan"), 2, "arenas, with an orphan")
    let isOrphan = all.contains { $0.isOrphan && $0.label.utf8.elementsEqual("orphan".utf8) }
    recorder.expect(isOrphan, "the orphan")
    let arena = owner?.arena
    recorder.expect(arena?.label.utf8.elementsEqual("orphan".utf8) ?? false, "a run's arena")
    recorder.expect(arena?.isOrphan ?? false, "it waits for the run")
    owner = nil
    recorder.expectEqual(arenaCount("first") + arenaCount("orphan"), 1, "arenas, without it")
    recorder.expect(owner == nil, "its run has gone")
  },

  Check("labels: arenas come and go while all are looked at") { recorder in
    let makers = (0..<3).map { _ in ArenaMaker() }
    var most = 0
    runThreads(
      makers,
      meanwhile: {
        for _ in 0..<300 {
          most = max(most, arenaCount("made"))
          for arena in PageArena.all where arena.statistics.inUseBytes > arena.statistics.readyBytes
          {
            recorder.fail("more in use than there is")
          }
        }
      }
    ) { $0.make() }
    recorder.expect(most <= 6, "\(most) arenas at a time")
    recorder.expectEqual(arenaCount("made"), 0, "arenas at the end")
  },

  Check("labels: every mapping has a name, and growing takes no call for it") { recorder in
    let calls = FakeCalls()
    var options = PageArena.Options(calls: calls)
    options.label = "a$b [c]"
    options.scavenging = .manual
    guard let arena = makeArena(&recorder, options) else { return }
    var (names, mapped) = calls.takeNames()
    expectNamed(mapped, names, &recorder)
    let expected = ["PageAlloc pages a.b .c.", "PageAlloc tables a.b .c."]
    for name in expected {
      let isThere = names.contains { $0.name.utf8.elementsEqual(name.utf8) }
      recorder.expect(isThere, name)
    }
    // Up to 40 MiB: a piece of address space was named as a whole.
    for _ in 0..<5 { if arena.take(1000, &recorder) == nil { return } }
    (names, mapped) = calls.takeNames()
    #if _pointerBitWidth(_64)
      recorder.expectEqual(names.count, 0, "calls for names as it grows by 5,000 pages")
    #endif
    expectNamed(mapped, names, &recorder)
    // What is mapped anew in the midst of it has the name again, so that the kernel joins it.
    guard var run = arena.own(4, &recorder) else { return }
    recorder.succeeds("protect") { () throws(PageArenaError) in try run.protect(.readOnly) }
    run.deallocate()
    (names, mapped) = calls.takeNames()
    recorder.expectEqual(mapped.count, 1, "mapped anew")
    expectNamed(mapped, names, &recorder)
    let isOfPages = names.contains { $0.name.utf8.elementsEqual(expected[0].utf8) }
    recorder.expect(isOfPages, "the name of pages")
    // A second cache, in a block of its own.
    withCache(of: arena, &recorder) { _, recorder throws(PageArenaError) in
      let (names, mapped) = calls.takeNames()
      recorder.expect(mapped.count >= 1, "a block of caches")
      expectNamed(mapped, names, &recorder)
    }
  },
]

/// Each mapping was named as a whole.
private func expectNamed(
  _ mapped: [AdvisedRange], _ names: [(range: AdvisedRange, name: String)],
  _ recorder: inout Recorder, line: UInt = #line
) {
  for range in mapped {
    recorder.expect(
      names.contains { $0.range == range }, "\(range.byteCount) bytes have no name", line: line)
  }
}

private func labelled(_ label: String, _ recorder: inout Recorder) -> PageArena? {
  var options = PageArena.Options(calls: LinuxCalls())
  options.reservedByteCount = 64 << 20
  options.scavenging = .manual
  options.label = label
  return makeArena(&recorder, options)
}

/// A run whose arena nobody refers to.
private func orphan(_ recorder: inout Recorder) -> PageRun? {
  labelled("orphan", &recorder)?.own(2, &recorder)
}

/// How many arenas have a label that begins so. Other tests have arenas at the same time.
private func arenaCount(_ label: String) -> Int {
  PageArena.all.filter { $0.label.utf8.starts(with: label.utf8) }.count
}

/// A thread that makes arenas, and uses and drops them.
private final class ArenaMaker: Sendable {
  func make() {
    for index in 0..<100 {
      guard
        let arena = try? PageArena(
          reserving: 64 << 20, scavenging: .manual, label: "made \(index)"),
        let run = try? arena.run(3)
      else { continue }
      run.stamp(1)
      // Every other one goes with its run.
      if index & 1 == 0 { _ = arena.errorOfGiving(run) }
    }
  }
}
