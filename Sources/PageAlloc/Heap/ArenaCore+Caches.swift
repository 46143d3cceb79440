extension ArenaCore {
  /// Parts with caches that have no owner, beyond the first few, and gives their memory back.
  ///
  /// - Returns: ``Heap/unwatchedPages`` afterwards.
  @discardableResult
  func dropRetiredCaches() -> Int {
    // Nobody else takes a cache, or walks over a copy of the list.
    withGrowth { growth in
      let size = CacheMemory.byteCount(system)
      var (next, unwatchedPages) = withHeap { ($0.removeRetiredCaches(), $0.unwatchedPages) }
      var range: Range<UInt>?
      while let cache = next {
        next = cache.contents.nextRetired
        let address = cache.address
        switch range {
        case let known? where known.upperBound == address:
          range = known.lowerBound..<(address + size)
        case let known? where known.lowerBound == address + size:
          range = address..<known.upperBound
        case let known:
          if let known { growth.cacheMemory.giveBack(known, to: system) }
          range = address..<(address + size)
        }
      }
      if let range { growth.cacheMemory.giveBack(range, to: system) }
      withHeap { $0.note(growth) }
      return unwatchedPages
    }
  }
}
