import PageAlloc
import SysMem
import Synchronization

// Where the kernel promises no more memory than it has (vm.overcommit_memory 2), the promise is
// made when memory becomes writable: mprotect is refused then, with ENOMEM, and so is mmap of
// writable memory.

/// A kernel that grants no more memory.
package let commitLimitChecks: [Check] = [
  Check("commit limit: a refused growth is one clear error, and all goes on as before") {
    recorder in
    let calls = FakeCalls()
    guard let arena = makeArena(&recorder, calls: calls) else { return }
    // A chunk more than the first, less what tables and caches take.
    calls.committableBytes.store(24 << 20, ordering: .relaxed)
    growUntilRefused(arena, &recorder)
    // Nothing is left for tables: no arena at all, or one that cannot grow.
    calls.committableBytes.store(0, ordering: .relaxed)
    do throws(PageArenaError) {
      let other = try PageArena(PageArena.Options(calls: calls))
      recorder.expect(isRefusal(other.errorOfTaking(1)), "a page of a second arena")
    } catch { recorder.expect(isRefusal(error), error.description) }
    calls.committableBytes.store(.max, ordering: .relaxed)
    guard let run = arena.take(20_000, &recorder) else { return }
    arena.give(run, &recorder)
  }
]

/// The same with the real kernel, in a system that was set so: `make test-overcommit`.
package let realCommitLimitChecks: [Check] = [
  Check("overcommit: at the system's own limit") { recorder in
    guard number(in: "/proc/sys/vm/overcommit_memory") == 2 else {
      return recorder.leaveOut("this system overcommits; `make test-overcommit` changes that")
    }
    // In KiB. The last of it is for root alone, which this program is not where it is to be
    // refused.
    guard let limit = number(in: "/proc/meminfo", after: "CommitLimit:"),
      let committed = number(in: "/proc/meminfo", after: "Committed_AS:"),
      let reserve = number(in: "/proc/sys/vm/admin_reserve_kbytes"),
      limit < committed + reserve + 1 << 20
    else { return recorder.leaveOut("a GiB or more is left below the commit limit") }
    for round in 0..<3 {
      recorder.context = "round \(round)"
      // Each time as far as the last: the end of an arena gives all of it back.
      guard let arena = makeArena(&recorder, PageArena.Options()) else { return }
      growUntilRefused(arena, &recorder)
    }
  }
]

/// Takes runs until the kernel refuses more, and looks whether all is as it should be.
private func growUntilRefused(_ arena: PageArena, _ recorder: inout Recorder) {
  var runs: [Run] = []
  var refusal: PageArenaError?
  while refusal == nil, runs.count < 2000 {
    do throws(PageArenaError) {
      let run = try arena.run(300)
      run.stamp(UInt64(runs.count))
      runs.append(run)
    } catch { refusal = error }
  }
  recorder.expect(isRefusal(refusal), refusal?.description ?? "not refused")
  recorder.expect(runs.count > 3, "\(runs.count) runs before")
  let full = arena.statistics
  recorder.expectEqual(full.inUseBytes, UInt64(runs.count * 300) << 13, "in use")
  recorder.expect(isRefusal(arena.errorOfTaking(2000)), "more, again")
  // Tables that were mapped before the refusal may stay.
  let after = arena.statistics
  recorder.expectEqual(after.inUseBytes, full.inUseBytes, "in use after a refusal")
  recorder.expectEqual(after.readyBytes, full.readyBytes, "committed after a refusal")
  recorder.expectEqual(
    after.maybeResidentBytes, full.maybeResidentBytes, "resident after a refusal")
  recorder.expect(arena.brokenInvariant() == nil, "the invariants hold when full")
  for index in 0..<runs.count {
    recorder.expect(runs[index].isStamped(UInt64(index)), "run \(index) lost its contents")
    arena.give(runs[index], &recorder)
  }
  recorder.expect((try? arena.releaseFreeMemory()) != nil, "released")
  recorder.expectEqual(arena.statistics.maybeResidentBytes, 0, "resident")
  // What was granted once stays: as much can be had again.
  for index in 0..<runs.count {
    guard let run = arena.take(300, &recorder) else { return }
    run.stamp(1)
    runs[index] = run
  }
  for run in runs { arena.give(run, &recorder) }
  recorder.expect(arena.brokenInvariant() == nil, "the invariants hold at the end")
}

/// Whether an error says that the kernel granted no more memory.
private func isRefusal(_ error: PageArenaError?) -> Bool {
  guard case .system(let inner) = error else { return false }
  return inner.errno == .outOfMemory && (inner.call == .mprotect || inner.call == .mmap)
}

/// The number at the start of a file, or after a word in it.
private func number(in path: StaticString, after word: StaticString = "") -> UInt64? {
  var text = SmallText()
  guard LinuxFiles().read(SmallText(path), into: &text) else { return nil }
  for place in 0..<text.count where text.has(word, at: place) {
    var start = place + word.utf8CodeUnitCount
    while text[start] == UInt8(ascii: " ") { start += 1 }
    return text.number(at: start)
  }
  return nil
}
