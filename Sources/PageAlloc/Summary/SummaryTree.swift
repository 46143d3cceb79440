// The summary tree
// ================
//
// An implicit radix tree over the 32-bit space. Every entry summarises the pages below it; eight
// neighbours are merged into the entry above them, and two entries make the root.
//
//   level 0    [    2 GiB     |    2 GiB     ]                      2 entries
//   level 1    [256M|    |    |    |    |    | ... ]               16
//   level 2    [32M| | | | | | | ... ]                            128
//   level 3    [4M| | | | | | | | ... ]                         1,024, one a chunk
//
// Invariants, whenever the heap lock is free:
// - a leaf entry is what `PallocBits.summarize` says of its chunk; 0 where nothing was ever grown;
// - any other entry is the merge of its eight children.
//
// So the longest free run of all is known from the root alone, and a search goes down one path.

/// The packed summaries of all levels, in memory that somebody else owns.
package struct SummaryTree: ~Copyable {
  /// The entries themselves.
  let entries: SummaryEntries
  /// How many entries of each level may be other than zero.
  private var lengths = InlineArray<4, Int>(repeating: 0)

  /// Bytes that `sysInit` needs.
  package static let byteCount = Geometry.summaryEntryCount * MemoryLayout<UInt64>.size

  /// A tree of nothing, in `storage`: all levels are mapped at once, they are 12 KiB in pages of 4.
  ///
  /// - Precondition: `storage` holds 1,170 zero words.
  package static func sysInit(storage: UnsafeMutablePointer<UInt64>) -> SummaryTree {
    unsafe SummaryTree(entries: SummaryEntries(words: storage))
  }

  private init(entries: SummaryEntries) { self.entries = entries }

  /// Notes that chunks were added: each level becomes long enough for them, in whole blocks.
  ///
  /// Nothing is mapped here, since `sysInit` mapped it all.
  package mutating func sysGrow(_ chunks: Range<ChunkIndex>) {
    for level in 0..<Geometry.summaryLevels {
      let shift = Geometry.childrenLog * (Geometry.leafLevel - level)
      let block = 1 << Geometry.levelBits(level)
      let last = (chunks.upperBound - 1) >> shift
      lengths[level] = max(lengths[level], (last + block) & ~(block - 1))
    }
  }

  /// How many entries of a level are known.
  package func length(level: Int) -> Int { lengths[level] }

  /// An entry of a level.
  @inline(__always)
  package func entry(level: Int, index: Int) -> PallocSum {
    assert(index >= 0 && index < Geometry.entryCount(level))
    return self[Geometry.firstEntry(level) &+ index]
  }

  /// An entry by where it lies among those of all levels.
  @inline(__always)
  subscript(position: Int) -> PallocSum {
    get { entries[position] }
    nonmutating set { entries[position] = newValue }
  }

  /// The summary of a chunk.
  @inline(__always)
  package func leaf(_ chunk: ChunkIndex) -> PallocSum {
    entry(level: Geometry.leafLevel, index: chunk)
  }

  /// The longest free run anywhere, in pages.
  ///
  /// - Complexity: O(1); the two entries of the root.
  @inline(__always)
  package var longestRun: Int {
    let low = entry(level: 0, index: 0)
    let high = entry(level: 0, index: 1)
    return max(low.max, high.max, low.end + high.start)
  }
}
