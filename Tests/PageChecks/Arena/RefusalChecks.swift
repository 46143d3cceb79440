import PageAlloc
import SysMem
import Synchronization

/// A whole workload, with every call to the kernel refused in its turn.
package let refusalChecks: [Check] = [
  Check("refusal: each call of a workload in turn, with guards of markers") { recorder in
    sweep(&recorder, physicalPageSize: 4096, markers: true)
  },
  Check("refusal: each call of a workload in turn, with guards of mappings") { recorder in
    sweep(&recorder, physicalPageSize: 4096, markers: false)
  },
  Check("refusal: each call of a workload in turn, with physical pages of 64 KiB") { recorder in
    sweep(&recorder, physicalPageSize: 65_536, markers: true)
  },
  Check("refusal: from each call on, three in a row") { recorder in
    sweep(&recorder, physicalPageSize: 4096, markers: false, failures: 3)
  },
  Check("refusal: each call in turn, in the checked mode") { recorder in
    for markers in [true, false] {
      sweep(&recorder, physicalPageSize: 4096, markers: markers, checked: true)
    }
    sweep(&recorder, physicalPageSize: 65_536, markers: true, checked: true)
  },
]

/// Runs the workload once for every call that it makes.
private func sweep(
  _ recorder: inout Recorder, physicalPageSize: Int, markers: Bool, failures: Int = 1,
  checked: Bool = false
) {
  var call = 0
  while recorder.isGood {
    recorder.context = "call \(call)"
    let calls = FakeCalls(physicalPageSize: physicalPageSize)
    calls.hasGuardMarkers.store(markers, ordering: .relaxed)
    calls.fail(call: call, count: failures)
    // More in a row at the end are one call too often for anybody.
    let end = workload(calls, checked, &recorder)
    let made = calls.callCount.load(ordering: .relaxed)
    recorder.expectEqual(
      calls.misalignedCount.load(ordering: .relaxed), 0, "calls that cut a physical page")
    if failures == 1 || call + failures <= end {
      recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "bytes left mapped")
    }
    if call >= made { break }
    call += 1
  }
  recorder.tell("\(call) calls refused in turn, \(failures) in a row")
  // So many, that nothing was left out by mistake.
  recorder.expect(call > 30, "only \(call) calls")
}

/// Everything that calls the kernel, once or more; errors are met with a shrug.
///
/// - Returns: how many calls were made before the arena ended.
private func workload(_ calls: FakeCalls, _ checked: Bool, _ recorder: inout Recorder) -> Int {
  var options = PageArena.Options(calls: calls)
  options.reservedByteCount = 64 << 20
  // A thread that calls the kernel when it pleases would make every sweep another.
  options.scavenging = .manual
  // Less than is freed, so that runs leave the quarantine all along.
  options.diagnosis = checked ? .checked(quarantineByteCount: 1 << 20) : .off
  options.reportsMistakes = false
  guard let arena = try? PageArena(options) else {
    recorder.expect(true, "refused as a whole")
    return calls.callCount.load(ordering: .relaxed)
  }
  useRuns(arena, &recorder)
  useRawPages(arena, &recorder)

  // From here on nothing is refused: what was kept back must come again.
  let failing = calls.failingCall.load(ordering: .relaxed)
  calls.failNoMore()
  arena.emptyQuarantine()
  arena.emptyLimbo()
  let statistics = arena.statistics
  recorder.expectEqual(statistics.inUseBytes, 0, "in use at the end")
  recorder.expectEqual(
    statistics.readyBytes, statistics.freeMaybeResidentBytes + statistics.scavengedBytes, "the sum")
  let broken = arena.brokenInvariant()
  recorder.expect(broken == nil, broken?.description ?? "")
  let system = arena.systemStatistics
  recorder.expectEqual(
    Int(system.reservedBytes + system.preparedBytes + system.readyBytes),
    calls.mappedByteCount.load(ordering: .relaxed), "bytes by state, and bytes mapped")
  recorder.expectEqual(
    system.readyBytes, statistics.freeMaybeResidentBytes + statistics.metadataBytes, "ready bytes")
  // All of it works, and is plain memory.
  if let run = arena.take(10 * 512, zeroed: true, &recorder) {
    recorder.expect(run.part(0, 40).isZero, "zero")
    run.stamp(1)
    arena.give(run, &recorder)
  }
  calls.failingCall.store(failing, ordering: .relaxed)
  return calls.callCount.load(ordering: .relaxed)
}

private func useRuns(_ arena: PageArena, _ recorder: inout Recorder) {
  // Long enough for page tables to move.
  let long = PageArena.moveThreshold
  var first = try? arena.allocateRun(pages: long, alignment: 1 << 16)
  let fence = try? arena.allocateRun(pages: 1)
  var guarded = try? arena.allocateGuardedRun(pages: 16, alignment: 1 << 16, zeroed: true)
  var second = try? arena.allocateGuardedRun(pages: 24)
  if var run = first.take() {
    run.stamp(7)
    _ = try? run.resize(to: 2 * long)
    recorder.expect(run.isStamped(7, pages: long), "contents after moving")
    let after = try? arena.allocateRun(pages: 1)
    _ = try? run.resize(to: 3 * long, zeroed: true)
    recorder.expect(run.isStamped(7, pages: long), "contents after moving again")
    run.shrink(to: 40)
    try? run.prefault()
    try? run.lock()
    try? run.protect(.readOnly)
    recorder.expect(run.isStamped(7, pages: 32), "contents when protected")
    try? run.protect(.readWrite)
    try? run.preferHugePages(in: 4..<12)
    let halves = run.split(at: 8)
    halves.lower.deallocate()
    if let after { recorder.expectEqual(after.pages, 1, "the run after it lives") }
  }
  if var run = guarded.take() {
    recorder.expect(run.isZero(), "zero")
    try? run.excludeFromCoreDumps()
    try? run.discard()
    run.wipeOnFree()
    // A leak is given back here, as whoever leaks must.
    if let memory = unsafe try? run.leak(), let base = memory.baseAddress {
      let leaked = unsafe Run(base, pages: memory.count / 8192)
      recorder.expect(arena.errorOfGiving(leaked) == nil, "a leaked run can be freed")
    }
  }
  if var run = second.take() {
    run.wipeOnFree()
    run.shrink(to: 8)
  }
  if let fence { recorder.expectEqual(fence.pages, 1, "the fence lives") }
}

private func useRawPages(_ arena: PageArena, _ recorder: inout Recorder) {
  guard let run = try? arena.run(4500) else { return }
  run.part(100, 4).stamp(5)
  recorder.expect(arena.errorOfGiving(run) == nil, "freed")
  _ = try? arena.scavenge(byteCount: 1 << 20)
  if let again = try? arena.run(4500, zeroed: true) {
    recorder.expect(again.part(90, 30).isZero, "zero")
    recorder.expect(arena.errorOfGiving(again) == nil, "freed again")
  }
  _ = try? arena.releaseFreeMemory()
}
