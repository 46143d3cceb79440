import SysMem

extension ArenaCore {
  /// Grows until a run fits, and takes it.
  ///
  /// First the caller's own cache goes back: what is warm in it is better than fresh memory. But
  /// not each time, or a heap just large enough would do little else. The growth lock makes sure
  /// that many threads in need do not all grow; the heap lock is free while the kernel works.
  /// The heap grows by whole chunks of 4 MiB, as many as the run needs beyond the free pages at the
  /// frontier; they become accessible in steps that grow with it.
  /// - Parameters:
  ///   - cache: the caller's own.
  ///   - isCounted: the limits are asked; else the run is going to be inaccessible.
  ///   - willTake: is shown where the run will be before it is taken.
  /// - Throws: ``PageArenaError/outOfMemory(pages:largestFreeRun:)``,
  ///   ``PageArenaError/system(_:)``.
  @inline(never)
  func growAndTake(
    _ pageCount: Int, _ alignment: PageAllocator.Alignment,
    draining cache: CacheReference?, isCounted: Bool = true,
    willTake: (borrowing PageAllocator, PageNumber) -> Void
  ) throws(PageArenaError) -> TakenRun {
    try askingOnce { () throws(PageArenaError) in
      try growAndTakeAtOnce(
        pageCount, alignment, draining: cache, isCounted: isCounted, willTake: willTake)
    }
  }

  /// The same, where nobody is asked before a limit refuses it.
  @inline(never)
  private func growAndTakeAtOnce(
    _ pageCount: Int, _ alignment: PageAllocator.Alignment,
    draining cache: CacheReference?, isCounted: Bool,
    willTake: (borrowing PageAllocator, PageNumber) -> Void
  ) throws(PageArenaError) -> TakenRun {
    if isCounted { try admit(pageCount) }
    ScavengerThread.startIfMissing()
    return try withGrowth { growth throws(PageArenaError) in
      var isDrained = false
      while true {
        let (taken, place, isAdmitted) = withHeap { heap -> (TakenRun?, GrowthPlace?, Bool) in
          if let cache = cache { heap.spareGrowth(cache, for: pageCount) }
          if isCounted, !heap.admits(pageCount) { return (nil, nil, false) }
          // Somebody may have grown, or freed, since the caller looked.
          let taken = heap.take(
            pageCount, alignment, searchLimit: Self.searchLimit, isCounted: isCounted,
            willTake: willTake)
          if let taken { makeReady(taken.scavengedPages) }
          return (taken, taken == nil ? growth.place(for: pageCount, alignment, heap) : nil, true)
        }
        if let taken { return taken }
        if !isAdmitted {
          // Others took what there was, since the last look.
          try admit(pageCount)
        } else if let place {
          let taken = try grow(&growth, place, pageCount, isCounted: isCounted, willTake: willTake)
          if let taken { return taken }
        } else if extendReservation(&growth, for: pageCount, alignment) {
          continue
        } else if !isDrained {
          // What the caches held may join the free pages at the frontier.
          drainCaches(own: cacheInItsSlot())
          if checks != nil { emptyQuarantine() }
          isDrained = true
        } else {
          return try takeAtLast(pageCount, alignment, isCounted: isCounted, willTake: willTake)
        }
      }
    }
  }

  /// Commits fresh chunks, adds them and takes the run.
  ///
  /// - Returns: `nil` where another thread took free pages at the frontier meanwhile, or so many
  ///   that the hard limit does not admit the run any more.
  private func grow(
    _ growth: inout Growth, _ place: GrowthPlace, _ pageCount: Int,
    isCounted: Bool, willTake: (borrowing PageAllocator, PageNumber) -> Void
  ) throws(PageArenaError) -> TakenRun? {
    try commit(&growth, place)
    add(place, &growth)
    return withHeap { heap in
      heap.grow(place, growth)
      guard heap.allocator.isFree(place.page, pageCount), !isCounted || heap.admits(pageCount)
      else { return nil }
      let taken = heap.take(
        at: (place.page, 0), pageCount, isCounted: isCounted, willTake: willTake)
      makeReady(taken.scavengedPages)
      return taken
    }
  }

  /// Grows so far that pages are there which begin at or below the frontier, with nothing but free
  /// ones before it.
  func growToReach(_ page: PageNumber, _ pageCount: Int) -> Reach {
    guard pageCount <= Geometry.pageCount - page,
      !withHeap({ $0.allocator.isGrown(page, pageCount) || !$0.admits(pageCount) })
    else { return .no }
    return withGrowth { growth in
      let last = Geometry.chunk(of: page + pageCount - 1)
      for index in 0..<growth.reservation.pieceCount {
        let fresh = growth.reservation[index].freshChunks
        if !fresh.contains(last) { continue }
        let frontier = Geometry.firstPage(of: fresh.lowerBound)
        let reach = withHeap { $0.reach(of: page, to: frontier) }
        if reach != .yes { return reach }
        let place = GrowthPlace(piece: index, chunks: fresh.lowerBound..<(last + 1), page: frontier)
        guard (try? commit(&growth, place)) != nil else { return .no }
        add(place, &growth)
        withHeap { $0.grow(place, growth) }
        return .yes
      }
      return .no
    }
  }

  /// Whether the arena can grow for pages that begin at or below its frontier.
  enum Reach {
    /// It did.
    case yes
    /// Not before caches give back what they hold below the frontier.
    case cached
    case no
  }

  /// Notes that the chunks of a place are there.
  private func add(_ place: GrowthPlace, _ growth: inout Growth) {
    growth.tables.mapChunks(place.chunks)
    growth.reservation.didGrow(piece: place.piece, to: place.chunks.upperBound)
  }

  /// Makes the chunks of a place accessible, where they are not yet: where the kernel refuses as
  /// many as wanted, the fewer that are needed.
  private func commit(_ growth: inout Growth, _ place: GrowthPlace) throws(PageArenaError) {
    let grown = withHeap { $0.counts.grown }
    var isAhead = true
    while let chunks = growth.chunksToCommit(for: place, grownPages: grown, isAhead: isAhead) {
      let memory = range(ofChunks: chunks)
      do throws(SysMemError) {
        try system.sysMap(memory.address, memory.byteCount)
        growth.reservation.didCommit(piece: place.piece, to: chunks.upperBound)
        return adviseHugePages(&growth, chunks, place)
      } catch {
        if !isAhead {
          withHeap { $0.counters.refusals &+= 1 }
          throw .system(error)
        }
        isAhead = false
      }
    }
  }

  /// More address space, where the host has it in pieces.
  ///
  /// - Returns: `false` where there is none to be had for such a run.
  private func extendReservation(
    _ growth: inout Growth, for pageCount: Int, _ alignment: PageAllocator.Alignment
  ) -> Bool {
    guard Reservation.offsetsAreAddresses else { return false }
    let pages = pageCount + alignment.pages - 1
    let least = (pages + Geometry.pagesPerChunk - 1) >> Geometry.chunkPagesLog
    guard least <= Geometry.growableChunks.count else { return false }
    do throws(SysMemError) {
      try growth.reservation.extend(wanted: 128, least: least, from: system)
    } catch {
      return false
    }
    withHeap { $0.note(growth) }
    return true
  }

  /// There is nothing left to grow into: looks everywhere, and waits for what is on its way back.
  private func takeAtLast(
    _ pageCount: Int, _ alignment: PageAllocator.Alignment,
    isCounted: Bool, willTake: (borrowing PageAllocator, PageNumber) -> Void
  ) throws(PageArenaError) -> TakenRun {
    while true {
      if isCounted { try admit(pageCount) }
      let (taken, isAnyDetached, largest) = withHeap { heap -> (TakenRun?, Bool, Int) in
        if isCounted, !heap.admits(pageCount) { return (nil, true, 0) }
        let taken = heap.take(
          pageCount, alignment, searchLimit: .max, isCounted: isCounted, willTake: willTake)
        if let taken {
          makeReady(taken.scavengedPages)
        } else {
          heap.allocator.requireSoundTree()
          if heap.detached.isEmpty { heap.counters.refusals &+= 1 }
        }
        return (taken, !heap.detached.isEmpty, heap.allocator.summaries.longestRun)
      }
      if let taken { return taken }
      if !isAnyDetached { throw .outOfMemory(pages: pageCount, largestFreeRun: largest) }
      // Whoever gives memory back has some of it in hand; it is free again when the turn is.
      withRelease {}
    }
  }
}

extension Heap {
  /// Whether all pages from one on, up to the frontier, are free.
  fileprivate func reach(of page: PageNumber, to frontier: PageNumber) -> ArenaCore.Reach {
    if page == frontier { return .yes }
    guard page < frontier, allocator.isGrown(page, frontier - page) else { return .no }
    guard let inUse = allocator.firstInUse(page, frontier - page) else { return .yes }
    return runs.extent(inUse) == 0 ? .cached : .no
  }
}
