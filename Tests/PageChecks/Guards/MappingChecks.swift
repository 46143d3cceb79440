import PageAlloc
import SysMem

/// What guards and moves cost the process in mappings, all of which are counted.
package let mappingChecks: [Check] = [
  Check("protect: nobody reads a guard, with markers and without") { recorder in
    for markers in [true, false] {
      recorder.context = "markers \(markers)"
      let calls = FakeCalls()
      calls.hasGuardMarkers.store(markers, ordering: .relaxed)
      guard let arena = makeArena(&recorder, calls: calls),
        let run = arena.own(2, guarded: true, &recorder)
      else { return }
      recorder.expect(calls.isReadable(run.address - 1) != true, "the guard before it")
      recorder.expect(calls.isReadable(run.address) != false, "its first byte")
      recorder.expect(calls.isReadable(run.address + 2 * 8192 - 1) != false, "its last byte")
      recorder.expect(calls.isReadable(run.address + 2 * 8192) != true, "the guard behind it")
    }
  },

  Check("protect: ten thousand guarded runs, with markers and without") { recorder in
    let count = 10_000
    for markers in [true, false] {
      recorder.context = "markers \(markers)"
      let calls = FakeCalls()
      calls.hasGuardMarkers.store(markers, ordering: .relaxed)
      // What is asked for huge pages is a mapping of its own.
      var options = PageArena.Options(calls: calls)
      options.scavenging = .manual
      options.hugePages = .system
      guard let arena = makeArena(&recorder, options) else { return }
      guard let probe = arena.own(1, guarded: true, &recorder) else { return }
      let before = mappingCount()
      var runs = RunList(capacity: count)
      for _ in 0..<count {
        guard let run = arena.own(1, guarded: true, &recorder) else { return }
        runs.append(run)
      }
      let added = mappingCount() - before
      recorder.tell("\(count) guarded runs, markers \(arena.hasMarkers): \(added) mappings")
      // An emulator without markers is one without markers.
      if markers, arena.hasMarkers {
        recorder.expect(added < 10, "\(added) mappings for markers")
      } else {
        recorder.expect(added < 32_000, "\(added) mappings")
      }
      recorder.expectEqual(probe.pages, 1, "the first lives")
      runs.removeAll()
      recorder.expectEqual(arena.statistics.inUseBytes, 3 * 8192, "in use")
      recorder.expect(mappingCount() - before < 10, "mappings are joined again")
    }
  },

  Check("huge page advice: runs that end leave no mappings behind, whatever the arena has") {
    recorder in
    guard LinuxCalls().physicalPageSize <= PageArena.pageSize else {
      return recorder.leaveOut("parts of a page of the kernel's")
    }
    for policy in [HugePages.system, .avoid, .prefer, .automatic] where recorder.isGood {
      recorder.context = "\(policy)"
      var options = PageArena.Options()
      options.scavenging = .manual
      options.hugePages = policy
      guard let arena = makeArena(&recorder, options), let first = arena.take(1500, &recorder)
      else { return }
      let before = mappingCount()
      for advises in [true, false] {
        var runs = RunList(capacity: 200)
        // Between them, and never special.
        var others = RunList(capacity: 200)
        for index in 0..<200 {
          guard var run = arena.own(4, &recorder), let other = arena.own(4, &recorder) else {
            return
          }
          recorder.succeeds("special") { () throws(PageArenaError) in
            if !advises {
              try run.protect(.readOnly, in: 1..<2)
            } else if index % 2 == 0 {
              try run.preferHugePages(in: 0..<2)
            } else {
              try run.avoidHugePages(in: 1..<3)
            }
          }
          runs.append(run)
          others.append(other)
        }
        runs.removeAll()
        let added = mappingCount() - before
        others.removeAll()
        recorder.expect(added <= 4, "\(added) mappings more, advised: \(advises)")
      }
      arena.give(first, &recorder)
    }
  },

  Check("resize: moving leaves no mappings behind") { recorder in
    let calls = FakeCalls()
    let long = PageArena.moveThreshold
    guard let arena = makeArena(&recorder, calls: calls), let first = arena.own(1, &recorder)
    else { return }
    let before = mappingCount()
    for round in 0..<40 {
      guard var run = arena.own(long, &recorder), let next = arena.own(1, &recorder) else { return }
      run.stamp(UInt64(round))
      recorder.succeeds("resize") { () throws(PageArenaError) in try run.resize(to: 2 * long) }
      recorder.expect(run.isStamped(UInt64(round), pages: long), "contents")
      recorder.expectEqual(next.pages, 1, "the run in between lives")
    }
    recorder.expect(calls.moveCount.load(ordering: .relaxed) >= 20, "most by page tables")
    recorder.expect(mappingCount() <= before + 4, "\(before) mappings became \(mappingCount())")
    recorder.expectEqual(first.pages, 1, "the first run lives")
  },
]
