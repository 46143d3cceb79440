import PageAlloc

/// The allocator beside the naive one, for each kind of kernel page.
package let allocatorModelChecks: [Check] = [
  Check("allocator: random steps agree with the naive one, pages of 4 KiB") {
    run(&$0, physicalPageSize: 4096, hugePageSize: 0)
  },
  Check("allocator: random steps agree with the naive one, huge pages of 2 MiB") {
    run(&$0, physicalPageSize: 4096, hugePageSize: 2 << 20)
  },
  Check("allocator: random steps agree with the naive one, pages of 16 KiB") {
    run(&$0, physicalPageSize: 16 << 10, hugePageSize: 1 << 20)
  },
  Check("allocator: random steps agree with the naive one, pages of 64 KiB") {
    run(&$0, physicalPageSize: 64 << 10, hugePageSize: 4 << 20)
  },
  Check("allocator: random steps agree with the naive one, pages of 512 KiB") {
    run(&$0, physicalPageSize: 512 << 10, hugePageSize: 0)
  },
]

/// Three seeds: a heap that stays small and full, a middling one, and one with room.
private func run(_ recorder: inout Recorder, physicalPageSize: Int, hugePageSize: Int) {
  let rows = [(0, 2, 2000), (1, 8, 2500), (2, 24, 1500)]
  for (seed, chunkLimit, steps) in rows {
    guard
      var run = AllocatorModelRun(
        seed: seed, physicalPageSize: physicalPageSize, hugePageSize: hugePageSize,
        chunkLimit: chunkLimit, &recorder)
    else { return }
    run.run(steps: steps, &recorder)
    if !recorder.isGood { return }
  }
}
