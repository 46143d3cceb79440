import SysMem

/// All that an arena knows, behind its locks, in mapped memory.
///
/// Lock order: `growth`, `release`, `heap`. Only `heap` guards the allocation path, and no
/// call to the kernel is made while it is held.
struct ArenaState: ~Copyable {
  /// Guards everything below but `reservation` and `tables`.
  let heap = FutexLock()
  /// Held by the one thread that grows the arena; guards `reservation` and `tables`.
  let growth = FutexLock()
  /// Held by the one thread that gives memory back.
  let release = FutexLock()

  /// The bookkeeping.
  var allocator: PageAllocator
  /// Pages that were handed out.
  var inUsePages = 0
  /// Pages that may be handed out, or are: all of the grown chunks.
  var grownPages = 0
  /// Free pages that the kernel has back, or never backed.
  var scavengedPages = 0
  /// Pages on their way back to the kernel: in use to the allocator, nobody's to the caller.
  var detached: Range<PageNumber> = 0..<0
  /// Address space.
  var reservation: Reservation
  /// The tables' memory.
  var tables: AllocatorTables

  init(reservation: Reservation, tables: consuming AllocatorTables, grain: ScavengeGrain) {
    allocator = PageAllocator(tables: tables, grain: grain)
    self.reservation = reservation
    self.tables = tables
  }
}

/// A run that was just taken.
struct Taken {
  /// Its first page.
  let page: PageNumber
  /// How many of its pages read as zero.
  let scavengedPages: Int
}

// MARK: - Runs. Call with `heap` held.

extension ArenaState {
  /// Takes a run of free pages, if there is one.
  ///
  /// - Parameters:
  ///   - steps: how far an aligned search may walk.
  ///   - look: is shown where the run will be before it is taken.
  @inline(__always)
  mutating func take(
    _ pageCount: Int, _ alignment: PageAllocator.Alignment, steps: Int,
    look: (borrowing PageAllocator, PageNumber) -> Void
  ) -> Taken? {
    if alignment.pages == 1 {
      guard let place = allocator.place(pageCount) else { return nil }
      return take(at: place, pageCount, look: look)
    }
    guard let page = allocator.findAligned(pageCount, alignment, steps: steps) else { return nil }
    return take(at: (page, 0), pageCount, look: look)
  }

  /// Takes a run of free pages at a given place, and hands it to the caller.
  ///
  /// - Parameter place: its first page, and where the next search may start (0: where it did).
  @inline(__always)
  mutating func take(
    at place: (page: PageNumber, candidate: PageNumber), _ pageCount: Int,
    look: (borrowing PageAllocator, PageNumber) -> Void
  ) -> Taken {
    look(allocator, place.page)
    let clean = allocator.allocate(at: place, pageCount)
    let start = Geometry.place(of: place.page)
    allocator.chunks.runStarts(Geometry.chunk(of: place.page)).insert(start..<(start &+ 1))
    inUsePages &+= pageCount
    scavengedPages &-= clean
    return Taken(page: place.page, scavengedPages: clean)
  }

  /// Gives a run, or a part of one, back to the allocator.
  ///
  /// - Precondition: ``fault(in:_:)`` has no objection.
  @inline(__always)
  mutating func giveBack(_ page: PageNumber, _ pageCount: Int) {
    let place = Geometry.place(of: page)
    allocator.chunks.runStarts(Geometry.chunk(of: page)).remove(place..<(place &+ 1))
    let next = page &+ pageCount
    if isInUse(next) {
      // Either the rest of this run, which is a run of its own from now on, or the start of another.
      let nextPlace = Geometry.place(of: next)
      allocator.chunks.runStarts(Geometry.chunk(of: next)).insert(nextPlace..<(nextPlace &+ 1))
    }
    allocator.free(page, pageCount)
    inUsePages &-= pageCount
  }

  /// Whether a page is in somebody's run: grown, in use, and not on its way to the kernel.
  @inline(__always)
  private func isInUse(_ page: PageNumber) -> Bool {
    let place = Geometry.place(of: page)
    let chunk = Geometry.chunk(of: page)
    // Only the first page of a chunk can follow a page of the same range and not be grown.
    if place == 0, !allocator.isGrown(chunk) { return false }
    return allocator.chunk(chunk).allocated.bits.contains(place) && !detached.contains(page)
  }

  /// What is wrong with a range that somebody wants to free.
  enum Fault {
    case notInUse
    case pastEndOfRun
  }

  /// Why a grown range cannot be freed; `nil` where it can.
  ///
  /// - Complexity: O(`pageCount` / 512).
  @inline(__always)
  func fault(in page: PageNumber, _ pageCount: Int) -> Fault? {
    let chunk = Geometry.chunk(of: page)
    let place = Geometry.place(of: page)
    if !detached.isEmpty, detached.overlaps(page..<(page &+ pageCount)) { return .notInUse }
    if place &+ pageCount <= Geometry.pagesPerChunk {
      return fault(chunk, place..<(place &+ pageCount), skipping: 1)
    }
    return longFault(in: page, pageCount)
  }

  @inline(never)
  private func longFault(in page: PageNumber, _ pageCount: Int) -> Fault? {
    var result: Fault?
    var skip = 1
    allocator.forEachChunk(of: page, pageCount) { chunk, places in
      if result == nil { result = fault(chunk, places, skipping: skip) }
      skip = 0
    }
    return result
  }

  /// The pages must be in use, and no run may start among them but at the very first.
  @inline(__always)
  private func fault(_ chunk: ChunkIndex, _ places: Range<Int>, skipping: Int) -> Fault? {
    guard allocator.chunk(chunk).allocated.bits.isAllOnes(in: places) else { return .notInUse }
    let rest = (places.lowerBound &+ skipping)..<places.upperBound
    guard allocator.chunks.runStarts(chunk).isAllZeros(in: rest) else { return .pastEndOfRun }
    return nil
  }
}
