import Synchronization

// Runs leave the allocator.

/// A run that was just taken.
package struct TakenRun {
  /// Its first page.
  package let page: PageNumber
  /// How many of its pages read as zero.
  package let scavengedPages: Int
  /// They brought what is resident beyond the soft limit.
  package let isBeyondLimit: Bool
  /// It counts as handed out.
  package var isHandedOut = true
}

extension Heap {
  /// Takes a run of free pages, if there is one.
  ///
  /// - Parameters:
  ///   - searchLimit: how many runs an aligned search may walk over.
  ///   - isCounted: its scavenged pages become memory in use; else they are inaccessible, and the
  ///     hard limit is not asked.
  ///   - willTake: is shown where the run will be before it is taken.
  /// - Returns: `nil`, too, where the hard limit does not admit it.
  @inline(__always)
  package mutating func take(
    _ pageCount: Int, _ alignment: PageAllocator.Alignment, searchLimit: Int,
    isCounted: Bool = true, willTake: (borrowing PageAllocator, PageNumber) -> Void
  ) -> TakenRun? {
    guard !isCounted || admits(pageCount) else { return nil }
    if pageCount > RunCache.longestStacked, let page = depot.takeLong(pageCount, alignment) {
      willTake(allocator, page)
      runs.setLength(page, pageCount)
      counters.allocations &+= 1
      if !isCounted { setAside(page..<(page &+ pageCount), scavengedPages: 0) }
      return TakenRun(page: page, scavengedPages: 0, isBeyondLimit: false)
    }
    if alignment.pages == 1 {
      guard let place = allocator.place(pageCount) else { return nil }
      return take(at: place, pageCount, isCounted: isCounted, willTake: willTake)
    }
    guard let page = allocator.findAligned(pageCount, alignment, searchLimit: searchLimit) else {
      return nil
    }
    return take(at: (page, 0), pageCount, isCounted: isCounted, willTake: willTake)
  }

  /// Takes a run of free pages at a given place, and hands it to the caller.
  ///
  /// - Parameters:
  ///   - place: its first page, and where the next search may start (0: where it did).
  ///   - isCounted: as above.
  @inline(__always)
  package mutating func take(
    at place: (page: PageNumber, candidate: PageNumber), _ pageCount: Int,
    isCounted: Bool = true, willTake: (borrowing PageAllocator, PageNumber) -> Void
  ) -> TakenRun {
    willTake(allocator, place.page)
    let scavenged = allocator.allocate(at: place, pageCount)
    runs.setLength(place.page, pageCount)
    counts.allocated &+= pageCount
    counters.allocations &+= 1
    sizes.add(pageCount)
    takesSinceSparing &+= 1
    if scavenged != 0 {
      if isCounted { noteUsed(scavenged) }
      // Warm memory is better than fresh.
      emptyDepot()
    }
    if !isCounted {
      setAside(place.page..<(place.page &+ pageCount), scavengedPages: scavenged)
    }
    noteInUse()
    return TakenRun(
      page: place.page, scavengedPages: scavenged,
      isBeyondLimit: isCounted && isBeyondLimit(scavenged))
  }

  /// Takes free pages at a given place, as a run of their own, which is not counted as handed out.
  ///
  /// - Returns: `nil`, with nothing changed, where not all are free, or the hard limit does not
  ///   admit so many.
  /// - Complexity: O(`pageCount` / 512).
  package mutating func takeExactly(_ page: PageNumber, _ pageCount: Int) -> TakenRun? {
    guard pageCount <= Geometry.pageCount - page, allocator.isFree(page, pageCount),
      admits(pageCount)
    else { return nil }
    let scavenged = allocator.allocateRange(page, pageCount)
    runs.setLength(page, pageCount)
    counts.allocated &+= pageCount
    sizes.add(pageCount)
    noteUsed(scavenged)
    noteInUse()
    return TakenRun(
      page: page, scavengedPages: scavenged, isBeyondLimit: isBeyondLimit(scavenged),
      isHandedOut: false)
  }

  /// Whether the hard limit allows so many pages beside all that is out of the allocator.
  ///
  /// It is asked before they are taken, in the same section: so what is asked for in vain is in use
  /// to nobody at any moment. What caches hold counts here; who is refused has them drained, and
  /// asks again (`ArenaCore.admit`). What the depot holds goes back at once.
  @inline(__always)
  mutating func admits(_ pageCount: Int) -> Bool {
    !limits.isHopeless(pageCount, inUse: counts.allocated) || admitsWithoutDepot(pageCount)
  }

  @inline(never)
  private mutating func admitsWithoutDepot(_ pageCount: Int) -> Bool {
    emptyDepot()
    return !limits.isHopeless(pageCount, inUse: counts.allocated)
  }

  /// Whether pages that were just taken brought what is resident beyond the soft limit.
  @inline(__always)
  func isBeyondLimit(_ scavenged: Int) -> Bool {
    scavenged != 0 && limits.excess(residentPages: counts.resident) > 0
  }

  /// Pages that nothing had backed were taken, and count as in use.
  @inline(__always)
  mutating func noteUsed(_ scavenged: Int) {
    counts.scavenged &-= scavenged
    if scavenged != 0 { noteResident() }
    approachLook(by: scavenged)
    noteTaken(scavenged)
  }

  /// So many fresh pages were taken, after some of which the control group is asked again.
  @inline(__always)
  func approachLook(by pages: Int) {
    let pagesUntilLook = self.pagesUntilLook.load(ordering: .relaxed)
    if pagesUntilLook != .max {
      self.pagesUntilLook.store(pagesUntilLook &- pages, ordering: .relaxed)
    }
  }

  /// Pages that nothing had backed were taken.
  @inline(__always)
  mutating func noteTaken(_ pages: Int) {
    if headroom.note(taken: pages) { isHeadroomDue.store(true, ordering: .relaxed) }
  }

  /// How many of the resident pages should go back, now that fresh memory was taken.
  package mutating func headroomExcess() -> (pages: Int, residentPages: Int) {
    isHeadroomDue.store(false, ordering: .relaxed)
    let resident = counts.resident
    return (headroom.excess(inUse: inUsePages, residentPages: resident), resident)
  }

  /// Counts what is handed out, where more pages than ever are out of the allocator.
  @inline(__always)
  mutating func noteInUse() {
    if counts.allocated > counters.nextCount { notePeak() }
  }
}

// MARK: - Runs become other runs

extension Heap {
  /// Makes one run two, the second of which starts at a page of the first.
  package mutating func divide(_ page: PageNumber, at second: PageNumber) {
    let end = page &+ runs.length(page)
    guard page < second, second < end else { runFreedElsewhere(page, second &- page) }
    // First cleared: the digits of a long length may lie where the second starts.
    let sample = sample(at: page)
    runs.clear(page)
    runs.setLength(page, second &- page)
    runs.setLength(second, end &- second)
    keep(sample, page, second &- page)
    keep(sample, second, end &- second)
    sizes.remove(end &- page)
    sizes.add(second &- page)
    sizes.add(end &- second)
  }

  /// Makes the runs and guards that fill a range one run, which is what the profile has of the
  /// first.
  package mutating func join(_ whole: Range<PageNumber>) {
    let sample = sample(at: whole.lowerBound)
    var page = whole.lowerBound
    while page < whole.upperBound {
      let length = runs.extent(page)
      if length == 0 { runFreedElsewhere(page, whole.upperBound &- page) }
      runs.clear(page)
      sizes.remove(length)
      page &+= length
    }
    if page != whole.upperBound { runFreedElsewhere(whole.lowerBound, whole.count) }
    runs.setLength(whole.lowerBound, whole.count)
    keep(sample, whole.lowerBound, whole.count)
    sizes.add(whole.count)
  }

  /// Makes a run guards, from its first page to its last: ``join(_:)`` makes it a run again.
  mutating func setApart(_ run: Range<PageNumber>) {
    makeGuards(of: run, sample(at: run.lowerBound))
  }

  /// The same.
  ///
  /// - Parameter sample: what the profile has of the run from then on.
  mutating func makeGuards(of run: Range<PageNumber>, _ sample: Sample?) {
    cut(run, outOf: run)
    var page = run.lowerBound
    while page < run.upperBound {
      let left = run.upperBound - page
      let pages = 1 << (Int.bitWidth - 1 - left.leadingZeroBitCount)
      runs.setGuard(page, pages)
      keep(sample, page, pages)
      sizes.add(pages)
      page += pages
    }
  }
}

// MARK: - Looking

extension Heap {
  /// The run that all pages of a range belong to.
  ///
  /// - Throws: the arena has not grown so far, or the range does not start in a run, or it goes
  ///   past the end of the run, whatever is there.
  package func run(
    around part: Range<PageNumber>, at address: UInt
  ) throws(PageArenaError) -> Range<PageNumber> {
    guard allocator.isGrown(part.lowerBound, part.count) else { throw .foreign(base: address) }
    let lowest = Geometry.firstPage(of: allocator.startChunk)
    guard let run = runs.run(around: part.lowerBound, lowest: lowest) else {
      throw .notInUse(base: address, pages: part.count)
    }
    if part.upperBound > run.upperBound {
      throw .pastEndOfRun(base: address, pages: part.count)
    }
    return run
  }

  /// The run in use that a page lies in; `nil` where it lies in none.
  package func run(containing page: PageNumber) -> Range<PageNumber>? {
    if !allocator.isGrown(Geometry.chunk(of: page)) { return nil }
    return runs.run(around: page, lowest: Geometry.firstPage(of: allocator.startChunk))
  }

  /// How many pages the run has that starts at a page; `nil` where nobody's run starts there.
  package func runLength(at page: PageNumber) -> Int? {
    guard page < Geometry.pageCount, allocator.isGrown(Geometry.chunk(of: page)) else { return nil }
    let length = runs.length(page)
    return length == 0 ? nil : length
  }

  /// An owner's run is still in use, whole; else it traps.
  func requireRun(_ page: PageNumber, _ pageCount: Int) {
    if runs.length(page) != pageCount { runFreedElsewhere(page, pageCount) }
  }

  /// Says that a run was freed behind its owner's back, and traps.
  @inline(never)
  func runFreedElsewhere(_ page: PageNumber, _ pageCount: Int) -> Never {
    var line = DumpLine()
    line.append("PageAlloc: a run was freed behind its owner's back: ")
    line.append(UInt(bitPattern: pageCount))
    line.append(" pages at 0x")
    line.append(hex: UInt64(Geometry.address(of: page, from: base)))
    line.write()
    fatalError("PageAlloc: a run was freed behind its owner's back")
  }
}
