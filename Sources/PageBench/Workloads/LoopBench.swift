import CSysMem
import PageAlloc
import PageTrace
import SysMem

/// A run that is live; base 0 for a refusal.
struct LiveRun {
  var base: UInt
  var pages: Int
}

/// The workloads of one thread.
final class LoopBench<C: Contender> {
  private let contender: C
  private let effort: Effort
  private var sampler: Sampler
  private var result = Figures()
  private let physicalPageSize = UInt(csm_page_size())
  private let residentBefore: Double

  init(_ contender: C, _ effort: Effort) {
    self.contender = contender
    self.effort = effort
    sampler = Sampler(effort)
    residentBefore = Double(ResidentMemory.exact() ?? 0)
  }

  func run(_ workload: Workload) {
    switch workload {
    case .pair(let pages), .handle(let pages), .owner(let pages): pair(pages)
    case .touch(let pages): touch(pages)
    case .first(let pages): first(pages)
    case .zeroed(let pages): zeroed(pages)
    case .aligned(let pages, let alignment): aligned(pages, alignment)
    case .churn(let sizes, let live): churn(sizes, live: live, writes: false)
    case .memory(let live): churn(.upTo(32), live: live, writes: true)
    case .occupancy(let percent, let held): occupancy(percent, held)
    case .checkerboard(let pages, let held): checkerboard(pages, held)
    case .steady(let load): steady(load)
    case .threads, .handover: break
    }
  }

  /// The figures, with the contender's own.
  func finish() -> Figures {
    sampler.fill(&result)
    result.metadataBytes = contender.metadataBytes
    return result
  }

  /// Measures an operation, and counts what the system had to do with it.
  @inline(__always)
  private func measure(_ body: () -> Void) {
    let faults = effort.pageFaults?() ?? 0
    let calls = contender.systemCalls
    sampler.measure(body)
    if let count = effort.pageFaults { result.pageFaults = Double(count() - faults) }
    if calls >= 0 { result.systemCalls = contender.systemCalls - calls }
  }

  /// Performs an operation so often that the heap is what it will be from then on, for at most a
  /// fifth of a second; then measures it.
  ///
  /// Else the first to be measured would be those who have not yet touched their memory.
  @inline(__always)
  private func settle(operations: Int, _ body: () -> Void) {
    let start = Moment.now
    var left = operations
    while left > 0, Moment.now.elapsed(since: start) < 200_000_000 {
      for _ in 0..<64 { body() }
      left -= 64
    }
    measure(body)
  }

  private func resident() -> Double {
    Double(ResidentMemory.exact() ?? 0) - residentBefore
  }

  /// Writes a word to each of the kernel's pages of a run.
  @inline(__always)
  private func write(_ base: UInt, _ pages: Int) {
    var address = base
    let end = PageSpace(base: base).address(of: pages)
    while address < end {
      // Inside a run that was handed out.
      unsafe UnsafeMutablePointer<UInt>(bitPattern: address)?.pointee = address
      address &+= physicalPageSize
    }
  }
}

// MARK: - Pairs

extension LoopBench {
  private func pair(_ pages: Int) {
    var refusals = 0
    measure {
      let base = contender.allocate(pages)
      if base == 0 { refusals &+= 1 } else { contender.free(base, pages) }
    }
    result.refusals += Double(refusals)
  }

  private func touch(_ pages: Int) {
    var refusals = 0
    measure {
      let base = contender.allocate(pages)
      if base == 0 {
        refusals &+= 1
      } else {
        write(base, pages)
        contender.free(base, pages)
      }
    }
    result.refusals += Double(refusals)
  }

  /// Rounds of 16 MiB: runs are taken and written to, all are freed, and all memory goes back.
  private func first(_ pages: Int) {
    let count = max(1, Self.bytesOfRound / (pages * PageArena.pageSize))
    var bases = [UInt](repeating: 0, count: count)
    var refusals = 0
    let faults = effort.pageFaults?() ?? 0
    let calls = contender.systemCalls
    let start = Moment.now
    var rounds = 0
    while rounds < 3 || Moment.now.elapsed(since: start) < effort.nanoseconds {
      rounds += 1
      let begin = Moment.now
      for index in 0..<count {
        let base = contender.allocate(pages)
        if base == 0 { refusals &+= 1 } else { write(base, pages) }
        bases[index] = base
      }
      for base in bases where base != 0 { contender.free(base, pages) }
      contender.release()
      sampler.add(Moment.now.elapsed(since: begin), count)
    }
    if let now = effort.pageFaults { result.pageFaults = Double(now() - faults) }
    if calls >= 0 { result.systemCalls = contender.systemCalls - calls }
    result.refusals += Double(refusals)
  }

  private static var bytesOfRound: Int { 16 << 20 }

  private func zeroed(_ pages: Int) {
    var refusals = 0
    measure {
      let base = contender.allocateZeroed(pages)
      if base == 0 {
        refusals &+= 1
      } else {
        write(base, pages)
        contender.freeZeroed(base, pages)
      }
    }
    result.refusals += Double(refusals)
  }

  private func aligned(_ pages: Int, _ alignment: Int) {
    var refusals = 0
    measure {
      let base = contender.allocate(pages, alignment: alignment)
      if base == 0 { refusals &+= 1 } else { contender.free(base, pages) }
    }
    result.refusals += Double(refusals)
  }
}

// MARK: - Many live runs

extension LoopBench {
  private func churn(_ sizes: RunSizes, live count: Int, writes: Bool) {
    var random = Random()
    var refusals = 0
    var livePages = 0
    var live = [LiveRun](repeating: LiveRun(base: 0, pages: 0), count: count)
    for index in 0..<count {
      let pages = sizes.next(&random)
      let base = contender.allocate(pages)
      if base == 0 { refusals += 1 }
      if writes, base != 0 { write(base, pages) }
      live[index] = LiveRun(base: base, pages: pages)
      livePages += pages
    }
    var mostPages = livePages
    var peak = writes ? resident() : 0
    unsafe live.withUnsafeMutableBufferPointer { live in
      settle(operations: writes ? 0 : 8 * count) {
        let index = random.below(count)
        // Below the count of the buffer.
        let old = unsafe live[index]
        if old.base != 0 { contender.free(old.base, old.pages) }
        let pages = sizes.next(&random)
        let base = contender.allocate(pages)
        if base == 0 { refusals &+= 1 }
        if writes {
          if base != 0 { write(base, pages) }
          livePages &+= pages &- old.pages
          mostPages = max(mostPages, livePages)
        }
        unsafe live[index] = LiveRun(base: base, pages: pages)
      }
    }
    if writes { peak = max(peak, resident()) }
    for run in live where run.base != 0 { contender.free(run.base, run.pages) }
    if writes { noteMemory(peak: peak, livePages: mostPages) }
    result.refusals += Double(refusals)
  }

  private func steady(_ load: SteadyLoad) {
    var random = Random()
    var refusals = 0
    var round = 0
    var mostPages = 0
    var livePages = 0
    var live = [LiveRun](repeating: LiveRun(base: 0, pages: 0), count: load.liveCount)
    unsafe live.withUnsafeMutableBufferPointer { live in
      settle(operations: 4_096) {
        let (place, pages) = load.next(round, &random)
        round &+= 1
        // Below the count of the buffer.
        let old = unsafe live[place]
        if old.base != 0 { contender.free(old.base, old.pages) }
        let base = contender.allocate(pages)
        if base == 0 { refusals &+= 1 } else { write(base, pages) }
        livePages &+= pages &- old.pages
        mostPages = max(mostPages, livePages)
        unsafe live[place] = LiveRun(base: base, pages: pages)
      }
    }
    let peak = resident()
    for run in live where run.base != 0 { contender.free(run.base, run.pages) }
    noteMemory(peak: peak, livePages: mostPages)
    result.refusals += Double(refusals)
  }

  private func noteMemory(peak: Double, livePages: Int) {
    result.liveBytes = Double(livePages) * Double(PageArena.pageSize)
    result.residentPeak = peak
    result.residentFreed = resident()
    contender.release()
    result.residentReleased = resident()
  }

  /// Takes `held` pages one by one. `nil` where one is refused.
  private func hold(_ held: Int) -> [UInt]? {
    var bases = [UInt](repeating: 0, count: held)
    for index in 0..<held {
      bases[index] = contender.allocate(1)
      if bases[index] == 0 { return nil }
    }
    return bases
  }

  private func occupancy(_ percent: Int, _ held: Int) {
    guard var bases = hold(held) else { return result.refusals += 1 }
    var random = Random()
    for index in stride(from: held - 1, to: 0, by: -1) {
      bases.swapAt(index, random.below(index + 1))
    }
    let kept = held * percent / 100
    for index in kept..<held { contender.free(bases[index], 1) }
    var refusals = 0
    unsafe bases.withUnsafeMutableBufferPointer { bases in
      settle(operations: 8 * kept) {
        let index = random.below(kept)
        // Below the count of the buffer.
        unsafe contender.free(bases[index], 1)
        let base = contender.allocate(1)
        if base == 0 { refusals &+= 1 }
        unsafe bases[index] = base
      }
    }
    result.refusals += Double(refusals)
  }

  private func checkerboard(_ pages: Int, _ held: Int) {
    guard let bases = hold(held) else { return result.refusals += 1 }
    for index in stride(from: 0, to: held, by: 2) { contender.free(bases[index], 1) }
    pair(pages)
  }
}
