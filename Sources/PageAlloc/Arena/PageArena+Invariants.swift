extension PageArena {
  /// The name of the first invariant that does not hold; `nil` where all do.
  ///
  /// - Complexity: O(heap).
  package func brokenInvariant() -> StaticString? {
    // The state lives as long as the arena.
    unsafe state.pointee.heap.lock()
    defer { unsafe state.pointee.heap.unlock() }
    return unsafe state.pointee.brokenInvariant()
  }
}

extension ArenaState {
  /// Call with `heap` held.
  fileprivate func brokenInvariant() -> StaticString? {
    if let broken = allocator.brokenInvariant() { return broken }
    var grown = 0
    var inUse = 0
    var scavenged = 0
    for index in 0..<allocator.ranges.count {
      let range = allocator.ranges[index]
      grown += range.count
      var starts = false
      allocator.forEachChunk(of: Int(range.lowerBound), range.count) { chunk, places in
        let data = allocator.chunk(chunk)
        inUse += data.allocated.bits.count(in: places)
        scavenged += data.scavenged.count(in: places)
        for word in 0..<Geometry.wordsPerChunk
        where allocator.chunks.runStarts(chunk).word(word) & ~data.allocated.bits.word(word) != 0 {
          starts = true
        }
      }
      if starts { return "a run starts at a page that is not in use" }
    }
    if grown != grownPages { return "the count of grown pages is wrong" }
    if inUse != inUsePages + detached.count { return "the count of pages in use is wrong" }
    if scavenged != scavengedPages { return "the count of scavenged pages is wrong" }
    return nil
  }
}
