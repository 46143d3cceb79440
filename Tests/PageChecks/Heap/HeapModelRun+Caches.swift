import PageAlloc

// Caches, and memory that goes back.

extension HeapModelRun {
  mutating func anyOwned() -> BareCache? {
    owned.isEmpty ? nil : owned[random.below(owned.count)]
  }

  mutating func changeOwner() {
    if random.below(2) == 0, !owned.isEmpty {
      _ = subject.heap.retire(owned.remove(at: random.below(owned.count)).reference)
    } else if let reference = subject.heap.obtainCache() {
      for cache in caches where cache.reference == reference { owned.append(cache) }
    }
  }

  mutating func spareGrowth() {
    guard let cache = anyOwned() else { return }
    subject.heap.spareGrowth(cache.reference, for: random.logarithmic(10))
  }

  /// Takes back what all caches hold: nobody is inside.
  mutating func drain(_ recorder: inout Recorder) {
    if let ticket = subject.heap.closeForDrain() {
      recorder.expect(
        subject.heap.drainClosed(by: ticket, canSeeOthers: true, own: nil), "all gave")
    }
    recorder.expectEqual(subject.heap.heldPages, 0, "held after a drain")
    recorder.expectEqual(subject.heap.cacheCapacity, 0, "capacity after a drain")
  }

  /// Sends some free memory to the kernel, while runs come and go.
  mutating func release(_ recorder: inout Recorder) {
    let mode: ScavengeMode = random.below(2) == 0 ? .force : .background
    var order = ReleaseOrder()
    order.unitEnd = Geometry.firstPage(of: subject.heap.allocator.endChunk)
    var away: [Range<PageNumber>] = []
    for _ in 0..<(1 + random.below(5)) {
      let byteCount = UInt64(random.logarithmic(22))
      let run =
        order.unitEnd > 0 && random.below(2) == 0
        ? subject.heap.detachUnits(byteCount, mode, &order)
        : subject.heap.detach(byteCount, mode, &order)
      guard let run else { continue }
      sendAway(run, &recorder)
      away.append(run)
      take(random.logarithmic(5), aligned: 1, &recorder)
      freeWhole(byCache: true)
    }
    bringBack(away, &recorder)
  }

  mutating func releaseAll(_ recorder: inout Recorder) {
    var next: PageNumber? = Geometry.pageCount
    while let page = next {
      next = subject.heap.detachFree(below: page)
      var away: [Range<PageNumber>] = []
      for index in 0..<subject.heap.detached.runCount { away.append(subject.heap.detached[index]) }
      for run in away { sendAway(run, &recorder) }
      bringBack(away, &recorder)
    }
  }

  mutating func sendAway(_ run: Range<PageNumber>, _ recorder: inout Recorder) {
    let unit = subject.heap.allocator.kernelPages.pagesPerPhysicalPage
    recorder.expect(
      run.lowerBound % unit == 0 && run.upperBound % unit == 0, "\(run) in physical pages")
    for page in run {
      if isUsed[page] || isAway[page] { return recorder.fail("page \(page) of \(run) is in use") }
      isAway[page] = true
    }
  }

  /// The kernel has taken them, or has refused to.
  mutating func bringBack(_ away: [Range<PageNumber>], _ recorder: inout Recorder) {
    var left = away
    while !left.isEmpty {
      let run = left.remove(at: random.below(left.count))
      let wasTaken = random.below(4) > 0
      subject.heap.reattach(run, scavenged: wasTaken)
      for page in run {
        isAway[page] = false
        if wasTaken { isWritten[page] = false }
      }
    }
    recorder.expect(subject.heap.detached.isEmpty, "all are back")
  }
}
