import PageAlloc

/// Hot operations without a clock, for counting their instructions.
public struct HotPath {
  /// `pair/16`, for example.
  public let name: StaticString
  let operation: Operation

  enum Operation {
    case arenaPair(Int)
    case arenaChurn
    case arenaAligned(Int, alignment: Int)
    case slabPair(byteCount: Int)
    case slabChurn(byteCount: Int)
    case enginePair(Int)
    case engineChurn(percent: Int)
    case engineCache
    case engineFind
    case engineRefuse
    case cacheAllocate
    case summarize(UInt64)
    case runInWord
  }

  /// All of them.
  public static var all: [HotPath] {
    [
      HotPath(name: "pair/1", operation: .arenaPair(1)),
      HotPath(name: "pair/16", operation: .arenaPair(16)),
      HotPath(name: "pair/64", operation: .arenaPair(64)),
      HotPath(name: "pair/512", operation: .arenaPair(512)),
      HotPath(name: "pair/2048", operation: .arenaPair(2_048)),
      HotPath(name: "churn/1..32", operation: .arenaChurn),
      HotPath(name: "aligned/1@64K", operation: .arenaAligned(1, alignment: 1 << 16)),
      HotPath(name: "aligned/16@64K", operation: .arenaAligned(16, alignment: 1 << 16)),
      HotPath(name: "aligned/512@2048K", operation: .arenaAligned(512, alignment: 1 << 21)),
      HotPath(name: "frame-pair/1024", operation: .slabPair(byteCount: 1024)),
      HotPath(name: "frame-churn/1024", operation: .slabChurn(byteCount: 1024)),
      HotPath(name: "engine/pair/1", operation: .enginePair(1)),
      HotPath(name: "engine/pair/64", operation: .enginePair(64)),
      HotPath(name: "engine/pair/512", operation: .enginePair(512)),
      HotPath(name: "engine/pair/2048", operation: .enginePair(2_048)),
      HotPath(name: "engine/churn50/log1-64", operation: .engineChurn(percent: 50)),
      HotPath(name: "engine/churn95/log1-64", operation: .engineChurn(percent: 95)),
      HotPath(name: "engine/cache-and-flush", operation: .engineCache),
      HotPath(name: "engine/find-last/64", operation: .engineFind),
      HotPath(name: "engine/refuse/2", operation: .engineRefuse),
      HotPath(name: "engine/page-cache/1", operation: .cacheAllocate),
      HotPath(name: "engine/summarize/0xAA..", operation: .summarize(0xAAAA_AAAA_AAAA_AAAA)),
      HotPath(
        name: "engine/summarize/mixed", operation: .summarize(0x1000_4040_44CC_AAFF)),
      HotPath(name: "engine/run-in-word/8", operation: .runInWord),
    ]
  }

  /// Performs it so many times. Whatever comes before is the same for every number.
  ///
  /// - Returns: a number that depends on all that was done; `nil` where the kernel refused memory.
  public func run(iterations: Int) -> Int? {
    switch operation {
    case .arenaPair(let pages): return pair(pages, iterations)
    case .arenaAligned(let pages, let alignment): return pair(pages, alignment, iterations)
    case .arenaChurn: return churn(iterations)
    case .slabPair(let byteCount): return pairOfFrames(byteCount, iterations)
    case .slabChurn(let byteCount): return churnOfFrames(byteCount, iterations)
    case .cacheAllocate: return allocateFromCache(iterations)
    case .summarize(let word): return summarize(word, iterations)
    case .runInWord: return findInWord(iterations)
    default: return runOnEngine(iterations)
    }
  }
}

extension HotPath {
  private func pair(_ pages: Int, _ iterations: Int) -> Int? {
    guard let arena = ArenaContender(isTimeless: true) else { return nil }
    var sum = 0
    for _ in 0..<iterations {
      let base = arena.allocate(pages)
      arena.free(base, pages)
      sum &+= Int(truncatingIfNeeded: base)
    }
    return sum
  }

  private func pair(_ pages: Int, _ alignment: Int, _ iterations: Int) -> Int? {
    guard let arena = ArenaContender(isTimeless: true) else { return nil }
    var sum = 0
    for _ in 0..<iterations {
      let base = arena.allocate(pages, alignment: alignment)
      arena.free(base, pages)
      sum &+= Int(truncatingIfNeeded: base)
    }
    return sum
  }

  private func churn(_ iterations: Int) -> Int? {
    guard let arena = ArenaContender(isTimeless: true) else { return nil }
    var random = Random()
    var live = [(base: UInt, pages: Int)](repeating: (0, 0), count: 256)
    for index in live.indices {
      let pages = 1 + random.below(32)
      live[index] = (arena.allocate(pages), pages)
    }
    for _ in 0..<iterations {
      let index = random.below(256)
      arena.free(live[index].base, live[index].pages)
      let pages = 1 + random.below(32)
      live[index] = (arena.allocate(pages), pages)
    }
    return Int(truncatingIfNeeded: live[0].base)
  }

  private func pairOfFrames(_ byteCount: Int, _ iterations: Int) -> Int? {
    guard let slab = SlabContender(byteCount) else { return nil }
    var sum = 0
    for _ in 0..<iterations {
      let frame = slab.allocate()
      slab.free(frame)
      sum &+= Int(truncatingIfNeeded: frame)
    }
    return sum
  }

  private func churnOfFrames(_ byteCount: Int, _ iterations: Int) -> Int? {
    guard let slab = SlabContender(byteCount) else { return nil }
    var random = Random()
    var live = [UInt](repeating: 0, count: 256)
    for index in live.indices { live[index] = slab.allocate() }
    for _ in 0..<iterations {
      let index = random.below(256)
      slab.free(live[index])
      live[index] = slab.allocate()
    }
    return Int(truncatingIfNeeded: live[0])
  }

  private func runOnEngine(_ iterations: Int) -> Int? {
    guard let heap = EngineHeap() else { return nil }
    var sum = 0
    switch operation {
    case .enginePair(let pages):
      heap.withEngine { engine in
        for _ in 0..<iterations {
          guard let run = engine.allocate(pages) else { continue }
          engine.free(run.page, pages)
          sum &+= run.page
        }
      }
    case .engineChurn(let percent):
      var churn = EngineChurn(sizes: .logarithmic(6), percent: percent)
      heap.withEngine { engine in
        for _ in 0..<(20_000 + iterations) { churn.step(&engine) }
      }
      sum = churn.used
    case .engineCache:
      heap.withEngine { engine in
        for _ in 0..<iterations {
          var cache = engine.allocateBlock()
          sum &+= cache.base
          engine.flush(&cache)
        }
      }
    case .engineFind:
      heap.makeCheckerboard(gapAtEnd: 64)
      heap.withEngine { engine in
        for _ in 0..<iterations { if let run = engine.find(64) { sum &+= run.page } }
      }
    default:
      heap.makeCheckerboard()
      heap.withEngine { engine in
        for _ in 0..<iterations where engine.allocate(2) != nil { sum &+= 1 }
      }
    }
    return sum
  }

  private func allocateFromCache(_ iterations: Int) -> Int {
    let full = PageBlock(base: 64, free: ~0, scavenged: 0)
    var cache = full
    var sum = 0
    for _ in 0..<iterations {
      if cache.isEmpty { cache = full }
      if let run = cache.allocate(1) { sum &+= run.page }
    }
    return sum
  }

  private func summarize(_ word: UInt64, _ iterations: Int) -> Int {
    var sum: UInt64 = 0
    withChunk(of: word) { bits in
      for _ in 0..<iterations { sum &+= bits.summarize().packed }
    }
    return Int(truncatingIfNeeded: sum)
  }

  private func findInWord(_ iterations: Int) -> Int {
    var sum = 0
    // The words are there while they are looked at.
    unsafe withWords(of: 0x8000_0000_BBBB_BBBB) { words in
      for index in 0..<iterations {
        // There are eight.
        if let first = unsafe firstRun(of: 8, in: words[index & 7]) { sum &+= first }
      }
    }
    return sum
  }
}
