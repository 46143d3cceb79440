import PageAlloc

// Pictures of a heap
// ==================
//
// A picture is made of cells. Each stands for one page, or, where the heap is large, for a group of
// 2, 4, 8 … pages in a row, and shows what most of them are. How many pages are in a group is for
// whoever draws to choose: PagePicture+Text.swift draws for a terminal, PagePicture+SVG.swift for
// everything else. The figures below a picture are of pages, not of cells: they are exact.

/// What a heap looks like: the state of each page, in the order of their addresses.
package struct PagePicture {
  /// Pages in a chunk, by which an arena grows: 4 MiB.
  package static let pagesPerChunk = 512
  /// Pages in a huge page of 2 MiB.
  package static let pagesPerHugePage = 256

  /// What the picture is of.
  package var title: String
  /// The address of the first page.
  package let address: UInt64
  /// Bytes in a page.
  package let pageSize: Int
  /// How many pages there are.
  package let pageCount: Int
  /// Stretches of pages that are alike, in order; they have all pages.
  package let stretches: [SnapshotFile.Stretch]
  /// The numbers of the huge pages that back the heap, counted from its first page, in order; `nil`
  /// where nobody knows.
  package var hugePages: [Int]?
  /// The most free pages in a row, with contents or without.
  package let longestFreeRun: Int

  /// A picture of a snapshot out of a file, which does not tell of huge pages.
  package init(_ file: SnapshotFile, title: String) {
    self.init(
      title: title, address: file.address, pageSize: file.pageSize, pageCount: file.pageCount,
      stretches: file.stretches)
  }

  /// A picture of a snapshot.
  package init(_ snapshot: PageSnapshot, title: String) {
    var stretches: [SnapshotFile.Stretch] = []
    snapshot.forEachStretch { stretches.append(SnapshotFile.Stretch(pages: $0, state: $1)) }
    self.init(
      title: title, address: UInt64(snapshot.address), pageSize: PageArena.pageSize,
      pageCount: snapshot.pageCount, stretches: stretches)
  }

  private init(
    title: String, address: UInt64, pageSize: Int, pageCount: Int, stretches: [SnapshotFile.Stretch]
  ) {
    self.title = title
    self.address = address
    self.pageSize = pageSize
    self.pageCount = pageCount
    self.stretches = stretches
    var (longest, length) = (0, 0)
    for stretch in stretches {
      length = stretch.state == .free || stretch.state == .empty ? length + stretch.pages.count : 0
      longest = max(longest, length)
    }
    longestFreeRun = longest
  }
}

// MARK: - Figures

extension PagePicture {
  /// How many pages there are of each state.
  package typealias Counts = InlineArray<6, Int>

  /// How many pages there are of each state, by its raw value.
  package var counts: Counts {
    var counts = Counts(repeating: 0)
    for stretch in stretches { counts[Int(stretch.state.rawValue)] += stretch.pages.count }
    return counts
  }

  /// How many pages are free, with contents or without.
  package var freePageCount: Int {
    let counts = counts
    return counts[Int(PageState.free.rawValue)] + counts[Int(PageState.empty.rawValue)]
  }

  /// How far what is free is scattered: 0 where all free pages lie in a row, towards 1 where none
  /// do.
  package var fragmentation: Double {
    let free = freePageCount
    return free == 0 ? 0 : 1 - Double(longestFreeRun) / Double(free)
  }

  /// How many bytes so many pages have.
  package func byteCount(_ pageCount: Int) -> UInt64 { UInt64(pageCount) * UInt64(pageSize) }
}

// MARK: - Cells

extension PagePicture {
  /// Calls `body` for each group of so many pages in a row, in order, with how many of them there
  /// are of each state; the last group may be smaller.
  ///
  /// - Precondition: `size` is at least 1.
  package func forEachGroup(of size: Int, _ body: (Counts) -> Void) {
    var counts = Counts(repeating: 0)
    var filled = 0
    for stretch in stretches {
      var left = stretch.pages.count
      while left > 0 {
        let taken = min(left, size - filled)
        counts[Int(stretch.state.rawValue)] += taken
        filled += taken
        left -= taken
        if filled == size {
          body(counts)
          counts = Counts(repeating: 0)
          filled = 0
        }
      }
    }
    if filled > 0 { body(counts) }
  }

  /// The cells of a picture with so many pages in each: what most of the pages are, and where two
  /// states have as many, the one that stands higher in the legend.
  ///
  /// - Precondition: `pagesPerCell` is at least 1.
  /// - Complexity: O(cells + stretches).
  package func cells(of pagesPerCell: Int) -> [PageState] {
    var cells: [PageState] = []
    cells.reserveCapacity(pageCount / pagesPerCell + 1)
    forEachGroup(of: pagesPerCell) { counts in
      var most = PageState.inUse
      for state in PageState.inLegendOrder
      where counts[Int(state.rawValue)] > counts[Int(most.rawValue)] { most = state }
      cells.append(most)
    }
    return cells
  }

  /// How many pages a cell must have, so that rows of `width` cells are at most `height`: a power
  /// of two.
  package func pagesPerCell(width: Int, height: Int) -> Int {
    var pages = 1
    while (pageCount + pages * width - 1) / (pages * width) > height { pages *= 2 }
    return pages
  }
}
