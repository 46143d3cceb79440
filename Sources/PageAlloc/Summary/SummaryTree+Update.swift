// Up the tree after a change, with the least work: an entry follows from what it was and from the
// child that changed; all its children are looked at only where that does not tell.

extension SummaryEntries {
  /// The merge of an entry's eight children, where the entry covers so many pages.
  ///
  /// - Complexity: O(1); eight entries, in two cache lines at the most.
  @inline(never)
  fileprivate func mergeOfChildren(of position: Int, logPages: Int) -> PallocSum {
    let first = Geometry.firstChild(of: position)
    return PallocSum.merge(
      count: 1 << Geometry.childrenLog, logPagesPerChild: logPages &- Geometry.childrenLog
    ) { self[first &+ $0] }
  }

  /// The longest run in an entry's children, where it is known to be no longer than `most`.
  ///
  /// - Complexity: O(1); eight entries, or up to the first such run.
  @inline(never)
  private func longestRun(inChildrenOf position: Int, pages size: Int, atMost most: Int) -> Int {
    let first = Geometry.firstChild(of: position)
    var all = Neighbours(pages: size)
    for index in first..<(first &+ (1 << Geometry.childrenLog)) {
      all.add(self[index])
      if all.longestRun == most { break }
    }
    return all.longestRun
  }

  /// Takes the new summary of one chunk and carries it up.
  @inline(__always)
  fileprivate func update(leaf chunk: ChunkIndex, _ sum: PallocSum) {
    let position = Geometry.firstEntry(Geometry.leafLevel) &+ chunk
    let before = self[position]
    if before == sum { return }
    self[position] = sum
    carry(from: position, logPages: Geometry.chunkPagesLog, before: before, after: sum)
  }

  /// Carries the change of an entry up.
  @inline(never)
  fileprivate func carry(from position: Int, logPages: Int, before: PallocSum, after: PallocSum) {
    var position = position
    var logPages = logPages
    var before = before
    var after = after
    while position >= Geometry.entryCount(0) {
      let above = Geometry.parent(of: position)
      let parent = self[above]
      let new =
        parent.isAllOfRoot
        ? mergeOfChildren(of: above, logPages: logPages &+ Geometry.childrenLog)
        : self.parent(
          parent, at: above, of: position, pages: 1 &<< logPages, before: before, after: after)
      if new == parent { return }
      self[above] = new
      position = above
      logPages &+= Geometry.childrenLog
      before = parent
      after = new
    }
  }

  /// An entry after one of its children changed.
  @inline(__always)
  private func parent(
    _ parent: PallocSum, at above: Int, of position: Int, pages size: Int, before: PallocSum,
    after: PallocSum
  ) -> PallocSum {
    let longest = parent.maxBelowRoot
    if before.hasEdges(of: after) {
      // No run that crosses an edge has changed.
      if after.maxBelowRoot < longest, before.maxBelowRoot < longest { return parent }
      return PallocSum(
        start: parent.startBelowRoot,
        max: after.maxBelowRoot >= longest
          ? after.maxBelowRoot : longestRun(inChildrenOf: above, pages: size, atMost: longest),
        end: parent.endBelowRoot)
    }
    let all = size &<< Geometry.childrenLog
    let last = (1 << Geometry.childrenLog) &- 1
    let place = (position &- Geometry.entryCount(0)) & last
    let low = place &* size
    let high = low &+ size
    // Where all is free up to an edge of the parent, the parent said so.
    let freeBelow =
      parent.startBelowRoot >= low
      ? low : freePages(below: position, siblings: place, size)
    let freeAbove =
      parent.endBelowRoot >= all &- high
      ? all &- high : freePages(above: position, siblings: last &- place, size)
    let start = low &- freeBelow
    let end = high &+ freeAbove
    return parent.changed(
      in: start, end, of: all,
      before: FreeStretch(before, size: size, below: freeBelow, above: freeAbove).max,
      now: FreeStretch(after, size: size, below: freeBelow, above: freeAbove),
      room: max(start, all &- end),
      longestOfAll: longestRun(inChildrenOf: above, pages: size, atMost: longest))
  }

  /// Free pages in a row right below an entry, among so many siblings of so many pages, 1 or more.
  @inline(__always)
  private func freePages(below position: Int, siblings: Int, _ size: Int) -> Int {
    var run = 0
    var index = position
    repeat {
      index &-= 1
      let free = self[index].endBelowRoot
      run &+= free
      if free != size { break }
    } while index > position &- siblings
    return run
  }

  /// Free pages in a row right above an entry, among so many siblings of so many pages, 1 or more.
  @inline(__always)
  private func freePages(above position: Int, siblings: Int, _ size: Int) -> Int {
    var run = 0
    var index = position
    repeat {
      index &+= 1
      let free = self[index].startBelowRoot
      run &+= free
      if free != size { break }
    } while index < position &+ siblings
    return run
  }
}

extension SummaryTree {
  /// The merge of an entry's eight children.
  ///
  /// - Complexity: O(1); eight entries, in two cache lines at the most.
  package func mergeOfChildren(level: Int, index: Int) -> PallocSum {
    entries.mergeOfChildren(
      of: Geometry.firstEntry(level) &+ index, logPages: Geometry.levelLogPages(level))
  }

  /// Takes the new summary of one chunk and carries it up until nothing changes.
  ///
  /// - Complexity: O(1); at most a look at eight entries in each of three levels.
  @inline(__always)
  package func update(leaf chunk: ChunkIndex, _ sum: PallocSum) {
    entries.update(leaf: chunk, sum)
  }

  /// Takes new summaries of neighbouring chunks and carries them up.
  ///
  /// - Parameters:
  ///   - chunks: two chunks or more.
  ///   - first: the summary of the first of them.
  ///   - inner: whether the chunks between are all free; else they are all in use.
  ///   - last: the summary of the last.
  /// - Complexity: O(chunks), by one store each; at most two merges a level.
  package func update(
    leaves chunks: ClosedRange<ChunkIndex>, first: PallocSum, areInnerFree inner: Bool,
    last: PallocSum
  ) {
    let leaves = Geometry.firstEntry(Geometry.leafLevel)
    var low = leaves &+ chunks.lowerBound
    var high = leaves &+ chunks.upperBound
    var logPages = Geometry.chunkPagesLog
    self[low] = first
    self[high] = last
    while true {
      let size = 1 &<< logPages
      let sum = inner ? PallocSum(start: size, max: size, end: size) : .none
      var position = low &+ 1
      while position < high {
        self[position] = sum
        position &+= 1
      }
      if low < Geometry.entryCount(0) { return }
      low = Geometry.parent(of: low)
      high = Geometry.parent(of: high)
      logPages &+= Geometry.childrenLog
      let before = self[low]
      self[low] = entries.mergeOfChildren(of: low, logPages: logPages)
      if high == low {
        // All that changed lies in one entry.
        return entries.carry(from: low, logPages: logPages, before: before, after: self[low])
      }
      self[high] = entries.mergeOfChildren(of: high, logPages: logPages)
    }
  }
}

// MARK: - Many chunks here and there

extension SummaryTree {
  /// Entries above the leaves that are to be merged anew.
  package struct Stale {
    fileprivate var low: UInt64 = 0
    fileprivate var high: UInt64 = 0

    /// None.
    package init() {}
  }

  /// Takes the new summary of one chunk, to be carried up by ``carry(_:)``.
  @inline(__always)
  package func set(leaf chunk: ChunkIndex, _ sum: PallocSum, _ stale: inout Stale) {
    let position = Geometry.firstEntry(Geometry.leafLevel) &+ chunk
    if self[position] == sum { return }
    self[position] = sum
    let parent = chunk >> Geometry.childrenLog
    let bit: UInt64 = 1 &<< UInt64(truncatingIfNeeded: parent & 63)
    if parent < 64 { stale.low |= bit } else { stale.high |= bit }
  }

  /// Merges anew what the changes of chunks made stale, each entry once.
  ///
  /// - Complexity: O(entries above the chunks that changed).
  package func carry(_ stale: Stale) {
    let above =
      merge(stale.low, level: Geometry.leafLevel - 1, first: 0)
      | merge(stale.high, level: Geometry.leafLevel - 1, first: 64)
    _ = merge(merge(above, level: 1, first: 0), level: 0, first: 0)
  }

  /// Merges the entries that a word of bits names.
  ///
  /// - Returns: bits of the entries above those that changed.
  private func merge(_ bits: UInt64, level: Int, first: Int) -> UInt64 {
    var left = bits
    var above: UInt64 = 0
    while left != 0 {
      let index = first &+ left.trailingZeroBitCount
      left &= left &- 1
      let position = Geometry.firstEntry(level) &+ index
      let merged = entries.mergeOfChildren(of: position, logPages: Geometry.levelLogPages(level))
      if self[position] == merged { continue }
      self[position] = merged
      above |= 1 &<< UInt64(truncatingIfNeeded: index >> Geometry.childrenLog)
    }
    return above
  }
}
