import PageAlloc

/// A long random workload that is generated step by step, the same everywhere.
struct Workload {
  /// What the result of an `at` line looks like.
  static let form = ResultForm(
    "h=w live=n alloc=w scav=w tree=w index=w search=p start=n end=n free=n scavenged=n")

  private let parameters: WorkloadParameters
  private let engine: StandaloneAllocator
  private var random: RandomNumbers
  private var digest = StateDigest()
  private var live: [(page: PageNumber, count: Int)] = []
  private var slots = [PageBlock](repeating: PageBlock(), count: 4)

  init(_ parameters: WorkloadParameters, engine: StandaloneAllocator) {
    self.parameters = parameters
    self.engine = engine
    random = RandomNumbers(state: parameters.seed)
    engine.allocator.grow(parameters.chunks)
  }

  /// Does one step.
  mutating func step() {
    switch random.number(below: 1000) {
    case ..<470: allocate()
    case ..<900: drop()
    case ..<930: takeFromCache()
    case ..<940: flushCache()
    case ..<990: scavenge()
    case ..<992: engine.allocator.nextGeneration()
    default: freePart()
    }
  }

  /// Writes the result of an `at` line.
  func writeState(to text: inout AsciiText) {
    text.append("h=")
    text.append(word: digest.value)
    text.append(" live=")
    text.append(live.count)
    text.append(" ")
    StateCheck(of: engine.allocator).write(to: &text, engine.allocator)
  }

  private mutating func allocate() {
    let log = random.number(below: parameters.largestLog + 1)
    let pageCount = 1 + random.number(below: 1 << log)
    if let run = engine.allocator.allocate(pageCount) {
      note(run.page, pageCount, scavengedPages: run.scavengedPages)
    } else {
      digest.mix(UInt64.max)
      drop()
    }
  }

  /// Frees one entry of the list, if there is one.
  private mutating func drop() {
    guard !live.isEmpty else { return }
    let index = random.number(below: live.count)
    let run = live[index]
    live[index] = live[live.count - 1]
    live.removeLast()
    engine.allocator.free(run.page, run.count)
  }

  private mutating func takeFromCache() {
    let slot = random.number(below: slots.count)
    let pageCount = 1 + random.number(below: 8)
    if slots[slot].isEmpty {
      let cache = engine.allocator.allocateBlock()
      slots[slot] = cache
      if cache.isEmpty {
        digest.mix(UInt64.max)
      } else {
        digest.mix(UInt64(cache.base))
        digest.mix(cache.free)
        digest.mix(cache.scavenged)
      }
    }
    if let run = slots[slot].allocate(pageCount) {
      note(run.page, pageCount, scavengedPages: run.scavengedPages)
    } else {
      digest.mix(UInt64.max)
    }
  }

  private mutating func flushCache() {
    let slot = random.number(below: slots.count)
    engine.allocator.flush(&slots[slot])
    slots[slot] = PageBlock()
  }

  private mutating func scavenge() {
    let byteCount: UInt64 = PageSpace.byteCount(of: 1 + random.number(below: 64))
    let mode = random.number(below: 4) == 0 ? ScavengeMode.force : .background
    digest.mix(engine.allocator.scavenge(byteCount, mode))
  }

  /// Frees the upper part of one entry of the list, if it has more than a page.
  private mutating func freePart() {
    guard !live.isEmpty else { return }
    let index = random.number(below: live.count)
    let run = live[index]
    guard run.count > 1 else { return }
    let kept = 1 + random.number(below: run.count - 1)
    engine.allocator.free(run.page + kept, run.count - kept)
    live[index].count = kept
  }

  private mutating func note(_ page: PageNumber, _ pageCount: Int, scavengedPages: Int) {
    digest.mix(UInt64(page))
    digest.mix(PageSpace.byteCount(of: scavengedPages))
    live.append((page, pageCount))
  }
}

/// SplitMix64: the generator of random numbers that the file format names.
private struct RandomNumbers {
  private var state: UInt64

  init(state: UInt64) {
    self.state = state
  }

  /// A number from 0 to `limit` - 1.
  mutating func number(below limit: Int) -> Int {
    Int(next() % UInt64(limit))
  }

  private mutating func next() -> UInt64 {
    // All arithmetic is modulo 2^64, by definition of the generator.
    state = state &+ 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
