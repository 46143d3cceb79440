import PageAlloc

/// Random operations on a heap without an arena, beside a flag a page.
package let heapModelChecks: [Check] = [
  Check("heap: random runs, with caches") { recorder in
    for seed in 1...4 { runModel(seed: seed, caches: 3, &recorder) }
  },
  Check("heap: random runs, with little in caches") { recorder in
    for seed in 11...13 { runModel(seed: seed, caches: 2, limit: 40, &recorder) }
  },
  Check("heap: random runs, without caches") { recorder in
    for seed in 21...23 { runModel(seed: seed, caches: 0, &recorder) }
  },
  Check("heap: random runs, with huge pages") { recorder in
    for seed in 31...33 { runModel(seed: seed, caches: 2, hugePageSize: 2 << 20, &recorder) }
  },
  Check("heap: random runs, with physical pages of 64 KiB") { recorder in
    for seed in 41...43 { runModel(seed: seed, caches: 2, physicalPageSize: 65536, &recorder) }
  },
]

private func runModel(
  seed: Int, caches: Int, limit: Int = 1024, physicalPageSize: Int = 4096, hugePageSize: Int = 0,
  _ recorder: inout Recorder
) {
  if !recorder.isGood { return }
  let pages = KernelPages(physicalPageSize: physicalPageSize, hugePageSize: hugePageSize)
  guard let subject = makeHeap(&recorder, kernelPages: pages) else { return }
  var run = HeapModelRun(subject, seed: seed, caches: caches, limit: limit)
  run.run(steps: 3000, &recorder)
  // With the caches, which the heap does not own.
  withExtendedLifetime(run) {}
}
