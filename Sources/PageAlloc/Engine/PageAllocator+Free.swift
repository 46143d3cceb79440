extension PageAllocator {
  /// Gives back pages that are in use: a run, a part of one, or several neighbours at once.
  ///
  /// - Precondition: all of them are in use.
  /// - Complexity: O(1) in the heap; O(`pageCount` / 512).
  @inline(__always)
  package mutating func free(_ page: PageNumber, _ pageCount: Int) {
    lowerSearchPage(to: page)
    let chunk = Geometry.chunk(of: page)
    let place = Geometry.place(of: page)
    if place &+ pageCount <= Geometry.pagesPerChunk {
      let allocated = chunks.data(chunk).allocated
      let places = place..<(place &+ pageCount)
      allocated.bits.remove(places)
      noteFreed(chunk: chunk, last: place &+ pageCount &- 1, pageCount: pageCount)
      summaries.update(
        leaf: chunk, allocated.summary(afterFreeing: places, summaries.leaf(chunk)))
    } else {
      freeLong(page, pageCount)
    }
  }

  @inline(never)
  private mutating func freeLong(_ page: PageNumber, _ pageCount: Int) {
    let end = page &+ pageCount
    var position = page
    while position < end {
      let chunk = Geometry.chunk(of: position)
      let base = Geometry.firstPage(of: chunk)
      let stop = min(end, base &+ Geometry.pagesPerChunk)
      let allocated = chunks.data(chunk).allocated
      if stop &- position == Geometry.pagesPerChunk {
        allocated.bits.setAllWords(0)
      } else {
        allocated.bits.remove((position &- base)..<(stop &- base))
      }
      noteFreed(chunk: chunk, last: stop &- base &- 1, pageCount: stop &- position)
      position = stop
    }
    update(page, pageCount, areInnerFree: true)
  }
}
