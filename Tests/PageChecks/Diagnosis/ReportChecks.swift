import CSysMem
import CTestSystem
import PageAlloc

/// Says so where a fault is told of by somebody else.
private func leavesOutFaults(_ recorder: inout Recorder) -> Bool {
  if ctest_sanitizer() != 2 { return false }
  recorder.leaveOut("AddressSanitizer tells of a fault first, in its own words")
  return true
}

/// What was tried, which an emulator may not tell, and how far off it was.
private func expectAccess(
  _ end: ChildEnd, _ access: StaticString, _ distance: StaticString, _ recorder: inout Recorder
) {
  recorder.expect(
    end.has(access) || (isEmulated && !end.has(", reading") && !end.has(", writing")),
    "nothing like: \(access.description)")
  end.expect(distance, &recorder)
}

/// What is said on standard error, and by processes that end: each is a child of its own.
package let reportChecks: [Check] = [
  Check("reports: an access to a freed run tells who freed it, and ends the program") { recorder in
    if leavesOutFaults(&recorder) { return }
    let end = inHeardChild(&recorder) {
      guard let arena = makeReportingArena(faults: true), let run = takeForReport(arena) else {
        return
      }
      freeForReport(arena, run)
      run.stamp(1)
    }
    recorder.expectEqual(end.status, 256 + 11, "it dies of SIGSEGV")
    end.expect(" faulted at 0x", &recorder)
    expectAccess(end, ", writing", ", 0 bytes behind the start of the run", &recorder)
    end.expect(", in a run that was freed\n", &recorder)
    end.expect("\n  24 KiB in 3 pages at 0x", &recorder)
    end.expect(", freed, in quarantine\n  allocated by thread ", &recorder)
    end.expect("  freed by thread ", &recorder)
    end.expectNames(["takeForReport", "freeForReport", "stamp"], &recorder)
  },

  Check("reports: a write to a run that is read-only, and a read of a guard") { recorder in
    if leavesOutFaults(&recorder) { return }
    for isGuard in [false, true] {
      let end = inHeardChild(&recorder) {
        guard let arena = makeReportingArena(faults: true),
          var run = try? arena.allocateGuardedRun(pages: 2)
        else { return }
        if isGuard {
          // Behind the run.
          guard let byte = unsafe UnsafePointer<UInt8>(bitPattern: run.address + (2 << 13) + 5)
          else {
            return
          }
          if unsafe byte.pointee == 0 { run.stamp(1) }
        } else {
          try? run.protect(.readOnly)
          run.stamp(1)
        }
      }
      recorder.expectEqual(end.status, 256 + 11, "it dies of SIGSEGV")
      if isGuard {
        expectAccess(end, ", reading", ", 5 bytes behind the end of the run", &recorder)
      } else {
        expectAccess(end, ", writing", ", 0 bytes behind the start of the run", &recorder)
      }
      end.expect(", in a run or its guards\n", &recorder)
      end.expect(", in use\n  allocated by thread ", &recorder)
    }
  },

  Check("reports: a write to what was decommitted") { recorder in
    if leavesOutFaults(&recorder) { return }
    let end = inHeardChild(&recorder) {
      guard let arena = makeReportingArena(faults: true),
        var run = try? arena.allocateRun(pages: 4), (try? run.decommit(in: 2..<4)) != nil
      else { return }
      run.stamp(1)
    }
    recorder.expectEqual(end.status, 256 + 11, "it dies of SIGSEGV")
    expectAccess(end, ", writing", ", 16384 bytes behind the start of the run", &recorder)
    end.expect(", in pages of a run that are decommitted\n", &recorder)
  },

  Check("reports: a fault elsewhere is left to whoever looked after it before") { recorder in
    if leavesOutFaults(&recorder) { return }
    let end = inHeardChild(&recorder) {
      guard makeReportingArena(faults: true) != nil,
        let byte = unsafe UnsafePointer<UInt8>(bitPattern: 4096)
      else { return }
      if unsafe byte.pointee == 0 { ctest_exit_now(3) }
    }
    recorder.expectEqual(end.status, 256 + 11, "it dies of SIGSEGV")
    end.expectNothing(&recorder)
  },

  Check("reports: with PAGEALLOC_STATS=1 an arena tells its figures, at its end or the process's") {
    recorder in
    let end = inHeardChild(&recorder) {
      // A literal's bytes last as long as the program; nothing else reads the environment
      // meanwhile.
      unsafe setenv("PAGEALLOC_STATS", "1", 1)
      do {
        guard let brief = try? PageArena(reserving: 64 << 20, label: "brief"),
          (try? brief.run(3)) != nil
        else { return }
      }
      guard
        let lasting = try? PageArena(reserving: 64 << 20, isPermanent: true, label: "lasting"),
        (try? lasting.run(5)) != nil
      else { return }
      exit(0)
    }
    recorder.expectEqual(end.status, 0, "the child's end")
    end.expectOnce(
      " \"brief\", when its last reference went:\n  reservedBytes 67108864\n", &recorder)
    end.expect("\n  inUseBytes 24576\n", &recorder)
    end.expectOnce(" \"lasting\", when the process ended:\n", &recorder)
    end.expect("\n  inUseBytes 40960\n", &recorder)
  },

  Check("reports: with PAGEALLOC_PROFILE=PATH,BYTES the first arenas write profiles") { recorder in
    if leavesOutProfiles(&recorder) { return }
    guard let memory = MemoryFile(&recorder) else { return }
    let wish = memory.path + ",1"
    let end = inHeardChild(&recorder) {
      // As above.
      unsafe wish.withCString { _ = unsafe setenv("PAGEALLOC_PROFILE", $0, 1) }
      guard let lasting = try? PageArena(reserving: 64 << 20, isPermanent: true),
        (try? lasting.run(5)) != nil,
        // Its file cannot be made, and it goes without one.
        let other = try? PageArena(reserving: 64 << 20), (try? other.run(1)) != nil
      else { return }
      exit(0)
    }
    recorder.expectEqual(end.status, 0, "the child's end")
    end.expect("PageAlloc: PAGEALLOC_PROFILE: profile: it cannot be made", &recorder)
    guard let file = memory.profile(&recorder) else { return }
    recorder.expectEqual(file.samples.first?.values[3] ?? 0, 5 * 8192, "bytes held")
  },

  Check("reports: with PAGEALLOC_TRACE=scavenge a step that gave memory back is a line") {
    recorder in
    let end = inHeardChild(&recorder) {
      // As above.
      unsafe setenv("PAGEALLOC_TRACE", "scavenge", 1)
      var options = PageArena.Options(reserving: 64 << 20, label: "traced")
      options.scavengesBySteps = true
      options.threadCacheByteCount = 0
      options.generationNanoseconds = 1
      guard let arena = try? PageArena(options), let run = try? arena.run(2048) else { return }
      run.stamp(1)
      if arena.errorOfGiving(run) != nil { return }
      for _ in 0..<100 { _ = try? arena.scavengeStep() }
    }
    recorder.expectEqual(end.status, 7, "the child's end")
    end.expect("PageAlloc: scavenge: arena ", &recorder)
    end.expect(" \"traced\", ", &recorder)
    end.expect(" KiB back in ", &recorder)
  },

  Check("reports: with PAGEALLOC_CHECKED=abort a mistake, a leak and a fault end the process") {
    recorder in
    if leavesOutFaults(&recorder) { return }
    for kind in 0..<4 {
      recorder.context = "kind \(kind)"
      if kind == 1, ctest_sanitizer() == 1 {
        recorder.leaveOut("ThreadSanitizer tells of the parent's threads when the child exits")
        continue
      }
      let end = inHeardChild(&recorder) {
        unsafe setenv("PAGEALLOC_CHECKED", "abort", 1)
        guard let arena = try? PageArena(), let run = takeForReport(arena) else { return }
        if kind == 0 { ctest_exit_now(arena.errorOfGiving(run.part(0, 4)) == nil ? 1 : 2) }
        // The arena ends with a run in use.
        if kind == 1 { return }
        freeForReport(arena, run)
        if kind == 2 { run.stamp(1) }
        // All is well.
        if kind == 3 { ctest_exit_now(5) }
      }
      recorder.expectEqual(end.status, kind == 3 ? 5 : 70, "the status")
      recorder.expect(end.has("PageAlloc: ") == (kind != 3), "what is told")
    }
  },

  Check("reports: with PAGEALLOC_CHECKED=1 up to 64 MiB that was freed is kept back") { recorder in
    let end = inHeardChild(&recorder) {
      // As above.
      unsafe setenv("PAGEALLOC_CHECKED", "1", 1)
      guard let arena = try? PageArena(), arena.isChecked else { return }
      for count in 1...20 {
        guard let run = try? arena.run(512), arena.errorOfGiving(run) == nil else { return }
        let kept = arena.statistics.quarantinedBytes
        if kept != UInt64(min(count, 16)) << 22 { ctest_exit_now(6) }
      }
      ctest_exit_now(5)
    }
    recorder.expectEqual(end.status, 5, "the status")
  },

  Check("reports: a double free, which goes on") { recorder in
    let end = inHeardChild(&recorder) {
      guard let arena = makeReportingArena(faults: false), let run = takeForReport(arena) else {
        return
      }
      freeForReport(arena, run)
      freeForReport(arena, run)
    }
    recorder.expectEqual(end.status, 7, "it ends by itself")
    end.expect("PageAlloc: base: the first of 3 pages at 0x", &recorder)
    end.expect(" is not in use (freed before?)\n  freed by thread ", &recorder)
    end.expect("  24 KiB in 3 pages at 0x", &recorder)
    end.expectNames(["takeForReport", "freeForReport"], &recorder)
  },

  Check("reports: a free of more pages than there are behind it, which goes on") { recorder in
    let end = inHeardChild(&recorder) {
      // Address space alone: nothing is touched.
      guard let arena = makeReportingArena(faults: false),
        (try? arena.run(30_000)) != nil, let run = try? arena.run(2)
      else { return }
      _ = arena.errorOfGiving(run.part(0, 500_000))
    }
    recorder.expectEqual(end.status, 7, "it ends by itself")
    end.expect("PageAlloc: ", &recorder)
  },

  Check("reports: a child names functions that its parent was just about to learn") { recorder in
    // The parent has begun, and knows of no file yet.
    let known = ctest_begin_noting()
    let end = inHeardChild(&recorder) {
      guard let arena = makeReportingArena(faults: false), let run = takeForReport(arena) else {
        return
      }
      freeForReport(arena, run)
      freeForReport(arena, run)
    }
    ctest_end_noting(known)
    recorder.expectEqual(end.status, 7, "it ends by itself")
    end.expectNames(["takeForReport", "freeForReport"], &recorder)
  },

  Check("reports: a run freed behind its owner's back") { recorder in
    let end = inHeardChild(&recorder) {
      guard let arena = makeReportingArena(faults: false),
        let run = try? arena.allocateRun(pages: 2),
        let base = unsafe UnsafeMutableRawPointer(bitPattern: run.address)
      else { return }
      unsafe try? arena.deallocate(base, pages: 2)
    }
    recorder.expect(end.isTrap, "it traps")
    end.expect("  freed by thread ", &recorder)
    end.expect("a run was freed behind its owner's back: 2 pages at 0x", &recorder)
  },

  Check("reports: what an arena still had in use when it ended") { recorder in
    let end = inHeardChild(&recorder) {
      var arena = makeReportingArena(faults: false)
      var runs: [Run] = []
      // Five runs, in a loop that no compiler unrolls: all come from one place in the code.
      while let living = arena, living.statistics.inUseBytes < 5 * 24 << 10 {
        guard let run = takeForReport(living) else { break }
        runs.append(run)
      }
      if let living = arena, runs.count == 5 { freeForReport(living, runs[2]) }
      arena = nil
    }
    recorder.expectEqual(end.status, 7, "it ends by itself")
    end.expect(
      "PageAlloc: 96 KiB in 4 runs in use when the arena ended\n  96 KiB in 4 runs, one at 0x",
      &recorder)
    end.expectNames(["takeForReport"], &recorder)
  },

  Check("reports: what arenas have in use that live on when the process ends") { recorder in
    let end = inHeardChild(&recorder) {
      guard let arena = makeReportingArena(faults: false), takeForReport(arena) != nil,
        let silent = makeReportingArena(faults: false, reports: false), takeForReport(silent) != nil
      else { return }
      // It never ends.
      _ = unsafe Unmanaged.passRetained(arena)
      LastReports.write()
    }
    recorder.expectEqual(end.status, 7, "it ends by itself")
    end.expect(
      "PageAlloc: 24 KiB in 1 run in use when the process ended\n  24 KiB in 1 run at 0x", &recorder
    )
    end.expectOnce("in use when ", &recorder)
  },
]
