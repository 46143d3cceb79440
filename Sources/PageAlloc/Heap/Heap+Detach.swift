// Free pages leave for the kernel, and come back scavenged. While a run is detached it is in use to
// the allocator, so it is neither handed out nor found again.

/// How far a pass has come.
package struct ReleaseOrder {
  /// Whole huge pages below this page go first; 0 when there are no more, or they do not.
  package var unitEnd: PageNumber = 0
  /// Huge pages that are left alone.
  var spared = DenseUnits.none

  /// Nothing was looked at yet.
  package init() {}
}

extension Heap {
  /// Takes whole huge pages out of reach of everybody, to be given back.
  ///
  /// - Returns: `nil` where none was found yet; with `unitEnd` 0, where there are none, or too many
  ///   runs are out already.
  package mutating func detachUnits(
    _ byteCount: UInt64, _ mode: ScavengeMode, _ order: inout ReleaseOrder
  ) -> Range<PageNumber>? {
    if detached.runCount == DetachedRuns.capacity {
      order.unitEnd = 0
      return nil
    }
    // No more than a chunk at a time, so that it fits a word.
    let wanted = min(byteCount, UInt64(Geometry.chunkByteCount)) &+ UInt64(Geometry.pageSize - 1)
    guard
      let run = allocator.detachUnits(
        below: &order.unitEnd, Int(wanted >> UInt64(Geometry.pageShift)), mode)
    else { return nil }
    detached.insert(run)
    return run
  }

  /// Takes free pages out of reach of everybody, to be given back; where huge pages were asked for,
  /// together with what is empty around them.
  ///
  /// - Returns: `nil` where there are none, or too many runs are out already.
  package mutating func detach(
    _ byteCount: UInt64, _ mode: ScavengeMode, _ order: inout ReleaseOrder
  ) -> Range<PageNumber>? {
    guard detached.runCount < DetachedRuns.capacity,
      var run = allocator.detachCandidate(byteCount, mode, &order.spared)
    else { return nil }
    if hugeChunks.contains(Geometry.chunk(of: run.lowerBound)) {
      run = allocator.widened(run)
      allocator.detach(run)
    }
    detached.insert(run)
    return run
  }

  /// Makes a run free again.
  ///
  /// - Returns: how many pages the kernel has now that it did not have before.
  @discardableResult
  package mutating func reattach(_ run: Range<PageNumber>, scavenged: Bool) -> Int {
    detached.remove(run)
    let added = allocator.reattach(run, scavenged: scavenged)
    counts.scavenged += added
    noteReturned()
    if !scavenged {
      // A search may have called the chunk empty meanwhile.
      allocator.scavengeIndex.setFree(
        Geometry.chunk(of: run.lowerBound), highest: run.upperBound &- 1)
    }
    return added
  }

  /// Makes all runs that are left free again, as they were.
  package mutating func reattachAll() {
    while !detached.isEmpty { reattach(detached[detached.runCount - 1], scavenged: false) }
  }
}

// MARK: - All that is free

extension Heap {
  /// Detaches the free pages with contents of the highest chunk below a page that has any, as far
  /// as the list has room.
  ///
  /// - Precondition: nothing is detached.
  /// - Returns: where the next call goes on; `nil` where there is nothing below.
  package mutating func detachFree(below page: PageNumber) -> PageNumber? {
    var end = min(page, Geometry.firstPage(of: allocator.endChunk))
    while end > 0, detached.isEmpty {
      let chunk = Geometry.chunk(of: end - 1)
      let first = Geometry.firstPage(of: chunk)
      end = hasSomething(in: chunk) ? detachFree(in: first..<end) : first
    }
    return detached.isEmpty ? nil : end
  }

  /// Whether a chunk has free pages with contents. By words: many chunks are looked at in one stay.
  private func hasSomething(in chunk: ChunkIndex) -> Bool {
    let unit = allocator.kernelPages.pagesPerPhysicalPage
    return allocator.isGrown(chunk)
      && allocator.chunk(chunk).findScavengeCandidate(
        from: Geometry.pagesPerChunk - 1, minimum: unit, limit: unit,
        kernelPages: allocator.kernelPages) != nil
  }

  /// The same for pages of one chunk. Page by page: it is done on request, and rarely.
  ///
  /// - Returns: all above was looked at.
  private mutating func detachFree(in pages: Range<PageNumber>) -> PageNumber {
    let data = allocator.chunk(Geometry.chunk(of: pages.lowerBound))
    let unit = allocator.kernelPages.pagesPerPhysicalPage
    func isWanted(_ page: PageNumber) -> Bool {
      let place = Geometry.place(of: page)
      return !data.allocated.bits.contains(place) && !data.scavenged.contains(place)
    }
    var end = pages.upperBound
    while end > pages.lowerBound, detached.runCount < DetachedRuns.capacity {
      var start = end
      while start > pages.lowerBound, isWanted(start - 1) { start -= 1 }
      // Whole physical pages only; the unit is a power of two.
      let low = (start + unit - 1) & ~(unit - 1)
      let high = end & ~(unit - 1)
      if low < high {
        allocator.detach(low..<high)
        detached.insert(low..<high)
      }
      end = start < end ? start : end - 1
    }
    return end
  }
}
