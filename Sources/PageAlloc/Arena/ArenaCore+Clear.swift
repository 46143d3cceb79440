extension ArenaCore {
  /// Makes a run that was just taken read as zero.
  ///
  /// Up to the map's capacity the dirty pages are cleared in place; a longer run goes back to the
  /// kernel as a whole, which costs nothing for pages it does not back, and comes again as zeroes.
  func clear(_ page: PageNumber, _ pageCount: Int, _ dirt: DirtMap, isAllDirty: Bool) {
    // Refused (locked memory, say), it is done by hand, below.
    if pageCount > DirtMap.pageCapacity, empty(address(of: page), Self.byteCount(pageCount)) {
      return
    }
    if isAllDirty || pageCount > DirtMap.pageCapacity {
      clear(page..<(page &+ pageCount))
    } else {
      dirt.forEachDirtyRun(pageCount: pageCount) {
        clear((page &+ $0.lowerBound)..<(page &+ $0.upperBound))
      }
    }
  }

  /// Clears pages that the caller owns.
  func clear(_ pages: Range<PageNumber>) {
    if checks != nil { permit(pages, hasContents: true) }
    // The caller owns these pages: they were just taken for it.
    unsafe memory(of: pages.lowerBound).initializeMemory(
      as: UInt8.self, repeating: 0, count: pages.count << Geometry.pageShift)
  }
}
