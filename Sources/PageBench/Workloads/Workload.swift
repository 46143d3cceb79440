import PageAlloc

/// What is asked of a contender, over and over.
public enum Workload: Sendable {
  /// One allocate and one free of so many pages.
  case pair(pages: Int)
  /// The same by a handle of ours; rivals have none, and do a pair.
  case handle(pages: Int)
  /// The same by a run of ours that frees itself; rivals do a pair.
  case owner(pages: Int)
  /// One run, random among `live` ones, is freed and one of a random size takes its place.
  case churn(RunSizes, live: Int)
  /// `held` runs of a page are taken, all but a share of them is freed; then churn in that share.
  case occupancy(percent: Int, held: Int)
  /// `held` runs of a page are taken, every second one is freed; then a pair.
  case checkerboard(pages: Int, held: Int)
  /// A pair, with a write to each of the kernel's pages in between.
  case touch(pages: Int)
  /// Runs that are written to, in memory that was given back before: allocate, write, free, and a
  /// share of giving all back.
  case first(pages: Int)
  /// A pair of runs that read as zero, with a write to each of the kernel's pages in between.
  case zeroed(pages: Int)
  /// A pair at a multiple of so many bytes.
  case aligned(pages: Int, alignment: Int)
  /// As many threads, each with a churn of 1 ... 32 pages over so many runs of its own.
  case threads(Int, live: Int)
  /// One thread allocates a page, another frees it.
  case handover
  /// Churn of 1 ... 32 pages over `live` runs that are written to; what matters is resident memory.
  case memory(live: Int)
  /// A load of large runs that goes on as it is, and is written to: what matters is how much goes
  /// to the kernel and comes back.
  case steady(SteadyLoad)
}

/// Who is asked.
public enum Rival {
  /// Our arena, and what it asks of the kernel.
  case arena(HugePages)
  /// Raw `mmap` and `munmap`.
  case mmap
  /// `UnsafeMutableRawPointer.allocate`.
  case swift
  /// A C allocator.
  case functions(AllocatorFunctions)
  /// What is possible at all: memory, and next to nothing done for it.
  case floor
  /// Nobody: the cost of the loop.
  case nobody
}

/// Measures a workload on a rival. Call it in a process of its own, so that nobody inherits a heap.
public func measure(_ workload: Workload, on rival: Rival, _ effort: Effort) -> Figures {
  switch rival {
  case .arena(let hugePages):
    if case .handle(let pages) = workload { return measureHandle(pages, hugePages, effort) }
    if case .owner(let pages) = workload { return measureOwner(pages, hugePages, effort) }
    return ArenaContender(hugePages: hugePages).map { run(workload, $0, effort) } ?? .refused
  case .mmap: return run(workload, MmapContender(), effort)
  case .swift: return run(workload, SwiftContender(), effort)
  case .functions(let functions):
    return run(workload, FunctionContender(functions: functions), effort)
  case .floor:
    if case .handover = workload {
      return WrappingContender().map { run(workload, $0, effort) } ?? .refused
    }
    return FloorContender().map { run(workload, $0, effort) } ?? .refused
  case .nobody: return run(workload, NullContender(), effort)
  }
}

private func run<C: Contender>(
  _ workload: Workload, _ contender: C, _ effort: Effort
) -> Figures {
  switch workload {
  case .threads(let count, let live):
    return measureThreads(count, live: live, contender, effort)
  case .handover:
    return measureHandover(contender, effort)
  default:
    let bench = LoopBench(contender, effort)
    bench.run(workload)
    return bench.finish()
  }
}
