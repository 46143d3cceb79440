extension PageAllocator {
  /// Gives back many runs; the summaries are brought up to date once a chunk.
  ///
  /// The same state as after freeing them one by one in address order.
  /// - Precondition: all their pages are in use, and no page is in two of them.
  /// - Complexity: O(runs · log + pages / 512).
  package mutating func free(_ batch: inout RunBatch) {
    batch.sort()
    var stale = SummaryTree.Stale()
    var index = 0
    while index < batch.count {
      let (page, pageCount) = batch[index]
      let chunk = Geometry.chunk(of: page)
      if Geometry.chunk(of: page &+ pageCount &- 1) != chunk {
        free(page, pageCount)
        index &+= 1
        continue
      }
      lowerSearchPage(to: page)
      let allocated = chunks.data(chunk).allocated
      var sum = summaries.leaf(chunk)
      var total = 0
      var end = 0
      repeat {
        let (page, pageCount) = batch[index]
        let place = Geometry.place(of: page)
        guard Geometry.chunk(of: page) == chunk, place &+ pageCount <= Geometry.pagesPerChunk
        else { break }
        end = place &+ pageCount
        total &+= pageCount
        allocated.bits.remove(place..<end)
        sum = allocated.summary(afterFreeing: place..<end, sum)
        index &+= 1
      } while index < batch.count
      noteFreed(chunk: chunk, last: end &- 1, pageCount: total)
      summaries.set(leaf: chunk, sum, &stale)
    }
    summaries.carry(stale)
  }
}
