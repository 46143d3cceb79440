/// What the kernel's pages are, as far as choosing pages to give back goes.
package struct KernelPages: Equatable {
  /// Logical pages in a physical page; 1 where the physical page is smaller.
  package let pagesPerPhysicalPage: Int
  /// Logical pages in a huge page that is worth keeping whole; 0 where there is none.
  package let pagesPerHugePage: Int

  /// The kernelPages for physical and huge pages of so many bytes.
  ///
  /// A huge page counts only where it is larger than a page and than a physical page.
  /// - Precondition: powers of two; the physical page is at most 512 KiB; huge 0 for none.
  package init(physicalPageSize: Int, hugePageSize: Int) {
    pagesPerPhysicalPage = max(1, PageSpace.pageCount(in: physicalPageSize))
    pagesPerHugePage =
      hugePageSize > Geometry.pageSize && hugePageSize > physicalPageSize
      ? PageSpace.pageCount(in: hugePageSize) : 0
  }
}

/// A chunk's two maps, in memory that somebody else owns: 8 words of pages in use, then 8 words of
/// pages that are scavenged (free, and given back to the kernel).
@safe
package struct PallocData {
  /// Words of one chunk's maps.
  package static let wordCount = 2 * Geometry.wordsPerChunk

  // Invariant: points at 16 words that outlive the view.
  private let words: UnsafeMutablePointer<UInt64>

  /// A view of the 16 words from `words` on.
  @inline(__always)
  package init(words: UnsafeMutablePointer<UInt64>) {
    unsafe self.words = words
  }

  /// One: in use.
  @inline(__always)
  package var allocated: PallocBits {
    // The first 8 of the 16 words.
    unsafe PallocBits(PageBits(words: words))
  }

  /// One: scavenged. A page in use is never scavenged, but for padding and
  /// what is on its way back to the kernel.
  @inline(__always)
  package var scavenged: PageBits {
    // The last 8 of the 16 words.
    unsafe PageBits(words: words + Geometry.wordsPerChunk)
  }

  /// Marks a free range as in use.
  ///
  /// - Returns: how many of its pages were scavenged; they are no longer.
  @inline(__always)
  package func allocate(_ range: Range<Int>) -> Int {
    allocated.bits.insert(range)
    let count = scavenged.count(in: range)
    if count != 0 { scavenged.remove(range) }
    return count
  }
}

extension PallocData {
  /// Marks a chunk that is all free as all in use.
  ///
  /// - Returns: how many of its pages were scavenged; they are no longer.
  @inline(__always)
  package func allocateAll() -> Int {
    allocated.bits.setAllWords(~0)
    let count = scavenged.count
    if count != 0 { scavenged.setAllWords(0) }
    return count
  }
}

// MARK: - Scavenging

extension PallocData {
  /// The highest run of pages that are free and hold something, for the kernel to have.
  ///
  /// - Parameters:
  ///   - place: nothing above the 64-page word that holds this place is looked at.
  ///   - minimum: pages that can only be given back together; a power of two up to 64.
  ///   - limit: how many pages are wanted at the most; rounded up to `minimum`.
  ///   - kernelPages: a run that would cut a free huge page in two takes all of it.
  ///   - spared: bit i: the pages of word i are left alone.
  /// - Returns: the pages, or `nil` where there are none.
  /// - Complexity: O(1); 8 words.
  package func findScavengeCandidate(
    from place: Int, minimum: Int, limit: Int, kernelPages: KernelPages, spared: UInt8 = 0
  ) -> Range<Int>? {
    var index = place >> 6
    while index >= 0, closed(index, minimum, spared) == ~0 { index &-= 1 }
    if index < 0 { return nil }

    // The run's upper end lies in this word; its lower end may lie in one below.
    let word = closed(index, minimum, spared)
    let above = (~word).leadingZeroBitCount
    let end = index &* 64 &+ 64 &- above
    let shifted = word &<< UInt64(truncatingIfNeeded: above)
    var run = 64 &- above
    if shifted != 0 {
      run = shifted.leadingZeroBitCount
    } else {
      while index > 0 {
        index &-= 1
        let next = closed(index, minimum, spared)
        run &+= next.leadingZeroBitCount
        if next != 0 { break }
      }
    }

    // `minimum` is a power of two.
    let wanted = max(minimum, (limit &+ minimum &- 1) & ~(minimum &- 1))
    var start = end &- min(run, wanted)
    let huge = kernelPages.pagesPerHugePage
    if huge > 0 {
      let boundaryAbove = (start &+ huge &- 1) & ~(huge &- 1)
      let boundaryBelow = start & ~(huge &- 1)
      if boundaryAbove <= end, boundaryBelow >= end &- run { start = boundaryBelow }
    }
    return start..<end
  }

  /// Ones at pages that cannot be given back: in use, scavenged, or in a group with such a page.
  @inline(__always)
  private func closed(_ index: Int, _ minimum: Int, _ spared: UInt8) -> UInt64 {
    if spared &>> UInt8(truncatingIfNeeded: index) & 1 != 0 { return ~0 }
    return fillAligned(allocated.bits.word(index) | scavenged.word(index), minimum)
  }
}
