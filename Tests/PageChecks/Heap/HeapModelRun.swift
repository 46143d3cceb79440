import PageAlloc

/// Random operations on a heap, and who has which page, as far as whoever uses the heap knows it.
///
/// What is in caches and in the depot the model does not know: that nothing of it is handed out
/// twice, or lost, it sees when all of it is taken back.
struct HeapModelRun {
  let subject: StandaloneHeap
  let limit: Int
  let name: String
  var random: SplitMix64
  /// Runs that were handed out.
  var runs: [Range<PageNumber>] = []
  var isUsed = [Bool](repeating: false, count: Geometry.pageCount)
  /// Pages that may hold something: whoever got them has written to them.
  var isWritten = [Bool](repeating: false, count: Geometry.pageCount)
  var isGrown = [Bool](repeating: false, count: Geometry.chunkCount)
  var isAway = [Bool](repeating: false, count: Geometry.pageCount)
  var handedOut = 0
  /// Caches with an owner, and all.
  var owned: [BareCache] = []
  var caches: [BareCache] = []

  init(_ subject: StandaloneHeap, seed: Int, caches count: Int, limit: Int) {
    self.subject = subject
    self.limit = limit
    random = SplitMix64(seed: UInt64(seed))
    for _ in 0..<count {
      let cache = BareCache(subject)
      subject.heap.add(cache.reference)
      caches.append(cache)
    }
    owned = caches
    name = "seed \(seed)"
  }

  /// Runs so many steps; stops at the first difference.
  mutating func run(steps: Int, _ recorder: inout Recorder) {
    for number in 0..<steps {
      recorder.context = "\(name), step \(number)"
      step(&recorder)
      compareCounts(&recorder)
      if number % 100 == 99 || number == steps - 1 || !recorder.isGood { compareAll(&recorder) }
      if !recorder.isGood { return }
    }
    // All comes back.
    for run in runs { subject.give(run, of: run) }
    runs = []
    handedOut = 0
    drain(&recorder)
    recorder.expectEqual(subject.heap.counts.allocated, 0, "allocated at the end")
    let broken = subject.heap.brokenInvariant()
    recorder.expect(broken == nil, "at the end: \(broken?.description ?? "")")
  }

  mutating func step(_ recorder: inout Recorder) {
    switch random.below(100) {
    case 0..<12: take(random.logarithmic(10), aligned: 1, &recorder)
    case 12..<16: take(random.logarithmic(8), aligned: 1 << random.below(10), &recorder)
    case 16..<40:
      takeCached(
        random.below(4) == 0 ? random.logarithmic(8) : 1 + random.below(16),
        &recorder)
    case 40..<44: takeExactly(random.logarithmic(7), &recorder)
    case 44..<68: freeWhole(byCache: true)
    case 68..<74: freeWhole(byCache: false)
    case 74..<79: freePart()
    case 79..<82: divide()
    case 82..<84: join()
    case 84..<89: look(&recorder)
    case 89..<92: release(&recorder)
    case 92: releaseAll(&recorder)
    case 93..<95: changeOwner()
    case 95: drain(&recorder)
    case 96: spareGrowth()
    case 97: subject.heap.emptyDepot()
    case 98: giveBackEmpty()
    default: if let run = anyRun(), run.count > 1 { freeAtEnds(run) }
    }
  }
}

// MARK: - Runs are taken

extension HeapModelRun {
  /// Notes that a run came, and looks whether it was anybody's.
  mutating func receive(
    _ run: Range<PageNumber>, scavengedPages: Int, _ recorder: inout Recorder
  ) {
    for page in run where isUsed[page] || isAway[page] || !isGrown[Geometry.chunk(of: page)] {
      return recorder.fail("page \(page) of \(run) was not to be had")
    }
    let clean = run.count { !isWritten[$0] }
    recorder.expect(scavengedPages <= clean, "\(scavengedPages) pages read as zero, of \(clean)")
    for page in run {
      isUsed[page] = true
      isWritten[page] = true
    }
    runs.append(run)
    handedOut += run.count
    recorder.expectEqual(
      subject.heap.runLength(at: run.lowerBound) ?? -1, run.count, "length of \(run)")
  }

  mutating func take(_ pages: Int, aligned: Int, _ recorder: inout Recorder) {
    // Where nothing is cached the lowest run that fits is known.
    let isExact = aligned == 1 && subject.heap.heldPages == 0
    let lowest = isExact ? firstFit(pages) : nil
    var taken = subject.take(pages, aligned: aligned)
    if isExact {
      recorder.expectEqual(taken?.page ?? -1, lowest ?? -1, "the lowest run of \(pages) pages")
    }
    if taken == nil, let place = subject.grow(for: pages, aligned: aligned, &recorder) {
      for chunk in place.chunks {
        recorder.expect(!isGrown[chunk], "chunk \(chunk) is fresh")
        isGrown[chunk] = true
      }
      taken = subject.take(pages, aligned: aligned)
      recorder.expectEqual(taken?.page ?? -1, place.page, "what it has grown for")
    }
    guard let taken else { return }
    let address = Geometry.address(of: taken.page, from: subject.heap.base)
    recorder.expectEqual(
      address % UInt(aligned << Geometry.pageShift), 0, "alignment to \(aligned) pages")
    receive(
      Range(start: taken.page, count: pages), scavengedPages: taken.scavengedPages, &recorder)
  }

  mutating func takeCached(_ pages: Int, _ recorder: inout Recorder) {
    guard let cache = anyOwned() else { return take(pages, aligned: 1, &recorder) }
    var run = cache.reference.allocate(pages, alignment: Geometry.pageSize, as: .raw)
    if run == nil, pages <= Heap.longestRefilled, random.below(4) > 0 {
      run = subject.heap.take(pages, into: cache.reference, limit: limit).run
    }
    guard let run else { return take(pages, aligned: 1, &recorder) }
    receive(
      Range(start: run.page, count: pages), scavengedPages: run.isZero ? pages : 0, &recorder)
  }

  mutating func takeExactly(_ pages: Int, _ recorder: inout Recorder) {
    guard let near = anyRun() else { return }
    let run = Range(start: near.upperBound, count: pages)
    if run.upperBound > Geometry.pageCount { return }
    let isFree = run.allSatisfy { isGrown[Geometry.chunk(of: $0)] && !isUsed[$0] }
    if let taken = subject.heap.takeExactly(run.lowerBound, pages) {
      receive(run, scavengedPages: taken.scavengedPages, &recorder)
    } else {
      recorder.expect(!isFree || subject.heap.heldPages > 0, "\(run) is free")
    }
  }

  func firstFit(_ pages: Int) -> PageNumber? {
    var count = 0
    for page in 0..<Geometry.pageCount {
      let isFree = isGrown[Geometry.chunk(of: page)] && !isUsed[page] && !isAway[page]
      count = isFree ? count + 1 : 0
      if count == pages { return page - pages + 1 }
    }
    return nil
  }
}

// MARK: - Runs go back

extension HeapModelRun {
  mutating func removeAnyRun() -> Range<PageNumber>? {
    if runs.isEmpty { return nil }
    let run = runs.remove(at: random.below(runs.count))
    leave(run)
    return run
  }

  mutating func leave(_ pages: Range<PageNumber>) {
    for page in pages { isUsed[page] = false }
    handedOut -= pages.count
  }

  mutating func anyRun() -> Range<PageNumber>? {
    runs.isEmpty ? nil : runs[random.below(runs.count)]
  }

  mutating func freeWhole(byCache: Bool) {
    guard let run = removeAnyRun() else { return }
    if byCache, let cache = anyOwned() {
      if cache.give(run.lowerBound, run.count) { return }
      if subject.heap.makeRoomAndPut(run.lowerBound, run.count, cache.reference, limit: limit) {
        return
      }
    }
    subject.give(run, of: run)
  }

  mutating func freePart() {
    guard let run = removeAnyRun() else { return }
    let start = run.lowerBound + random.below(run.count)
    free(start..<(start + 1 + random.below(run.upperBound - start)), of: run)
  }

  mutating func freeAtEnds(_ run: Range<PageNumber>) {
    runs.removeAll { $0 == run }
    leave(run)
    free(
      random.below(2) == 0
        ? run.lowerBound..<(run.lowerBound + 1) : (run.upperBound - 1)..<run.upperBound, of: run)
  }

  /// Frees a part of a run that has left the model; what is left on both sides comes back to it.
  mutating func free(_ part: Range<PageNumber>, of run: Range<PageNumber>) {
    subject.give(part, of: run)
    for rest in [run.lowerBound..<part.lowerBound, part.upperBound..<run.upperBound]
    where !rest.isEmpty {
      runs.append(rest)
      handedOut += rest.count
      for page in rest { isUsed[page] = true }
    }
  }

  mutating func giveBackEmpty() {
    guard let run = removeAnyRun() else { return }
    subject.heap.giveBackEmpty(run)
    for page in run { isWritten[page] = false }
  }

  mutating func divide() {
    guard let run = anyRun(), run.count > 1 else { return }
    let second = run.lowerBound + 1 + random.below(run.count - 1)
    subject.heap.divide(run.lowerBound, at: second)
    runs.removeAll { $0 == run }
    runs.append(run.lowerBound..<second)
    runs.append(second..<run.upperBound)
  }

  mutating func join() {
    guard let first = anyRun(),
      let second = runs.first(where: { $0.lowerBound == first.upperBound })
    else { return }
    let whole = first.lowerBound..<second.upperBound
    subject.heap.join(whole)
    runs.removeAll { $0 == first || $0 == second }
    runs.append(whole)
  }
}

// MARK: - Looking

extension HeapModelRun {
  /// Asks for the run around a range, which may be anything.
  mutating func look(_ recorder: inout Recorder) {
    guard let near = anyRun() else { return }
    let start = near.lowerBound + random.below(near.count + 2) - 1
    let part = Range(start: start, count: random.logarithmic(6))
    var found: Range<PageNumber>?
    do throws(PageArenaError) {
      found = try subject.heap.run(around: part, at: 0)
    } catch {}
    let expected = runs.first { $0.lowerBound <= start && part.upperBound <= $0.upperBound }
    if found != expected { recorder.fail("the run around \(part), beside \(near)") }
  }

  func compareCounts(_ recorder: inout Recorder) {
    // Besides a batch, each cache may have its hot runs untold; then it tells.
    let most = caches.count * (CacheTally.batch + 2 * RunCache.longestStacked)
    recorder.expect(abs(subject.heap.inUsePages - handedOut) <= most, "in use, nearly")
    for cache in caches { cache.reference.contents.tell() }
    let reading = subject.heap.reading
    recorder.expectEqual(reading.inUse, handedOut, "in use")
    recorder.expectEqual(subject.heap.inUsePages, handedOut, "handed out")
    recorder.expectEqual(
      subject.heap.counts.allocated, handedOut + subject.heap.heldPages, "allocated")
    recorder.expectEqual(
      reading.inUse + reading.freeResident + reading.scavenged, reading.ready, "the sum")
    recorder.expectEqual(reading.ready, isGrown.count { $0 } * Geometry.pagesPerChunk, "ready")
    recorder.expect(
      subject.heap.cacheCapacity == caches.reduce(0) { $0 + $1.reference.contents.totalCapacity },
      "what caches may hold")
  }

  mutating func compareAll(_ recorder: inout Recorder) {
    let broken = subject.heap.brokenInvariant()
    recorder.expect(broken == nil, broken?.description ?? "")
    for run in runs {
      recorder.expectEqual(
        subject.heap.runLength(at: run.lowerBound) ?? -1, run.count, "length of \(run)")
    }
  }
}
