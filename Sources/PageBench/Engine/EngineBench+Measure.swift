import CSysMem
import PageAlloc

extension EngineBench {
  /// Measures it. One operation is what the measurements of the Go runtime call one.
  ///
  /// `least` is the mean of all, as there: operations of a churn differ, and a batch of cheap ones
  /// tells nothing.
  public func measure(_ effort: Effort) -> Figures {
    var quiet = effort
    quiet.singleOperations = 0
    var result = Figures()
    var sampler = Sampler(quiet)
    guard let heap = EngineHeap() else {
      result.refusals = 1
      return result
    }
    run(heap, &sampler, effort)
    sampler.fill(&result)
    result.least = sampler.mean
    return result
  }

  private func run(_ heap: EngineHeap, _ sampler: inout Sampler, _ effort: Effort) {
    switch operation {
    case .pair(let pages): pair(pages, heap, &sampler)
    case .churn(let sizes, let percent): churn(sizes, percent, heap, &sampler)
    case .cacheAllocate(let pages): cacheAllocate(pages, &sampler)
    case .allocateToCache(let isChecker): allocateToCache(isChecker, heap, &sampler, effort)
    case .cacheFlush: cacheFlush(heap, &sampler, effort)
    case .checkerFill: checkerFill(heap, &sampler, effort)
    case .checkerRefuse(let pages): checkerRefuse(pages, heap, &sampler)
    case .checkerLastFind(let pages): checkerLastFind(pages, heap, &sampler)
    case .checkerLastPair(let pages):
      heap.makeCheckerboard(gapAtEnd: pages)
      pair(pages, heap, &sampler)
    case .fullButLastPage: fullButLastPage(heap, &sampler)
    case .scavenge: scavenge(heap, &sampler, effort)
    case .summarize(let word): summarize(word, &sampler)
    case .runInWord(let word, let length): runInWord(word, length, &sampler, effort)
    }
  }

  private func pair(_ pages: Int, _ heap: EngineHeap, _ sampler: inout Sampler) {
    heap.withEngine { engine in
      sampler.measure {
        if let run = engine.allocate(pages) { engine.free(run.page, pages) }
      }
    }
  }

  /// One free of a random run, then allocations until the heap is as full as before, or refuses.
  private func churn(
    _ sizes: RunSizes, _ percent: Int, _ heap: EngineHeap, _ sampler: inout Sampler
  ) {
    var churn = EngineChurn(sizes: sizes, percent: percent)
    heap.withEngine { engine in
      // Fill, and let the fill settle.
      for _ in 0..<50_000 { churn.step(&engine) }
      sampler.measure { churn.step(&engine) }
    }
  }

  private func cacheAllocate(_ pages: Int, _ sampler: inout Sampler) {
    let full = PageBlock(base: 64, free: ~0, scavenged: 0)
    var cache = full
    var sum = 0
    sampler.measure {
      if let run = cache.allocate(pages) {
        sum &+= run.page
      } else {
        cache = full
        if let run = cache.allocate(pages) { sum &+= run.page }
      }
    }
    use(sum)
  }

  private func checkerRefuse(_ pages: Int, _ heap: EngineHeap, _ sampler: inout Sampler) {
    heap.makeCheckerboard()
    var found = 0
    heap.withEngine { engine in
      sampler.measure { if engine.allocate(pages) != nil { found &+= 1 } }
    }
    use(found)
  }

  private func checkerLastFind(_ pages: Int, _ heap: EngineHeap, _ sampler: inout Sampler) {
    heap.makeCheckerboard(gapAtEnd: pages)
    find(pages, heap, &sampler)
  }

  private func fullButLastPage(_ heap: EngineHeap, _ sampler: inout Sampler) {
    heap.withEngine { engine in
      _ = engine.allocate(EngineHeap.pageCount)
      engine.free(EngineHeap.firstPage + EngineHeap.pageCount - 1, 1)
      // A free lowers the search address, and a page that is taken again does not raise it: at the
      // bottom.
      engine.free(EngineHeap.firstPage, 1)
      _ = engine.allocateRange(EngineHeap.firstPage, 1)
    }
    find(1, heap, &sampler)
  }

  private func find(_ pages: Int, _ heap: EngineHeap, _ sampler: inout Sampler) {
    var sum = 0
    heap.withEngine { engine in
      sampler.measure { if let run = engine.find(pages) { sum &+= run.page } }
    }
    use(sum)
  }

  private func summarize(_ word: UInt64, _ sampler: inout Sampler) {
    withChunk(of: word) { bits in
      var sum: UInt64 = 0
      sampler.measure { sum &+= bits.summarize().packed }
      use(Int(truncatingIfNeeded: sum))
    }
  }
}
