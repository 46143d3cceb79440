import SysMem

extension ReturnPath {
  /// Offers all free pages to the kernel, chunk by chunk from the top. They stay free and not scavenged.
  ///
  /// They are detached meanwhile: were they handed out and written before the kernel is told, the
  /// contents would be offered.
  func releaseLazily() -> Result {
    // The state lives until the arena's end; so below.
    unsafe state.locks.pointee.release.lock()
    defer { unsafe state.locks.pointee.release.unlock() }
    var result = Result()
    var page = Geometry.pageCount
    while page > 0 {
      var batch = AdviceBatch()
      unsafe state.locks.pointee.heap.lock()
      let next = unsafe state.pointee.detachFree(below: page)
      unsafe state.locks.pointee.heap.unlock()
      guard let next else { break }
      page = next
      // The list is this thread's, as long as it holds the release lock.
      let detached = unsafe state.pointee.detached
      for index in 0..<detached.runCount {
        batch.append(range(of: detached[index]))
      }
      system.advise(&batch, .free)
      for index in 0..<batch.count {
        let size = UInt64(batch[index].byteCount)
        if batch.isRefused(index) {
          result.refusedBytes += size
        } else {
          result.releasedBytes += size
        }
      }
      if result.firstRefusal == nil { result.firstRefusal = batch.firstRefusal }
      unsafe state.locks.pointee.heap.lock()
      unsafe state.pointee.reattachAll()
      unsafe state.locks.pointee.heap.unlock()
    }
    unsafe state.locks.pointee.heap.lock()
    unsafe state.pointee.scavenger.counters.lazyBytes += result.releasedBytes
    unsafe state.pointee.scavenger.counters.refusedBytes += result.refusedBytes
    unsafe state.locks.pointee.heap.unlock()
    return result
  }
}

extension ArenaState {
  /// Detaches the free pages with contents of the highest chunk below a page that has any, as far as
  /// the list has room.
  ///
  /// Call with `heap` held and nothing detached.
  /// - Returns: where the next call goes on; `nil` where there is nothing below.
  fileprivate mutating func detachFree(below page: PageNumber) -> PageNumber? {
    var end = min(page, Geometry.firstPage(of: allocator.endChunk))
    while end > 0, detached.isEmpty {
      let chunk = Geometry.chunk(of: end - 1)
      let first = Geometry.firstPage(of: chunk)
      end = allocator.isGrown(chunk) ? detachFree(in: first..<end) : first
    }
    return detached.isEmpty ? nil : end
  }

  /// The same for pages of one chunk. Page by page: it is done on request, and rarely.
  ///
  /// - Returns: all above was looked at.
  private mutating func detachFree(in pages: Range<PageNumber>) -> PageNumber {
    let data = allocator.chunk(Geometry.chunk(of: pages.lowerBound))
    let unit = allocator.grain.pagesPerPhysicalPage
    func isWanted(_ page: PageNumber) -> Bool {
      let place = Geometry.place(of: page)
      return !data.allocated.bits.contains(place) && !data.scavenged.contains(place)
    }
    var end = pages.upperBound
    while end > pages.lowerBound, detached.runCount < DetachedRuns.capacity {
      var start = end
      while start > pages.lowerBound, isWanted(start - 1) { start -= 1 }
      // Whole physical pages only; the unit is a power of two.
      let low = (start + unit - 1) & ~(unit - 1)
      let high = end & ~(unit - 1)
      if low < high {
        allocator.detach(low..<high)
        detached.insert(low..<high)
      }
      end = start < end ? start : end - 1
    }
    return end
  }
}
