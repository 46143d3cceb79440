import SysMem

// What pages in use hold, for who has their address alone.

extension PageArena {
  /// Takes a run of pages, and tells whether it reads as zero; else as
  /// ``allocate(pages:alignment:zeroed:)``.
  ///
  /// - Parameters:
  ///   - pages: how many, at least 1.
  ///   - alignment: what the address is to be a multiple of, in bytes; a power of two.
  ///   - zeroed: the memory is to read as zero.
  ///   - isZero: whether all of it is known to read as zero; as before where the call throws.
  /// - Throws: as that.
  /// - Complexity: as there.
  public func allocate(
    pages: Int, alignment: Int = PageArena.pageSize, zeroed: Bool = false, isZero: inout Bool
  ) throws(PageArenaError) -> UnsafeMutableRawPointer {
    // Of pages that were just taken for the caller.
    unsafe PageSpace.memory(at: try take(pages, alignment, zeroed, isZero: &isZero))
  }

  func take(
    _ pages: Int, _ alignment: Int, _ zeroed: Bool, isZero: inout Bool
  ) throws(PageArenaError) -> UInt {
    let page = try core.allocate(pages, alignment, zeroed: zeroed, isZero: &isZero)
    core.record(.allocate, page, pages)
    return core.address(ofTaken: page)
  }

  /// Gives the contents of pages in use back to the kernel: they stay, and read as zero.
  ///
  /// - Parameters:
  ///   - base: the address of the first one.
  ///   - pages: how many, at least 1: in a run, a part of one, or several.
  /// - Throws: as ``deallocateRuns(from:pages:)``;
  ///   ``PageArenaError/partOfPhysicalPage(base:physicalPageSize:)``, ``PageArenaError/system(_:)``
  ///   where the kernel refused: they are locked in memory, as a rule, and some may have gone.
  /// - Complexity: O(runs), a call to the kernel, O(what is present).
  public func discard(
    _ base: UnsafeMutableRawPointer, pages: Int
  ) throws(PageArenaError) {
    try discard(at: UInt(bitPattern: base), pages)
  }

  func discard(at address: UInt, _ pages: Int) throws(PageArenaError) {
    let byteCount = try core.advise(.dontNeed, at: address, pages)
    core.record(.discard, core.page(of: address), pages)
    core.withHeap { $0.scavenger.counters.discardedBytes += UInt64(byteCount) }
  }

  /// Lets the kernel take the contents of pages in use when it wants to (`MADV_FREE`): until they
  /// are written to, they read as before, or as zero.
  ///
  /// - Parameters: as for ``discard(_:pages:)``.
  /// - Throws: as that.
  /// - Complexity: as there.
  public func discardLazily(
    _ base: UnsafeMutableRawPointer, pages: Int
  ) throws(PageArenaError) {
    try discardLazily(at: UInt(bitPattern: base), pages)
  }

  func discardLazily(at address: UInt, _ pages: Int) throws(PageArenaError) {
    let byteCount = try core.advise(.free, at: address, pages)
    core.withHeap { $0.scavenger.counters.lazyBytes += UInt64(byteCount) }
  }

  /// Gives pages back whose contents are of no use to anybody, to the kernel at once: they are free
  /// and empty, and whoever gets them next need not clear them.
  ///
  /// Where the kernel refuses, or they are no whole pages of its own, they are just freed.
  /// - Parameters: as for ``deallocate(_:pages:)``.
  /// - Throws: as that.
  /// - Complexity: as there, and a call to the kernel.
  public func deallocateDiscarding(
    _ base: UnsafeMutableRawPointer, pages: Int
  ) throws(PageArenaError) {
    try giveBackDiscarding(UInt(bitPattern: base), pages)
  }

  func giveBackDiscarding(_ address: UInt, _ pages: Int) throws(PageArenaError) {
    if !core.isRecorded { return try core.deallocateDiscarding(address, pages) }
    try core.recordingFree(of: address, pages) { () throws(PageArenaError) in
      try core.deallocateDiscarding(address, pages)
    }
  }

  /// The place in the registry of the arena that has grown to where an address lies.
  ///
  /// - Complexity: O(arenas), and the lock of each.
  package static func placeOfArena(holding pointer: UnsafeRawPointer) -> Int? {
    let address = UInt(bitPattern: pointer)
    return ArenaRegistry.withLock {
      var place: Int?
      ArenaRegistry.forEach { core in
        guard let page = core.anyPage(at: address) else { return }
        if core.withHeap({ $0.allocator.isGrown(Geometry.chunk(of: page)) }) { place = core.place }
      }
      return place
    }
  }
}

extension ArenaCore {
  /// Tells the kernel about the contents of pages in use.
  ///
  /// - Returns: how many bytes they are.
  fileprivate func advise(
    _ advice: MemoryAdvice, at address: UInt, _ pages: Int
  ) throws(PageArenaError) -> UInt {
    try requireOutside()
    let page = try page(at: address, pages)
    try forEachRun(in: page..<(page + pages)) { _ in }
    let memory = AdvisedRange(address: address, byteCount: Self.byteCount(pages))
    try checkWholePhysicalPages(memory)
    try attempt { system throws(SysMemError) in
      try system.advise(memory.address, memory.byteCount, advice)
    }
    return memory.byteCount
  }

  /// Takes a run, from a cache or from the heap.
  fileprivate func allocate(
    _ pages: Int, _ alignment: Int, zeroed: Bool, isZero: inout Bool
  ) throws(PageArenaError) -> PageNumber {
    let limit = Geometry.growableChunks.count << Geometry.chunkPagesLog
    guard pages > 0, pages <= limit else { throw .badPageCount(pages: pages, limit: limit) }
    let aligned = try check(alignment)
    let (cache, _) = try ownCache(nil)
    if let cache, let run = refillAndTake(pages, alignment, cache, wasAsked: false) {
      if zeroed, !run.isZero { clear(run.page..<(run.page &+ pages)) }
      isZero = zeroed || run.isZero
      return run.page
    }
    var dirt = DirtMap()
    let taken = try takeFromAllocator(pages, aligned, draining: cache) {
      if zeroed { dirt.read($1, pages, $0) }
    }
    let isEmpty = taken.scavengedPages == pages
    if zeroed, !isEmpty {
      clear(taken.page, pages, dirt, isAllDirty: taken.scavengedPages == 0)
    }
    if checks != nil { noteAllocation(taken.page, pages, isZero: zeroed) }
    isZero = zeroed || isEmpty
    return taken.page
  }

  /// Takes a part of a run back, or all of it, with what it holds.
  fileprivate func deallocateDiscarding(_ address: UInt, _ pages: Int) throws(PageArenaError) {
    try requireOutside()
    let size = Self.byteCount(max(0, min(pages, Geometry.pageCount)))
    let mask = UInt(physicalPageSize - 1)
    if checks != nil || (address | size) & mask != 0 {
      return try deallocateSlowly(address, pages, by: nil)
    }
    let page = try page(at: address, pages)
    let part = page..<(page + pages)
    _ = try withHeap { heap throws(PageArenaError) in try heap.run(around: part, at: address) }
    // Still the caller's alone.
    guard withSystem({ (try? $0.advise(address, size, .dontNeed)) != nil }) else {
      return try deallocateSlowly(address, pages, by: nil)
    }
    let wakes = try withHeap { heap throws(PageArenaError) in
      let run = try heap.run(around: part, at: address)
      heap.giveBack(part, of: run)
      heap.noteScavenged(page, pages)
      heap.counters.frees &+= 1
      heap.scavenger.counters.requestedBytes += UInt64(size)
      // Here, so that a fork finds both in agreement.
      withSystem { $0.sysUnused(byteCount: size) }
      return heap.wakesScavenger()
    }
    wakeScavenger(if: wakes)
  }
}
