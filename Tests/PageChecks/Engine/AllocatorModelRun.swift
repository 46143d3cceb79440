import PageAlloc

/// Random operations on an allocator and on the naive one, which must agree at each step.
struct AllocatorModelRun {
  private let subject: StandaloneAllocator
  private var model = NaiveAllocator()
  private var random: SplitMix64
  private let chunkLimit: Int
  private var grownChunks = 0
  /// What was handed out and not given back.
  private var live: [Range<Int>] = []
  private var caches = [PageBlock](repeating: PageBlock(), count: 4)
  private var naiveCaches = [NaiveCache](repeating: NaiveCache(), count: 4)

  /// Places at the edges of the tree's blocks, with gaps between them.
  private static let homes = [1, 6, 60, 508, 900, 1016]

  /// A run with nothing grown yet; `nil`, recorded, where there is no memory for it.
  init?(
    seed: Int, physicalPageSize: Int, hugePageSize: Int, chunkLimit: Int,
    _ recorder: inout Recorder
  ) {
    recorder.context = "seed \(seed), physical \(physicalPageSize), huge \(hugePageSize)"
    guard
      let subject = makeAllocator(
        physicalPageSize: physicalPageSize, hugePageSize: hugePageSize, &recorder)
    else { return nil }
    self.subject = subject
    random = SplitMix64(seed: UInt64(seed))
    model.physicalPageSize = physicalPageSize
    model.hugePageSize = hugePageSize
    self.chunkLimit = chunkLimit
  }

  /// Runs so many steps, comparing everything now and then; stops at the first difference.
  mutating func run(steps: Int, _ recorder: inout Recorder) {
    grow()
    for number in 0..<steps {
      let name = step(number, &recorder)
      recorder.expectEqual(
        subject.allocator.summaries.longestRun > 0 ? 1 : 0, model.firstFit(1) == nil ? 0 : 1,
        "step \(number), \(name): whether anything is free")
      if number % 150 == 149 || number == steps - 1 || !recorder.isGood {
        compareAll("step \(number), \(name)", &recorder)
      }
      if !recorder.isGood { return }
    }
  }

  private mutating func step(_ number: Int, _ recorder: inout Recorder) -> StaticString {
    switch random.below(100) {
    case 0..<36: allocate(number, &recorder); return "allocate"
    case 36..<62: free(); return "free"
    case 62..<74: useCache(number, &recorder); return "cache"
    case 74..<77: flush(random.below(4), number, &recorder); return "flush"
    case 77..<85: scavenge(number, &recorder); return "scavenge"
    case 85..<88: detach(number, &recorder); return "detach"
    case 88: nextGeneration(); return "next generation"
    case 89..<92: align(number, &recorder); return "align"
    case 92..<97: look(number, &recorder); return "look"
    default: if random.below(3) == 0 { grow() }; return "grow"
    }
  }
}

// MARK: - Runs

extension AllocatorModelRun {
  private mutating func grow() {
    if grownChunks >= chunkLimit { return }
    let home = Self.homes[random.below(Self.homes.count)]
    let first = home + random.below(7)
    let end = first + 1 + random.below(3)
    if end > Geometry.growableChunks.upperBound { return }
    for chunk in first..<end where model.grown[chunk] { return }
    grownChunks += end - first
    model.grow(first..<end)
    subject.allocator.grow(first..<end)
    if random.below(4) == 0 {
      let count = 1 + random.below(100)
      model.pad(first * 512, count)
      subject.allocator.pad(first * 512, count)
    }
  }

  private mutating func allocate(_ number: Int, _ recorder: inout Recorder) {
    let count = random.below(20) == 0 ? 1 + random.below(2000) : random.logarithmic(8)
    let looked = subject.allocator.find(count)
    let taken = subject.allocator.allocate(count)
    guard let page = model.firstFit(count) else {
      recorder.expect(looked == nil && taken == nil, "step \(number): no room for \(count)")
      free()
      grow()
      return
    }
    let clean = model.take(page, count)
    live.append(page..<(page + count))
    recorder.expectEqual(looked?.page ?? -1, page, "step \(number): find \(count)")
    recorder.expectEqual(taken?.page ?? -1, page, "step \(number): allocate \(count)")
    recorder.expectEqual(taken?.scavengedPages ?? -1, clean, "step \(number): scavenged pages")
  }

  /// Frees a run, a part of one, or two neighbours at once.
  private mutating func free() {
    if live.isEmpty { return }
    let place = random.below(live.count)
    let run = live[place]
    live[place] = live[live.count - 1]
    live.removeLast()
    var freed = run
    switch random.below(4) {
    case 0:
      let first = random.below(run.count)
      let last = first + random.below(run.count - first)
      freed = (run.lowerBound + first)..<(run.lowerBound + last + 1)
      if freed.lowerBound > run.lowerBound { live.append(run.lowerBound..<freed.lowerBound) }
      if freed.upperBound < run.upperBound { live.append(freed.upperBound..<run.upperBound) }
    case 1:
      for index in 0..<live.count where live[index].lowerBound == run.upperBound {
        freed = run.lowerBound..<live[index].upperBound
        live[index] = live[live.count - 1]
        live.removeLast()
        break
      }
    default: break
    }
    model.free(freed.lowerBound, freed.count)
    subject.allocator.free(freed.lowerBound, freed.count)
  }

  /// An aligned place, taken exactly.
  private mutating func align(_ number: Int, _ recorder: inout Recorder) {
    let count = random.logarithmic(6)
    let pages = 2 << random.below(9)
    let phase = random.below(pages)
    let alignment = PageAllocator.Alignment(pages: pages, phase: phase)
    let found = subject.allocator.findAligned(count, alignment, searchLimit: .max)
    let page = model.alignedFit(count, pages, phase: phase)
    recorder.expectEqual(
      found ?? -1, page ?? -1, "step \(number): \(count) aligned to \(pages), phase \(phase)")
    guard let page, found == page else { return }
    let clean = subject.allocator.allocateRange(page, count)
    recorder.expectEqual(clean, model.take(page, count), "step \(number): scavenged pages")
    live.append(page..<(page + count))
  }

  /// The questions that change nothing.
  private mutating func look(_ number: Int, _ recorder: inout Recorder) {
    let chunk = Self.homes[random.below(Self.homes.count)] + random.below(8)
    let page = min(chunk * 512 + random.below(512), Geometry.pageCount - 1)
    let count = random.logarithmic(10)
    recorder.expectEqual(
      subject.allocator.lowestRun(count, notBelow: page) ?? -1,
      model.firstFit(count, from: page) ?? -1, "step \(number): \(count) not below \(page)")
    recorder.expect(
      subject.allocator.isGrown(chunk) == model.grown[chunk], "step \(number): grown \(chunk)")
    recorder.expectEqual(
      subject.allocator.freePages(below: chunk), model.freePages(below: chunk * 512),
      "step \(number): free below chunk \(chunk)")
    if page + count <= Geometry.pageCount {
      recorder.expect(
        subject.allocator.isFree(page, count) == model.isFree(page, count),
        "step \(number): \(count) free at \(page)")
    }
  }
}

// MARK: - Caches and scavenging

extension AllocatorModelRun {
  private mutating func useCache(_ number: Int, _ recorder: inout Recorder) {
    let slot = random.below(4)
    if naiveCaches[slot].isEmpty {
      if random.below(2) == 0 {
        naiveCaches[slot] = model.takeCache()
        caches[slot] = subject.allocator.allocateBlock()
      } else {
        let count = random.logarithmic(6)
        naiveCaches[slot] = model.takeCache(for: count)
        caches[slot] =
          subject.allocator.place(count).map { subject.allocator.allocateBlock(at: $0) }
          ?? PageBlock()
      }
      recorder.expect(caches[slot] == naiveCaches[slot].packed, "step \(number): cache taken")
    }
    let count = random.logarithmic(4)
    let taken = caches[slot].allocate(count)
    let expected = naiveCaches[slot].take(count)
    recorder.expectEqual(taken?.page ?? -1, expected?.page ?? -1, "step \(number): from a cache")
    recorder.expectEqual(
      taken?.scavengedPages ?? -1, expected?.clean ?? -1, "step \(number): scavenged pages")
    if let expected { live.append(expected.page..<(expected.page + count)) }
  }

  private mutating func flush(_ slot: Int, _ number: Int, _ recorder: inout Recorder) {
    model.flush(naiveCaches[slot])
    naiveCaches[slot] = NaiveCache()
    subject.allocator.flush(&caches[slot])
    recorder.expect(caches[slot].isEmpty, "step \(number): flushed")
  }

  private mutating func nextGeneration() {
    model.index.nextGeneration()
    subject.allocator.nextGeneration()
  }

  private mutating func scavenge(_ number: Int, _ recorder: inout Recorder) {
    let byteCount = UInt64(random.below(random.below(4) == 0 ? 1024 : 40)) * 4096
    let mode: ScavengeMode = random.below(2) == 0 ? .force : .background
    let released = subject.allocator.scavenge(byteCount, mode)
    recorder.expectEqual(
      released, model.scavenge(byteCount, mode), "step \(number): scavenge \(byteCount)")
  }

  /// Pages on their way to the kernel, which takes them or refuses.
  private mutating func detach(_ number: Int, _ recorder: inout Recorder) {
    let run = subject.allocator.detachCandidate(1 << 16, .force)
    let expected = model.nextCandidate(1 << 16, .force)
    recorder.expect(
      run == expected,
      "step \(number): detached \(text(run ?? 0..<0)), not \(text(expected ?? 0..<0))")
    guard let run, run == expected else { return }
    recorder.expect(
      !subject.allocator.isFree(run.lowerBound, 1)
        && !subject.allocator.isFree(run.upperBound - 1, 1),
      "step \(number): detached pages are out of reach")
    // Others go on meanwhile, and must not get these pages.
    for page in run { model.used[page] = true }
    for _ in 0..<random.below(4) {
      if random.below(3) == 0 { free() } else { allocate(number, &recorder) }
    }
    for page in run { model.used[page] = false }
    let isTaken = random.below(3) > 0
    subject.allocator.reattach(run, scavenged: isTaken)
    if isTaken { for page in run { model.scavenged[page] = true } }
  }
}

// MARK: - Comparison

extension AllocatorModelRun {
  private func compareAll(_ step: String, _ recorder: inout Recorder) {
    if let broken = subject.allocator.brokenInvariant() {
      recorder.fail("\(step): broken: \(broken.description)")
    }
    compare(subject.allocator.scavengeIndex, model.index, 0..<1024, step, &recorder)
    for chunk in 0..<Geometry.chunkCount {
      recorder.expect(
        subject.allocator.isGrown(chunk) == model.grown[chunk], "\(step): grown \(chunk)")
      if !model.grown[chunk] { continue }
      let pages = (chunk * 512)..<(chunk * 512 + 512)
      let data = subject.allocator.chunk(chunk)
      recorder.expectEqual(
        firstDifference(data.allocated.bits, Array(model.used[pages])), -1,
        "\(step): in use, chunk \(chunk)")
      recorder.expectEqual(
        firstDifference(data.scavenged, Array(model.scavenged[pages])), -1,
        "\(step): scavenged, chunk \(chunk)")
    }
    let longest = subject.allocator.summaries.longestRun
    recorder.expect(
      longest == 0 || model.firstFit(longest) != nil, "\(step): \(longest) in a row")
    recorder.expect(model.firstFit(longest + 1) == nil, "\(step): no \(longest + 1) in a row")
  }
}

/// An allocator of nothing; `nil`, recorded, where there is no memory for its tables.
func makeAllocator(
  physicalPageSize: Int = 4096, hugePageSize: Int = 0, _ recorder: inout Recorder
) -> StandaloneAllocator? {
  do throws(SysMemError) {
    return try StandaloneAllocator(
      kernelPages: KernelPages(physicalPageSize: physicalPageSize, hugePageSize: hugePageSize))
  } catch {
    recorder.fail("no allocator: \(error.description)")
    return nil
  }
}
