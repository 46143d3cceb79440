import CTestSystem
import PageAlloc
import SysMem

/// Guards, access rights, and that none of it reaches a run's next owner.
package let protectChecks: [Check] = [
  Check("protect: parts of the kernel's larger pages are errors") { recorder in
    let calls = FakeCalls(physicalPageSize: 16_384)
    guard let arena = makeArena(&recorder, calls: calls) else { return }
    recorder.throwsError(.partOfPhysicalPage(base: 0, physicalPageSize: 16_384)) {
      () throws(PageArenaError) in _ = try arena.allocateGuardedRun(pages: 3)
    }
    guard var run = arena.own(4, guarded: true, &recorder) else { return }
    run.stamp(1)
    let base = run.address
    recorder.throwsError(.partOfPhysicalPage(base: base, physicalPageSize: 16_384)) {
      () throws(PageArenaError) in try run.resize(to: 3)
    }
    recorder.expect(run.pages == 4 && run.isStamped(1, pages: 4), "as before")
  },

  Check("protect: access as asked for, and plain memory for the next owner") { recorder in
    guard let arena = makeArena(&recorder, caching: false) else { return }
    var place: UInt = 0
    for access in [PageAccess.none, .readOnly, .readExecute, .readWrite] {
      guard var run = arena.own(4, &recorder), let next = arena.own(1, &recorder) else { return }
      if place == 0 { place = run.address }
      recorder.expectEqual(run.address, place, "the place of the one before")
      run.stamp(9)
      recorder.succeeds("protect") { () throws(PageArenaError) in try run.protect(access) }
      recorder.expect(isReadable(place) == (access != .none), "readable")
      recorder.expect(isReadable(next.address), "its neighbour is untouched")
      if access != .none { recorder.expect(run.isStamped(9, pages: 4), "contents stay") }
    }
    guard var last = arena.own(4, zeroed: true, &recorder) else { return }
    recorder.expect(last.address == place && last.isZero(), "plain at the end")
    last.stamp(1)
  },

  Check("protect: writable and executable only where the arena allows it") { recorder in
    guard let arena = makeArena(&recorder), var run = arena.own(1, &recorder) else { return }
    recorder.throwsError(.writableCode) { () throws(PageArenaError) in
      try run.protect(.readWriteExecute)
    }
    run.stamp(1)
    guard let open = try? PageArena(allowsWritableCode: true),
      var both = open.own(1, &recorder)
    else { return }
    recorder.succeeds("allowed") { () throws(PageArenaError) in
      try both.protect(.readWriteExecute)
    }
    both.stamp(1)
  },

  Check("protect: machine code is written, flipped and run") { recorder in
    guard let arena = makeArena(&recorder), var run = arena.own(1, &recorder) else { return }
    do {
      var words = run.mutableElements(of: UInt32.self)
      for index in 0..<returnsFortyTwo.count { words[index] = returnsFortyTwo[index] }
    }
    recorder.succeeds("flip") { () throws(PageArenaError) in try run.protect(.readExecute) }
    // The code is that of a function without arguments, for this processor.
    recorder.expectEqual(ctest_call(run.address), 42, "what the code returns")
    recorder.succeeds("flip back") { () throws(PageArenaError) in try run.protect(.readWrite) }
    run.stamp(1)
  },

  Check("protect: guards before and after, gone with the run") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    for alignment in [8192, 1 << 16, 1 << 22] {
      guard var run = arena.own(5, alignment: alignment, guarded: true, &recorder) else { return }
      let (start, end) = (run.address, run.address + 5 * 8192)
      recorder.context = "aligned to \(alignment)"
      recorder.expect(start & UInt(alignment - 1) == 0, "aligned")
      run.stamp(3)
      recorder.expect(!isReadable(start - 1) && !isReadable(start - 8192), "guard before")
      recorder.expect(!isReadable(end) && !isReadable(end + 8191), "guard after")
      recorder.expect(isReadable(start) && isReadable(end - 1), "the run between")
      recorder.expectEqual(arena.statistics.inUseBytes, 7 * 8192, "in use")
      let halves = run.split(at: 2)
      recorder.expect(isReadable(start + 2 * 8192), "no guard between the halves")
      halves.lower.deallocate()
      recorder.expect(isReadable(start - 1), "the lower guard is gone")
      recorder.expect(!isReadable(end), "the upper guard stays")
      halves.upper.deallocate()
      recorder.expect(isReadable(end), "the upper guard is gone")
      recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use at the end")
    }
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
  },

  Check("protect: locked, left out of dumps, prefaulted, discarded") { recorder in
    guard let arena = makeArena(&recorder), var run = arena.own(4, &recorder) else { return }
    let view = unsafe Run(UnsafeMutableRawPointer(bitPattern: run.address)!, pages: 4)
    recorder.succeeds("prefault") { () throws(PageArenaError) in try run.prefault() }
    if isEmulated {
      recorder.leaveOut("prefaulted: qemu-user takes the advice, and ignores it")
    } else {
      recorder.expectEqual(view.residentBytes, 4 * 8192, "resident when prefaulted")
    }
    run.stamp(3)
    recorder.succeeds("discard") { () throws(PageArenaError) in try run.discard() }
    recorder.expectEqual(view.residentBytes, 0, "resident when discarded")
    recorder.expect(run.isZero(), "zero when discarded")
    run.stamp(4)
    recorder.succeeds("dumps") { () throws(PageArenaError) in try run.excludeFromCoreDumps() }
    do throws(PageArenaError) {
      try run.lock()
      recorder.expect(run.isStamped(4, pages: 4), "contents when locked")
    } catch {
      // A process may lock little, or nothing.
      recorder.expect(error.isRefusal(of: .mlock), error.description)
    }
    run.deallocate()
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use")
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
  },

  // An optimised build is what may leave the writes out.
  Check("protect: prefaulted by hand where the kernel does not know how") { recorder in
    let calls = FakeCalls()
    var options = PageArena.Options(calls: calls)
    options.hugePages = .avoid
    guard let arena = makeArena(&recorder, options), var run = arena.own(64, &recorder)
    else { return }
    let view = unsafe Run(UnsafeMutableRawPointer(bitPattern: run.address)!, pages: 64)
    view.part(0, 1).stamp(5)
    calls.refuse(.madvise)
    recorder.succeeds("prefault") { () throws(PageArenaError) in try run.prefault() }
    calls.failNoMore()
    recorder.expectEqual(view.residentBytes, 64 * 8192, "resident when prefaulted")
    recorder.expect(view.part(0, 1).isStamped(5), "contents as before")
    recorder.expect(view.part(1, 63).isZero, "the rest reads as zero")
    run.deallocate()
  },

  Check("protect: wiped when freed, on every way") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    for way in 0..<4 {
      recorder.context = "way \(way)"
      guard var run = arena.own(4, guarded: way == 1, &recorder) else { return }
      run.wipeOnFree()
      run.stamp(0xdead)
      if way == 2 {
        recorder.succeeds("protect") { () throws(PageArenaError) in try run.protect(.readOnly) }
      }
      let view = unsafe Run(UnsafeMutableRawPointer(bitPattern: run.address)!, pages: 4)
      if way == 3 { run.shrink(to: 1) }
      run.deallocate()
      // Free memory of the arena, which stays mapped: nothing may be left in it.
      recorder.expect(view.isZero, "contents are gone")
    }
  },
]

extension PageArenaError {
  /// Whether the kernel refused such a call.
  func isRefusal(of call: SysMemError.Call) -> Bool {
    switch self {
    case .system(let error): error.call == call
    default: false
    }
  }
}

/// A function that returns 42, as code of this processor.
private var returnsFortyTwo: [UInt32] {
  #if arch(x86_64) || arch(i386)
    [0x0000_2ab8, 0x0000_c300]  // mov eax, 42; ret
  #elseif arch(arm)
    [0xe3a0_002a, 0xe12f_ff1e]  // mov r0, #42; bx lr
  #else
    [0x5280_0540, 0xd65f_03c0]  // mov w0, #42; ret
  #endif
}
