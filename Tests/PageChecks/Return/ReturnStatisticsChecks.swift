import PageAlloc
import PageTrace

/// Figures, huge pages, and how they are told.
package let returnStatisticsChecks: [Check] = [
  Check("statistics: JSON and text") { recorder in
    guard let arena = makeArena(&recorder, byteCount: 64 << 20),
      let run = arena.take(640, &recorder)
    else { return }
    run.stamp(1)
    arena.give(run.part(0, 128), &recorder)
    _ = try? arena.releaseFreeMemory()
    let json = arena.statistics.json
    for part in [
      "{\"reservedBytes\":67108864,", "\"inUseBytes\":4194304,", "\"freeResidentBytes\":0,",
      "\"returned\":{\"backgroundBytes\":0,\"requestedBytes\":1048576,",
      "\"backgroundShareMillionths\":0}}",
    ] {
      recorder.expect(contains(json, part), "\(part) in \(json)")
    }
    let text = arena.statistics.description
    for part in ["in use      4.0 MiB of 8.0 MiB committed", "1.0 MiB on request"] {
      recorder.expect(contains(text, part), "\(part) in \(text)")
    }
    recorder.expect(!contains(text, "offered"), "nothing was offered: \(text)")
    run.part(128, 256).stamp(1)
    arena.give(run.part(128, 256), &recorder)
    _ = try? arena.releaseFreeMemoryLazily()
    let offered = arena.statistics.description
    recorder.expect(contains(offered, "0.0 MiB refused, 2.0 MiB offered"), offered)
  },

  Check("statistics: what the kernel refuses to be offered is counted") { recorder in
    let calls = FakeCalls()
    guard let arena = makeArena(&recorder, calls: calls, byteCount: 64 << 20),
      let run = arena.take(256, &recorder)
    else { return }
    run.stamp(1)
    arena.give(run, &recorder)
    calls.refuse(.madvise)
    recorder.expect((try? arena.releaseFreeMemoryLazily()) == nil, "an error")
    recorder.expectEqual(arena.statistics.returned.refusedBytes, 256 * 8192, "refused")
    recorder.expectEqual(arena.statistics.returned.lazyBytes, 0, "offered")
    recorder.expectEqual(arena.statistics.freeResidentBytes, 256 * 8192, "free as before")
  },

  Check("system files: a real one is read, one that is not there is not") { recorder in
    var text = SmallText()
    recorder.expect(
      LinuxFiles().read(SmallText("/proc/self/statm"), into: &text), "/proc/self/statm")
    recorder.expect(text.number(at: 0) ?? 0 > 0, "it begins with the pages of address space")
    recorder.expect(!LinuxFiles().read(SmallText("/proc/self/none"), into: &text), "no such file")
    recorder.expect(!LinuxFiles().read(SmallText("/proc/self"), into: &text), "a directory")
    recorder.expectEqual(text.count, 0, "bytes of a file that could not be read")
  },

  Check("huge pages: collapse tells what the kernel refuses for good") { recorder in
    let calls = FakeCalls()
    guard let arena = makeArena(&recorder, calls: calls), let run = arena.take(1024, &recorder)
    else { return }
    run.stamp(1)
    calls.refuse(.madvise)
    recorder.expect((try? arena.collapse()) == nil, "an error")
    recorder.expect(run.isStamped(1), "contents")
  },

  Check("statistics: the parts add up at any moment, while others work") { recorder in
    guard let arena = makeArena(&recorder, scavenging: .background(cpuShare: 0.5)) else { return }
    let workers = [Churn(arena, seed: 1), Churn(arena, seed: 2), Churn(arena, seed: 3)]
    runThreads(workers) { worker in
      if worker.seed > 1 { return worker.churn() }
      for _ in 0..<20_000 {
        let s = worker.arena.statistics
        if s.inUseBytes + s.freeResidentBytes + s.scavengedBytes != s.readyBytes {
          worker.faults.add(1, ordering: .relaxed)
        }
      }
    }
    for worker in workers {
      recorder.expectEqual(worker.faults.load(ordering: .relaxed), 0, "faults")
    }
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("huge pages: the policy reaches the kernel, and a refusal only counts") { recorder in
    let calls = FakeCalls()
    var options = PageArena.Options(calls: calls)
    options.scavenging = .manual
    for policy: PageArena.HugePages in [.system, .automatic, .prefer, .avoid] {
      recorder.context = "policy \(policy.rawValue)"
      options.hugePages = policy
      calls.adviceCallCount.store(0, ordering: .relaxed)
      guard let arena = makeArena(&recorder, options), arena.take(1, &recorder) != nil
      else { return }
      recorder.expectEqual(
        calls.adviceCallCount.load(ordering: .relaxed),
        policy == .system || policy == .automatic ? 0 : 1, "advice")
      // Beyond the first 8 MiB, where a small program ends.
      _ = arena.take(1024, &recorder)
      calls.refuse(.madvise)
      _ = arena.take(1024, &recorder)
      recorder.expectEqual(
        arena.statistics.returned.refusedAdvice, policy == .system ? 0 : 1, "refused advice")
      calls.failNoMore()
    }
  },

  Check("huge pages: collapse gathers what is in use, and the figure shows it") { recorder in
    guard let arena = makeArena(&recorder, caching: false), let run = arena.take(1024, &recorder)
    else { return }
    run.stamp(5)
    recorder.expectEqual(arena.hugePageBytes() ?? 0, 0, "before")
    do throws(PageArenaError) {
      let gathered = try arena.collapse()
      // The kernel may have none to give; what it says it gave must be there.
      let backed = arena.hugePageBytes()
      recorder.expect(
        backed == nil || UInt.bitWidth == 32 || Int(backed ?? 0) >= gathered,
        "\(gathered) gathered, \(backed ?? 0) backed")
      recorder.expect(gathered <= 8 << 20, "gathered")
    } catch {
      switch error {
      // A kernel without the call.
      case .system(let inner): recorder.expect(inner.errno == .invalidArgument, inner.description)
      default: recorder.fail(error.description)
      }
    }
    recorder.expect(run.isStamped(5), "contents")
    // Free units are not gathered.
    arena.give(run, &recorder)
    _ = try? arena.releaseFreeMemory()
    recorder.expectEqual((try? arena.collapse()) ?? 0, 0, "nothing is in use")
    recorder.expectEqual(run.residentBytes, 0, "resident")
  },
]

/// Whether a part is in a text. `==` on strings needs the tables of Unicode.
func contains(_ text: String, _ part: String) -> Bool {
  let bytes = Array(text.utf8)
  let wanted = Array(part.utf8)
  guard bytes.count >= wanted.count else { return false }
  for start in 0...(bytes.count - wanted.count)
  where bytes[start..<(start + wanted.count)].elementsEqual(wanted) {
    return true
  }
  return false
}
