import PageAlloc

// Films of a heap
// ===============
//
// A frame is what every cell is at one step. It is kept as what differs from the frame before, so
// that a frame costs as much as happened: pairs of numbers, in bytes of which each but the last of
// a number has its highest bit set (LEB128). The first is how many cells stay as they were, the
// second is how many follow that are alike, times 8, and the raw value of what they are now. Before
// the first frame, and where the heap had not grown to, all are never used.
//
//     skip 3     5 × 8 + inUse     skip 0     2 × 8 + free
//     0x03       0x29              0x00       0x14
//
// Who shows a film decodes all of it once, and keeps every 32nd frame whole: so any is there after
// at most 31 steps.

/// What a heap was at some steps of a recording.
package struct HeapFilm {
  /// One frame's figures.
  package struct Frame {
    /// How many events had happened.
    package let step: Int
    /// How many pages the heap had.
    package let pageCount: Int
    /// How many pages there were of each state, by its raw value.
    package let counts: PagePicture.Counts
    /// The most free pages in a row.
    package let longestFreeRun: Int
    /// The numbers of the huge pages that back the heap, counted from its first page, in order;
    /// `nil` where they are not known.
    package let hugePages: [Int]?
    /// How many bytes of `changes` are this frame's.
    package let byteCount: Int
  }

  /// Pages in a cell: a power of two.
  package let pagesPerCell: Int
  /// The frames, in the order of their steps.
  package private(set) var frames: [Frame] = []
  /// What changes from frame to frame.
  package private(set) var changes: [UInt8] = []
  /// The cells of the last frame.
  private var cells: [PageState] = []

  /// Cells that a film has as a rule.
  private static let usualCells = 16_384

  /// A film without a frame.
  ///
  /// - Parameter peakPages: the most pages that will be in use; cells are so large that a heap a
  ///   quarter larger has at most 16,384 of them.
  package init(peakPages: Int) {
    var pages = 1
    while peakPages + peakPages / 4 > pages * Self.usualCells { pages *= 2 }
    pagesPerCell = pages
  }

  /// How many cells there are at most in a frame.
  package var cellCount: Int { cells.count }

  /// Adds a frame.
  ///
  /// - Parameter hugePages: as in a frame.
  /// - Complexity: O(pages of the heap).
  package mutating func append(_ snapshot: PageSnapshot, hugePages: [Int]? = nil, step: Int) {
    let picture = PagePicture(snapshot, title: "")
    let start = changes.count
    note(picture.cells(of: pagesPerCell))
    frames.append(
      Frame(
        step: step, pageCount: picture.pageCount, counts: picture.counts,
        longestFreeRun: picture.longestFreeRun, hugePages: hugePages,
        byteCount: changes.count - start))
  }

  /// Writes what differs from the last frame.
  package mutating func note(_ new: [PageState]) {
    while cells.count < new.count { cells.append(.neverUsed) }
    var written = 0
    var place = 0
    while place < cells.count {
      let state = Self.state(new, place)
      if state == cells[place] {
        place += 1
        continue
      }
      var end = place + 1
      while end < cells.count, Self.state(new, end) == state, cells[end] != state { end += 1 }
      append(place - written)
      append((end - place) << 3 | Int(state.rawValue))
      for changed in place..<end { cells[changed] = state }
      place = end
      written = end
    }
  }

  private static func state(_ cells: [PageState], _ place: Int) -> PageState {
    place < cells.count ? cells[place] : .neverUsed
  }

  private mutating func append(_ number: Int) {
    var left = number
    while left > 127 {
      changes.append(UInt8(left & 127) | 128)
      left >>= 7
    }
    changes.append(UInt8(left))
  }
}
