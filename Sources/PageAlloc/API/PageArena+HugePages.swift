import SysMem

extension PageArena {
  /// Tells the kernel about chunks that were just committed. A refusal is counted: huge pages are a wish.
  ///
  /// Call with `growth` held, before anybody can have pages of theirs.
  /// - Parameter isNext: the run that the arena grows for takes the first page of them. Else it lies apart,
  ///   to be aligned, and nobody knows what the rest will be used for.
  func adviseHugePages(_ chunks: Range<ChunkIndex>, isNext: Bool) {
    let first = address(of: Geometry.firstPage(of: chunks.lowerBound))
    let byteCount = UInt(chunks.count) << UInt(Geometry.chunkPagesLog + Geometry.pageShift)
    switch hugePages {
    case .system: break
    case .automatic: if isNext { askForHugePages(chunks, first, byteCount) }
    case .prefer: _ = wish(first, byteCount, true)
    case .avoid: _ = wish(first, byteCount, false)
    }
  }

  /// Asks for huge pages where that is worth it, and looks how quickly the first comes.
  private func askForHugePages(_ chunks: Range<ChunkIndex>, _ first: UInt, _ byteCount: UInt) {
    // The state lives as long as the arena; so below. The growth lock is held: the figure does not change.
    let unit = UInt(system.calls.hugePageSize)
    guard unit > 0, unit <= UInt(Geometry.chunkByteCount), !hasLimit,
      unsafe state.growth.pointee.hugeGrowth.isDue(
        grownPages: state.pointee.grownPages, chunkCount: chunks.count),
      wish(first, byteCount, true)
    else { return }
    let clock = unsafe state.pointee.scavenger.clock
    let start = clock.processorTime()
    // Where the kernel has no such call, the page comes when it is written to, and nobody knows how quickly.
    _ = try? system.advise(first, UInt(system.physicalPageSize), .populateWrite)
    let isQuick = unsafe state.growth.pointee.hugeGrowth.note(
      nanoseconds: clock.processorTime().elapsed(since: start))
    if !isQuick { _ = wish(first + unit, byteCount - unit, false) }
    unsafe state.locks.pointee.heap.lock()
    unsafe state.pointee.hugeChunks.insert(chunks)
    unsafe state.locks.pointee.heap.unlock()
  }

  /// Asks for no more huge pages, where it did: the kernel backs what is touched from now on, and no more.
  func stopHugePages() {
    unsafe state.locks.pointee.growth.lock()
    defer { unsafe state.locks.pointee.growth.unlock() }
    var next = 0
    while true {
      unsafe state.locks.pointee.heap.lock()
      let chunks = unsafe state.pointee.hugeChunks.firstRange(from: next)
      unsafe state.locks.pointee.heap.unlock()
      guard let chunks else { return }
      next = chunks.upperBound
      _ = wish(
        address(of: Geometry.firstPage(of: chunks.lowerBound)),
        UInt(chunks.count) << UInt(Geometry.chunkPagesLog + Geometry.pageShift), false)
    }
  }

  /// - Returns: whether the kernel agreed. A refusal is counted.
  private func wish(_ address: UInt, _ byteCount: UInt, _ areWelcome: Bool) -> Bool {
    do throws(SysMemError) {
      if areWelcome {
        try system.sysHugePage(address, byteCount)
      } else {
        try system.sysNoHugePage(address, byteCount)
      }
      return true
    } catch {
      unsafe state.locks.pointee.heap.lock()
      unsafe state.pointee.scavenger.counters.refusedAdvice += 1
      unsafe state.locks.pointee.heap.unlock()
      return false
    }
  }

  /// Gathers memory in use into huge pages, now (`MADV_COLLAPSE`).
  ///
  /// Takes the units of a huge page, 2 MiB as a rule, of which every page is in use; others would take
  /// memory that nobody asked for. Takes about a millisecond for each; other threads allocate and free
  /// meanwhile, but nothing goes back to the kernel.
  ///
  /// - Returns: the bytes that are backed by huge pages now, of those looked at. 0 in an arena that avoids
  ///   huge pages.
  /// - Throws: ``PageArenaError/system(_:)``: the kernel refused for another reason than that it has no huge
  ///   page to give just now, or every unit, as where it does not know the call or nothing was written to.
  ///   What was gathered before stays so.
  /// - Complexity: O(memory in use).
  @discardableResult
  public func collapse() throws(PageArenaError) -> Int {
    // The state lives as long as the arena; so below.
    let unit = unsafe state.pointee.allocator.grain.pagesPerHugePage
    guard unit > 0, unit <= Geometry.pagesPerChunk else { return 0 }
    // Nothing becomes scavenged meanwhile, so that the kernel does not back it again behind our back.
    unsafe state.locks.pointee.release.lock()
    defer { unsafe state.locks.pointee.release.unlock() }
    var gathered = 0
    var refusal: SysMemError?
    var page = 0
    while let next = nextFullUnit(from: page, unit) {
      page = next + unit
      let size = UInt(unit) << UInt(Geometry.pageShift)
      do throws(SysMemError) {
        try collapse(address(of: next), size)
        gathered += Int(size)
      } catch {
        // No huge page to be had, or the memory is being looked at: this unit stays as it is. So does one
        // that nobody has written to: the kernel says of it what it says of a call that it does not know.
        switch error.errno {
        case .tryAgain, .busy, .outOfMemory: break
        case .invalidArgument: refusal = error
        default: throw .system(error)
        }
      }
    }
    if gathered == 0, let refusal { throw .system(refusal) }
    return gathered
  }

  /// Gathers a unit, also one that the arena advised against, which the kernel refuses as if it could not.
  private func collapse(_ address: UInt, _ byteCount: UInt) throws(SysMemError) {
    do throws(SysMemError) {
      return try system.sysCollapse(address, byteCount)
    } catch {
      let page = Geometry.page(at: address, from: base)
      unsafe state.locks.pointee.heap.lock()
      let isAsked = unsafe state.pointee.hugeChunks.contains(Geometry.chunk(of: page))
      unsafe state.locks.pointee.heap.unlock()
      guard error.errno == .invalidArgument, isAsked, wish(address, byteCount, true) else {
        throw error
      }
    }
    try system.sysCollapse(address, byteCount)
    // What is gathered stays so; where a part of it goes back, it is not filled again.
    _ = wish(address, byteCount, false)
  }

  /// The next unit of `unit` pages, from a page on, that is in use as a whole.
  private func nextFullUnit(from page: PageNumber, _ unit: Int) -> PageNumber? {
    unsafe state.locks.pointee.heap.lock()
    defer { unsafe state.locks.pointee.heap.unlock() }
    let end = unsafe Geometry.firstPage(of: state.pointee.allocator.endChunk)
    var first = page
    while first < end {
      let chunk = Geometry.chunk(of: first)
      let place = Geometry.place(of: first)
      if unsafe state.pointee.allocator.isGrown(chunk),
        unsafe state.pointee.allocator.chunk(chunk).allocated.bits.isAllOnes(
          in: place..<(place + unit))
      {
        return first
      }
      first += unit
    }
    return nil
  }

  /// Bytes of the arena that are backed by huge pages, as the kernel says in `/proc/self/smaps`; `nil`
  /// where it does not.
  ///
  /// - Complexity: O(mappings of the process): a fraction of a millisecond as a rule, far more than
  ///   ``statistics``.
  public func hugePageBytes() -> UInt64? {
    var scan = HugePageScan()
    // The pieces of the reservation change under this lock alone.
    unsafe state.locks.pointee.growth.lock()
    for index in 0..<(unsafe state.growth.pointee.reservation.pieceCount) {
      scan.add(unsafe state.growth.pointee.reservation[index].mapping)
    }
    unsafe state.locks.pointee.growth.unlock()
    return scan.run()
  }
}
