// Up the tree after a change, with the least work: an entry is merged anew from its eight children only
// where the one that changed could matter to it.

extension SummaryTree {
  /// The merge of an entry's eight children.
  ///
  /// - Complexity: O(1); eight entries, in two cache lines at the most.
  package func mergeOfChildren(level: Int, index: Int) -> PallocSum {
    let below = level &+ 1
    let size = 1 << Geometry.levelLogPages(below)
    let first = index << Geometry.childrenLog
    var start = -1
    var longest = 0
    var run = 0  // free pages up to the low edge of the child
    for child in first..<(first &+ (1 << Geometry.childrenLog)) {
      let sum = entry(level: below, index: child)
      let low = sum.startBelowRoot
      run &+= low
      if low == size { continue }
      if start < 0 { start = run }
      longest = max(longest, run, sum.maxBelowRoot)
      run = sum.endBelowRoot
    }
    if start < 0 { start = run }
    return PallocSum(start: start, max: max(longest, run), end: run)
  }

  /// Takes the new summary of one chunk and carries it up until nothing changes.
  ///
  /// - Complexity: O(1); at most a merge of eight in each of three levels.
  @inline(__always)
  package func update(leaf chunk: ChunkIndex, _ sum: PallocSum) {
    let before = leaf(chunk)
    if before == sum { return }
    setEntry(level: Geometry.leafLevel, index: chunk, sum)
    carry(from: Geometry.leafLevel, index: chunk, before: before, after: sum)
  }

  /// Carries the change of one entry up.
  @inline(never)
  private func carry(from level: Int, index: Int, before: PallocSum, after: PallocSum) {
    var level = level
    var index = index
    var before = before
    var after = after
    while level > 0 {
      level &-= 1
      index >>= Geometry.childrenLog
      let parent = entry(level: level, index: index)
      var merged = parent
      if before.hasEdges(of: after), before.max < parent.max || after.max > before.max {
        // No run that crosses an edge has changed. Either another run is the longest here, or this.
        if after.max <= parent.max { return }
        merged = PallocSum(start: parent.start, max: after.max, end: parent.end)
      } else {
        merged = mergeOfChildren(level: level, index: index)
      }
      if merged == parent { return }
      setEntry(level: level, index: index, merged)
      before = parent
      after = merged
    }
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
    var low = chunks.lowerBound
    var high = chunks.upperBound
    setEntry(level: Geometry.leafLevel, index: low, first)
    setEntry(level: Geometry.leafLevel, index: high, last)
    var level = Geometry.leafLevel
    while true {
      let size = 1 << Geometry.levelLogPages(level)
      let sum = inner ? PallocSum(start: size, max: size, end: size) : .none
      var index = low &+ 1
      while index < high {
        setEntry(level: level, index: index, sum)
        index &+= 1
      }
      if level == 0 { return }
      level &-= 1
      low >>= Geometry.childrenLog
      high >>= Geometry.childrenLog
      setEntry(level: level, index: low, mergeOfChildren(level: level, index: low))
      if high != low {
        setEntry(level: level, index: high, mergeOfChildren(level: level, index: high))
      }
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
    if leaf(chunk) == sum { return }
    setEntry(level: Geometry.leafLevel, index: chunk, sum)
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
      let merged = mergeOfChildren(level: level, index: index)
      if entry(level: level, index: index) == merged { continue }
      setEntry(level: level, index: index, merged)
      above |= 1 &<< UInt64(truncatingIfNeeded: index >> Geometry.childrenLog)
    }
    return above
  }
}
