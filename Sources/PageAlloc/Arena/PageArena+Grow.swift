import SysMem

/// Where the arena would grow for a run.
private struct Growth {
  /// The piece of the reservation.
  let piece: Int
  /// Fresh chunks, next to what the piece has grown so far.
  let chunks: Range<ChunkIndex>
  /// Where the run would start, once they are there.
  let page: PageNumber
}

extension PageArena {
  /// Grows until a run fits, and takes it.
  ///
  /// First the caller's own cache goes back: what is warm in it is better than fresh memory. But not
  /// each time, or a heap just large enough would do little else.
  /// The growth lock makes sure that many threads in need do not all grow; the heap lock is free while
  /// the kernel works. Memory is committed in whole chunks of 4 MiB, as many as the run needs beyond
  /// the free pages at the frontier.
  /// - Parameters:
  ///   - cache: the caller's own.
  ///   - look: is shown where the run will be before it is taken.
  /// - Throws: ``PageArenaError/outOfMemory(pages:largestFreeRun:)``, ``PageArenaError/system(_:)``.
  @inline(never)
  func growAndTake(
    _ pageCount: Int, _ alignment: PageAllocator.Alignment,
    relieving cache: UnsafeMutablePointer<RunCache>?,
    look: (borrowing PageAllocator, PageNumber) -> Void
  ) throws(PageArenaError) -> Taken {
    if hasLimit { try checkHardLimit(pageCount) }
    // The state lives as long as the arena.
    unsafe state.locks.pointee.growth.lock()
    defer { unsafe state.locks.pointee.growth.unlock() }
    var isDrained = false
    while true {
      unsafe state.locks.pointee.heap.lock()
      if let cache = unsafe cache { unsafe state.pointee.spareGrowth(cache, for: pageCount) }
      // Somebody may have grown, or freed, since the caller looked.
      let taken = unsafe state.pointee.take(
        pageCount, alignment, steps: Self.alignedSteps, look: look)
      var growth: Growth?
      if taken == nil {
        growth = unsafe state.growth.pointee.growth(
          for: pageCount, alignment, state.pointee.allocator)
      }
      unsafe state.locks.pointee.heap.unlock()
      if let taken { return taken }
      if let growth {
        if let taken = try grow(growth, pageCount, look: look) { return taken }
      } else if try extendReservation(for: pageCount, alignment) {
        continue
      } else if !isDrained {
        // What the caches held may join the free pages at the frontier.
        drainCaches()
        if checks != nil { emptyQuarantine() }
        isDrained = true
      } else {
        return try takeAtLast(pageCount, alignment, look: look)
      }
    }
  }

  /// Commits fresh chunks, adds them and takes the run.
  ///
  /// - Returns: `nil` where another thread took free pages at the frontier meanwhile.
  private func grow(
    _ growth: Growth, _ pageCount: Int,
    look: (borrowing PageAllocator, PageNumber) -> Void
  ) throws(PageArenaError) -> Taken? {
    let first = Geometry.firstPage(of: growth.chunks.lowerBound)
    let added = growth.chunks.count << Geometry.chunkPagesLog
    do throws(SysMemError) {
      // The growth lock is held: nobody else changes tables and reservation.
      unsafe try state.growth.pointee.tables.mapChunks(growth.chunks)
      try system.sysMap(address(of: first), UInt(added) << UInt(Geometry.pageShift))
    } catch {
      // What was mapped for the tables stays.
      noteTables()
      throw .system(error)
    }
    adviseHugePages(growth.chunks, isNext: growth.page <= first)

    unsafe state.growth.pointee.reservation.didGrow(
      piece: growth.piece, to: growth.chunks.upperBound)
    unsafe state.locks.pointee.heap.lock()
    defer { unsafe state.locks.pointee.heap.unlock() }
    unsafe state.pointee.allocator.grow(growth.chunks)
    unsafe state.pointee.grownPages += added
    unsafe state.pointee.scavengedPages += added
    unsafe state.pointee.note(state.growth.pointee)
    guard unsafe state.pointee.allocator.isFree(growth.page, pageCount) else { return nil }
    return unsafe state.pointee.take(at: (growth.page, 0), pageCount, look: look)
  }

  /// More address space, where the host has it in pieces.
  ///
  /// - Returns: `false` where there is none to be had for such a run.
  private func extendReservation(
    for pageCount: Int, _ alignment: PageAllocator.Alignment
  ) throws(PageArenaError) -> Bool {
    guard Reservation.offsetsAreAddresses else { return false }
    let pages = pageCount + alignment.pages - 1
    let least = (pages + Geometry.pagesPerChunk - 1) >> Geometry.chunkPagesLog
    guard least <= Geometry.growableChunks.count else { return false }
    do throws(SysMemError) {
      // The growth lock is held: nobody else changes the reservation.
      unsafe try state.growth.pointee.reservation.extend(wanted: 128, least: least, from: system)
      noteTables()
      return true
    } catch {
      return false
    }
  }

  /// Copies the figures of tables and reservation for the statistics. Call with `growth` held.
  private func noteTables() {
    unsafe state.locks.pointee.heap.lock()
    unsafe state.pointee.note(state.growth.pointee)
    unsafe state.locks.pointee.heap.unlock()
  }

  /// There is nothing left to grow into: looks everywhere, and waits for what is on its way back.
  private func takeAtLast(
    _ pageCount: Int, _ alignment: PageAllocator.Alignment,
    look: (borrowing PageAllocator, PageNumber) -> Void
  ) throws(PageArenaError) -> Taken {
    while true {
      unsafe state.locks.pointee.heap.lock()
      let taken = unsafe state.pointee.take(
        pageCount, alignment, steps: .max, look: look)
      let isAnyDetached = unsafe !state.pointee.detached.isEmpty
      let largest = unsafe state.pointee.allocator.summaries.longestRun
      if taken == nil { unsafe state.pointee.allocator.requireSoundTree() }
      unsafe state.locks.pointee.heap.unlock()
      if let taken { return taken }
      if !isAnyDetached { throw .outOfMemory(pages: pageCount, largestFreeRun: largest) }
      // Whoever gives memory back has some of it in hand; it is free again when the lock is.
      unsafe state.locks.pointee.release.lock()
      unsafe state.locks.pointee.release.unlock()
    }
  }
}

extension ArenaState {
  /// Gives spare runs back, and a cache: its long runs always, the others unless that was done a little
  /// while ago, for a run that is not long.
  ///
  /// Call with `heap` held, as the cache's owner, outside of it.
  fileprivate mutating func spareGrowth(
    _ cache: UnsafeMutablePointer<RunCache>, for pageCount: Int
  ) {
    giveBackSpares()
    if takesSinceSparing < 64, pageCount < Geometry.pagesPerChunk { return unsafe takeLong(cache) }
    takesSinceSparing = 0
    unsafe takeAll(cache)
  }
}

extension GrowthState {
  /// Where the arena can grow for a run, without more address space.
  ///
  /// Call with `growth` and `heap` held.
  fileprivate func growth(
    for pageCount: Int, _ alignment: PageAllocator.Alignment, _ allocator: borrowing PageAllocator
  ) -> Growth? {
    for index in 0..<reservation.pieceCount {
      let fresh = reservation[index].freshChunks
      let frontier = Geometry.firstPage(of: fresh.lowerBound)
      let page = alignment.roundUp(frontier - allocator.freePages(below: fresh.lowerBound))
      let missing = page + pageCount - frontier
      let chunks = (missing + Geometry.pagesPerChunk - 1) >> Geometry.chunkPagesLog
      if missing > 0, chunks <= fresh.count {
        return Growth(
          piece: index, chunks: fresh.lowerBound..<(fresh.lowerBound + chunks), page: page)
      }
    }
    return nil
  }
}
