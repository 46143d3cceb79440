// What owners need of the bookkeeping. Call all of it with `heap` held.

extension ArenaState {
  /// Takes free pages at a given place, as a run of their own.
  ///
  /// - Returns: how many of them were scavenged; `nil`, with nothing changed, where not all are free.
  /// - Complexity: O(`pageCount` / 512).
  mutating func takeExactly(_ page: PageNumber, _ pageCount: Int) -> Int? {
    guard pageCount <= Geometry.pageCount - page, allocator.isFree(page, pageCount) else {
      return nil
    }
    let clean = allocator.allocateRange(page, pageCount)
    runs.setLength(page, pageCount)
    inUsePages &+= pageCount
    noteUsed(clean)
    noteInUse()
    return clean
  }

  /// Makes one run two, the second of which starts at a page of the first.
  mutating func divide(_ page: PageNumber, at second: PageNumber) {
    let end = page &+ runs.length(page)
    guard page < second, second < end else { runFreedElsewhere(page, second &- page) }
    // First cleared: the digits of a long length may lie where the second starts.
    runs.clear(page)
    runs.setLength(page, second &- page)
    runs.setLength(second, end &- second)
  }

  /// Makes the runs and guards that fill a range one run.
  mutating func join(_ whole: Range<PageNumber>) {
    var page = whole.lowerBound
    while page < whole.upperBound {
      let length = runs.extent(page)
      if length == 0 { runFreedElsewhere(page, whole.upperBound &- page) }
      runs.clear(page)
      page &+= length
    }
    if page != whole.upperBound { runFreedElsewhere(whole.lowerBound, whole.count) }
    runs.setLength(whole.lowerBound, whole.count)
  }

  /// Gives a run back whose pages the kernel has already: they read as zero.
  mutating func giveBackEmpty(_ run: Range<PageNumber>) {
    giveBack(run, of: run)
    noteScavenged(run.lowerBound, run.count)
  }

  /// How many pages the run has that starts at a page; `nil` where nobody's run starts there.
  func runLength(at page: PageNumber) -> Int? {
    guard page < Geometry.pageCount, allocator.isGrown(Geometry.chunk(of: page)) else { return nil }
    let length = runs.length(page)
    return length == 0 ? nil : length
  }

  /// Says that a run was freed behind its owner's back, and traps.
  @inline(never)
  func runFreedElsewhere(_ page: PageNumber, _ pageCount: Int) -> Never {
    var line = DumpLine()
    line.append("PageAlloc: a run was freed behind its owner's back: ")
    line.append(UInt(bitPattern: pageCount))
    line.append(" pages at 0x")
    line.append(hex: UInt64(base &+ UInt(bitPattern: page) << UInt(Geometry.pageShift)))
    line.write()
    fatalError("PageAlloc: a run was freed behind its owner's back")
  }
}
