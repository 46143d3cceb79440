import PageAlloc

/// A heap that is kept at a fill: a step frees a random run and allocates until it is as full
/// again.
struct EngineChurn {
  private let sizes: RunSizes
  private let goal: Int
  private var random = Random()
  private var live: [(page: Int, pages: Int)] = []
  /// Pages in use.
  private(set) var used = 0

  init(sizes: RunSizes, percent: Int) {
    self.sizes = sizes
    goal = EngineHeap.pageCount * percent / 100
    live.reserveCapacity(EngineHeap.pageCount)
  }

  /// The first step fills the heap. A refused size ends a step.
  @inline(__always)
  mutating func step(_ engine: inout PageAllocator) {
    if !live.isEmpty {
      let index = random.below(live.count)
      live.swapAt(index, live.count - 1)
      let run = live.removeLast()
      engine.free(run.page, run.pages)
      used -= run.pages
    }
    while used < goal {
      let pages = sizes.next(&random)
      guard let run = engine.allocate(pages) else { return }
      live.append((run.page, pages))
      used += pages
    }
  }
}
