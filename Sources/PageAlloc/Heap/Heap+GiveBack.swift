// Runs go back to the allocator.

extension Heap {
  /// Gives a part of a run back to the allocator; what is left on either side are runs of their
  /// own.
  ///
  /// - Precondition: the part lies in the run.
  package mutating func giveBack(_ part: Range<PageNumber>, of run: Range<PageNumber>) {
    allocator.requireInUse(part)
    cut(part, outOf: run)
    if let checks { checks.forget(part) }
    allocator.free(part.lowerBound, part.count)
    counts.allocated &-= part.count
  }

  /// A part of a run is nobody's any more; what is left on either side are runs of their own.
  @inline(__always)
  mutating func cut(_ part: Range<PageNumber>, outOf run: Range<PageNumber>) {
    let sample = sample(at: run.lowerBound)
    runs.clear(run.lowerBound)
    sizes.remove(run.count)
    if part.lowerBound > run.lowerBound {
      runs.setLength(run.lowerBound, part.lowerBound - run.lowerBound)
      keep(sample, run.lowerBound, part.lowerBound - run.lowerBound)
      sizes.add(part.lowerBound - run.lowerBound)
    }
    if part.upperBound < run.upperBound {
      runs.setLength(part.upperBound, run.upperBound - part.upperBound)
      keep(sample, part.upperBound, run.upperBound - part.upperBound)
      sizes.add(run.upperBound - part.upperBound)
    }
  }

  /// Gives a run back whose pages the kernel has already: they read as zero.
  package mutating func giveBackEmpty(_ run: Range<PageNumber>) {
    giveBack(run, of: run)
    noteScavenged(run.lowerBound, run.count)
  }

  /// Gives back runs that are nobody's.
  mutating func giveBack(_ batch: inout RunBatch) {
    if batch.count == 0 { return }
    counts.allocated &-= batch.pageCount
    for index in 0..<batch.count { sizes.remove(batch[index].pageCount) }
    allocator.free(&batch)
    batch.removeAll()
  }

  /// Adds a run that is nobody's to a batch, which goes back first where it is full.
  @inline(__always)
  mutating func add(_ page: PageNumber, _ pages: Int, to batch: inout RunBatch) {
    if batch.isFull { giveBack(&batch) }
    batch.add(page, pages)
  }

  /// Free pages turned out to hold nothing.
  package mutating func noteScavenged(_ page: PageNumber, _ pageCount: Int) {
    var added = 0
    allocator.forEachChunk(of: page, pageCount) { chunk, places in
      let scavenged = allocator.chunk(chunk).scavenged
      added += places.count - scavenged.count(in: places)
      scavenged.insert(places)
    }
    counts.scavenged += added
    noteReturned()
  }
}

// MARK: - Limbo

extension Heap {
  /// Keeps a run that was freed from everybody, as the kernel will not make it plain memory now.
  ///
  /// It is nobody's any more: in the run table it stands as guards, which nobody can free.
  mutating func putInLimbo(_ run: Range<PageNumber>) {
    checks?.forget(run)
    makeGuards(of: run, nil)
    limbo.put(run)
  }
}

// MARK: - The checked mode

extension Heap {
  /// Freed pages that the allocator does not have back: those in quarantine, and on their way.
  var withheldPages: Int { checks?.figures.withheldPages ?? 0 }

  /// Takes a part of a run from its owner, but leaves it out of the allocator.
  ///
  /// - Returns: the number of its note; 0 where there is none left.
  mutating func withhold(
    _ part: Range<PageNumber>, of run: Range<PageNumber>, _ trace: Trace, _ checks: CheckedRuns
  ) -> UInt32 {
    cut(part, outOf: run)
    counters.frees &+= 1
    return checks.noteFree(part, trace)
  }

  /// Keeps a withheld run that the kernel will not make plain memory now.
  mutating func keepWithheldInLimbo(_ run: Range<PageNumber>) {
    returnToSight(run)
    putInLimbo(run)
  }

  /// A withheld run is a run in use again, as whoever gives it back expects.
  mutating func returnToSight(_ run: Range<PageNumber>) {
    runs.setLength(run.lowerBound, run.count)
    sizes.add(run.count)
    checks?.figures.withheldPages -= run.count
  }
}
