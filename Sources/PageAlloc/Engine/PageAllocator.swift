import SysMem

// The page allocator
// ==================
//
// Pure bookkeeping: which pages of a 32-bit space are in use. It touches none of the memory it
// speaks of and makes no call to the kernel; `PageArena` does both around it. One caller at a time.
//
//      SummaryTree      where is there room?         one path down, one path up
//          |
//      ChunkMap         which pages exactly?         512 bits a chunk, twice
//          |
//      ScavengeIndex    what could go back?          one record a chunk
//
// Placement is address-ordered first fit: a run goes to the lowest place with enough free pages
// in a row. The *search address* makes that cheap: all pages below it are in use.
//
// The rules, the names of the parts and the geometry are those of the page allocator of the Go
// runtime (release 1.27, 32-bit hosts); the conformance traces compare the two, step by step.

/// A page allocator of a 32-bit space: first fit by address, with summaries.
///
/// Positions are page numbers, sizes are pages. What is asked for must make sense: the callers
/// check what comes from outside.
package struct PageAllocator: ~Copyable {
  /// The summaries of all chunks.
  package internal(set) var summaries: SummaryTree
  /// The bitmaps of all chunks.
  package let chunks: ChunkMap
  /// What could be given back.
  package var scavengeIndex: ScavengeIndex
  /// What was grown, in pages, sorted and joined.
  package internal(set) var ranges: AddressRanges<UInt32>
  /// What was handed out: looked at only where something is wrong.
  let runs: RunTable
  /// What kinds of pages the kernel has.
  package var kernelPages: KernelPages

  /// All pages below it are in use; `Geometry.pageCount` where no page is known to be free.
  package internal(set) var searchPage: PageNumber = Geometry.pageCount
  /// The lowest chunk ever grown; 0 before.
  package internal(set) var startChunk: ChunkIndex = 0
  /// One past the highest chunk ever grown; 0 before.
  package internal(set) var endChunk: ChunkIndex = 0

  /// An allocator of nothing, whose tables lie in `tables`.
  package init(tables: borrowing AllocatorTables, kernelPages: KernelPages) {
    // The tables are zero and outlive the allocator, which their owner sees to.
    unsafe summaries = SummaryTree.sysInit(storage: tables.summaries)
    unsafe scavengeIndex = ScavengeIndex.sysInit(storage: tables.scavengeRecords)
    ranges = tables.ranges
    chunks = tables.chunks
    runs = tables.runs
    self.kernelPages = kernelPages
  }

  /// The bitmaps of a grown chunk.
  @inline(__always)
  package func chunk(_ chunk: ChunkIndex) -> PallocData { chunks.data(chunk) }

  /// Whether a chunk was grown.
  package func isGrown(_ chunk: ChunkIndex) -> Bool {
    ranges.contains(UInt32(truncatingIfNeeded: Geometry.firstPage(of: chunk)))
  }

  /// Whether all pages of a run lie in grown chunks.
  package func isGrown(_ page: PageNumber, _ pageCount: Int) -> Bool {
    let index = ranges.indexOfSuccessor(UInt32(truncatingIfNeeded: page))
    return index > 0 && page + pageCount <= Int(ranges[index - 1].upperBound)
  }

  /// Calls `body` with each chunk that a run touches, in order, and the places of the run in it.
  @inline(__always)
  package func forEachChunk(
    of page: PageNumber, _ pageCount: Int, _ body: (ChunkIndex, Range<Int>) -> Void
  ) {
    let end = page &+ pageCount
    var position = page
    while position < end {
      let chunk = Geometry.chunk(of: position)
      let base = Geometry.firstPage(of: chunk)
      let stop = min(end, base &+ Geometry.pagesPerChunk)
      body(chunk, (position &- base)..<(stop &- base))
      position = stop
    }
  }

  /// Brings the summaries up to date after a run was taken or given back.
  ///
  /// - Parameter areInnerFree: whether the chunks wholly inside the run are free now, or in use.
  @inline(__always)
  func update(_ page: PageNumber, _ pageCount: Int, areInnerFree: Bool) {
    let first = Geometry.chunk(of: page)
    let last = Geometry.chunk(of: page &+ pageCount &- 1)
    let firstSum = chunks.data(first).allocated.summarize()
    if first == last {
      summaries.update(leaf: first, firstSum)
    } else {
      summaries.update(
        leaves: first...last, first: firstSum, areInnerFree: areInnerFree,
        last: chunks.data(last).allocated.summarize())
    }
  }

  /// All pages below a page may no longer be in use.
  @inline(__always)
  mutating func lowerSearchPage(to page: PageNumber) {
    if page < searchPage { searchPage = page }
  }
}
