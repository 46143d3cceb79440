extension PageAllocator {
  /// Marks free pages as given back until `byteCount` bytes are, or nothing is left.
  ///
  /// The bookkeeping half alone: no memory is touched. By the rules of the Go runtime: a chunk in
  /// which nothing was found below a cursor is called empty, whatever is above.
  /// - Returns: how many bytes; more than asked for where huge pages or physical pages need it.
  /// - Complexity: O(chunks looked at).
  package mutating func scavenge(_ byteCount: UInt64, _ mode: ScavengeMode) -> UInt64 {
    var released: UInt64 = 0
    var noneSpared = DenseUnits.none
    while released < byteCount {
      // Neither sum nor difference can wrap: the space has 2^32 bytes.
      guard let run = nextCandidate(byteCount &- released, mode, &noneSpared, looksAbove: false)
      else { break }
      markScavenged(run)
      lowerSearchPage(to: run.lowerBound)
      released &+= PageSpace.byteCount(of: run.count)
    }
    return released
  }

  /// Takes the next pages to give back out of reach, so that the kernel can be told with no lock
  /// held.
  ///
  /// - Parameter spared: units that are left alone for now.
  /// - Returns: the pages, now in use, which ``reattach(_:scavenged:)`` must follow; `nil` for
  ///   none.
  mutating func detachCandidate(
    _ byteCount: UInt64, _ mode: ScavengeMode, _ spared: inout DenseUnits
  ) -> Range<PageNumber>? {
    guard let run = nextCandidate(byteCount, mode, &spared, looksAbove: true) else { return nil }
    detach(run)
    return run
  }

  /// The same by the rules of `scavenge`, with no unit left alone.
  package mutating func detachCandidate(
    _ byteCount: UInt64, _ mode: ScavengeMode
  ) -> Range<PageNumber>? {
    var noneSpared = DenseUnits.none
    guard let run = nextCandidate(byteCount, mode, &noneSpared, looksAbove: false) else {
      return nil
    }
    detach(run)
    return run
  }

  /// Takes free pages of one chunk out of reach. Those that are scavenged already stay marked so.
  package mutating func detach(_ run: Range<PageNumber>) {
    let chunk = Geometry.chunk(of: run.lowerBound)
    let data = chunks.data(chunk)
    // The scavenge record stays as it is: nobody uses these pages.
    data.allocated.bits.insert(places(of: run))
    summaries.update(leaf: chunk, data.allocated.summarize())
  }

  /// Makes detached pages free again.
  ///
  /// - Parameter scavenged: the kernel has them back; `false` where it refused.
  /// - Returns: how many pages it has now that it did not have before.
  @discardableResult
  package mutating func reattach(_ run: Range<PageNumber>, scavenged: Bool) -> Int {
    let chunk = Geometry.chunk(of: run.lowerBound)
    let data = chunks.data(chunk)
    lowerSearchPage(to: run.lowerBound)
    data.allocated.bits.remove(places(of: run))
    summaries.update(leaf: chunk, data.allocated.summarize())
    if !scavenged { return 0 }
    let added = holdingPages(in: run)
    markScavenged(run)
    return added
  }

  /// Pages of a run in one chunk that are not marked as scavenged.
  func holdingPages(in run: Range<PageNumber>) -> Int {
    run.count
      &- chunks.data(Geometry.chunk(of: run.lowerBound)).scavenged.count(in: places(of: run))
  }

  /// Ends a generation of the scavenge index.
  package mutating func nextGeneration() { scavengeIndex.nextGeneration() }

  /// Finds pages of one chunk to give back; a chunk that has none is noted as such.
  ///
  /// - Parameter looksAbove: a chunk is looked at above the cursor, too, before it is noted.
  private mutating func nextCandidate(
    _ byteCount: UInt64, _ mode: ScavengeMode, _ spared: inout DenseUnits, looksAbove: Bool
  ) -> Range<PageNumber>? {
    // What one chunk cannot have, it need not be asked for.
    let limit = min(PageSpace.pageCount(holding: byteCount), Geometry.pagesPerChunk)
    while let (chunk, place) = scavengeIndex.find(mode) {
      let dense = spared.words(of: chunk, self)
      if let run = candidate(in: chunk, from: place, limit, dense) { return run }
      let top = Geometry.pagesPerChunk &- 1
      if looksAbove, place < top, let later = candidate(in: chunk, from: top, limit, dense) {
        // Freed above the cursor since that came to the chunk.
        if mode == .force { return later }
        scavengeIndex.postpone(chunk, highest: later.upperBound &- 1)
      } else {
        scavengeIndex.setEmpty(chunk, isSpared: dense != 0)
      }
    }
    return nil
  }

  /// The highest pages of a chunk to give back, at or below a place in it.
  private func candidate(
    in chunk: ChunkIndex, from place: Int, _ limit: Int, _ spared: UInt8
  ) -> Range<PageNumber>? {
    let minimum = kernelPages.pagesPerPhysicalPage
    guard summaries.leaf(chunk).max >= minimum,
      let places = chunks.data(chunk).findScavengeCandidate(
        from: place, minimum: minimum, limit: limit, kernelPages: kernelPages, spared: spared)
    else { return nil }
    let base = Geometry.firstPage(of: chunk)
    let run = (base &+ places.lowerBound)..<(base &+ places.upperBound)
    requireSound(chunk)
    requireNobodys(run)
    return run
  }

  private func markScavenged(_ run: Range<PageNumber>) {
    chunks.data(Geometry.chunk(of: run.lowerBound)).scavenged.insert(places(of: run))
  }

  /// A run inside one chunk, as places in the chunk.
  private func places(of run: Range<PageNumber>) -> Range<Int> {
    let place = Geometry.place(of: run.lowerBound)
    return place..<(place &+ run.count)
  }
}
