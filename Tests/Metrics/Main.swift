// Checks PageAllocMetrics, which exists only with the trait `Metrics`:
//
//     swift run --traits Metrics metricscheck

#if Metrics
  import MetricsTestKit
  import PageAlloc
  import PageAllocMetrics
  import PageChecks

  @main
  struct MetricsCheck {
    static func main() {
      var (passed, failed) = (0, 0)
      for check in metricsChecks {
        print("  \(check.name)")
        let failures = check.run()
        for failure in failures { print("  FAILED: \(failure)") }
        if failures.isEmpty { passed += 1 } else { failed += 1 }
      }
      print("\(passed) passed, \(failed) failed")
      if failed > 0 { fatalError("not all passed") }
    }
  }

  private let metricsChecks: [Check] = [
    Check("metrics: what an arena's figures say, each under its name") { recorder in
      let test = TestMetrics()
      let metrics = ArenaMetrics(factory: test)
      guard let arena = try? PageArena(reserving: 64 << 20, scavenging: .manual, label: "cache"),
        let number = PageArena.all.first(where: { $0.label == "cache" })?.number,
        let run = arena.take(5, &recorder)
      else { return recorder.fail("no arena") }
      let dimensions = [("label", "cache"), ("number", "\(number)")]
      metrics.record()
      for figure in arena.statistics.figures {
        let label = "pagealloc.\(figure.name)"
        switch figure.kind {
        case .counter:
          let counters = test.counters(label: label, dimensions: dimensions)
          recorder.expectEqual(counters.count, 1, "counters \(label)")
          recorder.expectEqual(
            test.counterTotal(label: label, dimensions: dimensions), Int64(figure.value), label)
        case .gauge:
          let meters = test.meters(label: label, dimensions: dimensions)
          recorder.expectEqual(meters.count, 1, "meters \(label)")
          recorder.expect(
            meters.first?.lastValue == Double(figure.value),
            "\(label): \(meters.first?.lastValue ?? -1)")
        }
      }
      arena.give(run, &recorder)
    },

    Check("metrics: counters are told what is new, and meters what is now") { recorder in
      let test = TestMetrics()
      let metrics = ArenaMetrics(prefix: "memory", factory: test)
      guard let arena = try? PageArena(reserving: 64 << 20, scavenging: .manual) else {
        return recorder.fail("no arena")
      }
      for _ in 0..<3 {
        for _ in 0..<10 { if let run = arena.take(2, &recorder) { arena.give(run, &recorder) } }
        metrics.record()
        metrics.record()
      }
      recorder.expectEqual(test.counterTotal(label: "memory.allocations"), 30, "allocations")
      recorder.expectEqual(test.counterTotal(label: "memory.frees"), 30, "frees")
      let inUse = test.meters(label: "memory.inUseBytes").first
      recorder.expect(inUse?.lastValue == 0, "in use: \(inUse?.lastValue ?? -1)")
      recorder.expectEqual(inUse?.values.count ?? 0, 6, "readings")
    },

    Check("metrics: those of an arena that has ended go, and arenas of one label stay apart") {
      recorder in
      let test = TestMetrics()
      let metrics = ArenaMetrics(factory: test)
      let kept = try? PageArena(reserving: 64 << 20, scavenging: .manual, label: "twin")
      var other = try? PageArena(reserving: 64 << 20, scavenging: .manual, label: "twin")
      guard kept != nil, other != nil else { return recorder.fail("no arenas") }
      metrics.record()
      recorder.expectEqual(test.meters(label: "pagealloc.readyBytes").count, 2, "meters")
      other = nil
      metrics.record()
      recorder.expectEqual(test.meters(label: "pagealloc.readyBytes").count, 1, "meters")
      recorder.expectEqual(test.counters(label: "pagealloc.frees").count, 1, "counters")
      recorder.expect(other == nil && kept != nil, "the other has ended")
    },

    Check("metrics: told by four threads at once, nothing is counted twice") { recorder in
      let test = TestMetrics()
      let metrics = ArenaMetrics(factory: test)
      guard let arena = try? PageArena(reserving: 64 << 20, scavenging: .manual) else {
        return recorder.fail("no arena")
      }
      for _ in 0..<100 { if let run = arena.take(1, &recorder) { arena.give(run, &recorder) } }
      runThreads([metrics, metrics, metrics, metrics], meanwhile: {}) { metrics in
        for _ in 0..<50 { metrics.record() }
      }
      recorder.expectEqual(test.counterTotal(label: "pagealloc.allocations"), 100, "allocations")
    },
  ]
#else
  @main
  struct MetricsCheck {
    static func main() { print("built without the trait Metrics: there is nothing to check") }
  }
#endif
