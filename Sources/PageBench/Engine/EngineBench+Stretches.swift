import PageAlloc
import SysMem

// Operations of which a stretch is timed: most use the heap up, which is then made ready again, off
// the clock.
extension EngineBench {
  func allocateToCache(
    _ isChecker: Bool, _ heap: EngineHeap, _ sampler: inout Sampler, _ effort: Effort
  ) {
    if isChecker { heap.makeCheckerboard() }
    var caches = [PageBlock](repeating: PageBlock(), count: Self.stretch)
    heap.withEngine { engine in
      stretches(&sampler, effort, Self.stretch) {
        for index in 0..<Self.stretch { caches[index] = engine.allocateBlock() }
      } restore: {
        for index in 0..<Self.stretch { engine.flush(&caches[index]) }
      }
    }
  }

  func cacheFlush(_ heap: EngineHeap, _ sampler: inout Sampler, _ effort: Effort) {
    var caches = [PageBlock](repeating: PageBlock(), count: Self.stretch)
    heap.withEngine { engine in
      for index in 0..<Self.stretch { caches[index] = engine.allocateBlock() }
      stretches(&sampler, effort, Self.stretch) {
        for index in 0..<Self.stretch { engine.flush(&caches[index]) }
      } restore: {
        for index in 0..<Self.stretch { caches[index] = engine.allocateBlock() }
      }
    }
  }

  func checkerFill(_ heap: EngineHeap, _ sampler: inout Sampler, _ effort: Effort) {
    heap.makeCheckerboard()
    heap.withEngine { engine in
      let count = 4 * Self.stretch
      stretches(&sampler, effort, count) {
        for _ in 0..<count { _ = engine.allocate(1) }
      } restore: {
        for index in 0..<count { engine.free(EngineHeap.firstPage + 1 + 2 * index, 1) }
      }
    }
  }

  func scavenge(_ heap: EngineHeap, _ sampler: inout Sampler, _ effort: Effort) {
    let count = 4 * Self.stretch
    let pages = 512 * 64
    heap.withEngine { engine in
      // Used once and free again: all of it can be given back.
      func dirty(_ engine: inout PageAllocator) {
        if let run = engine.allocate(EngineHeap.pageCount) {
          engine.free(run.page, EngineHeap.pageCount)
        }
      }
      dirty(&engine)
      assert(count * 8 <= pages)
      stretches(&sampler, effort, count) {
        for _ in 0..<count { _ = engine.scavenge(64 << 10, .force) }
      } restore: {
        dirty(&engine)
      }
    }
  }

  /// So cheap that a batch would be the clock's edges for a good part.
  func runInWord(_ word: UInt64, _ length: Int, _ sampler: inout Sampler, _ effort: Effort) {
    let count = 32 * Self.stretch
    var sum = 0
    // The words are there while they are looked at.
    unsafe withWords(of: word) { words in
      stretches(&sampler, effort, count) {
        var places = 0
        for _ in 0..<(count / 8) {
          // Words of memory, so that nothing can be computed once and for all. Eight, as a literal:
          // to another module the constant of the geometry is a variable.
          for index in 0..<8 {
            if let first = unsafe firstRun(of: length, in: words[index]) { places &+= first }
          }
        }
        sum &+= places
      } restore: {
      }
    }
    use(sum)
  }

  private static let stretch = 128

  @inline(__always)
  private func stretches(
    _ sampler: inout Sampler, _ effort: Effort, _ count: Int, _ body: () -> Void,
    restore: () -> Void
  ) {
    body()
    restore()
    let first = Moment.now
    while Moment.now.elapsed(since: first) < effort.nanoseconds {
      let start = Moment.now
      body()
      sampler.add(Moment.now.elapsed(since: start), count)
      restore()
    }
  }
}
