// What a bare address tells: programs that were handed a pointer, and nothing else.

/// Where a run in use lies.
public struct PageExtent: Equatable, Hashable, Sendable {
  /// The address of its first byte.
  public let address: UInt
  /// How many pages of 8 KiB it has.
  public let pages: Int

  /// Its size in bytes.
  public var byteCount: Int { pages << Geometry.pageShift }
}

extension PageArena {
  /// Whether an address lies in memory that the arena has grown to, in use or not.
  ///
  /// - Warning: it takes the arena's lock, as what follows; a signal's handler that comes in the
  ///   middle of a call which has it ends the program.
  /// - Complexity: O(1), and the arena's lock.
  public func contains(_ pointer: UnsafeRawPointer) -> Bool {
    // Only the address is looked at; so below.
    contains(UInt(bitPattern: pointer))
  }

  func contains(_ address: UInt) -> Bool {
    guard let page = core.anyPage(at: address) else { return false }
    return core.withHeap { $0.allocator.isGrown(Geometry.chunk(of: page)) }
  }

  /// The run in use that an address lies in: at its start, or anywhere inside.
  ///
  /// - Parameter pointer: any.
  /// - Returns: `nil` where it lies in no run: elsewhere, in memory that is free, at hand for a
  ///   thread or in quarantine, or in a guard.
  /// - Complexity: O(1), and the arena's lock.
  public func run(containing pointer: UnsafeRawPointer) -> PageExtent? {
    run(containing: UInt(bitPattern: pointer))
  }

  func run(containing address: UInt) -> PageExtent? {
    guard let page = core.anyPage(at: address) else { return nil }
    let run = core.withHeap { $0.run(containing: page) }
    return run.map { PageExtent(address: core.address(of: $0.lowerBound), pages: $0.count) }
  }

  /// Calls `body` with each run in use, in the order of their addresses; its pages are all of it,
  /// those that were decommitted included.
  ///
  /// Other threads may go on meanwhile, and `body` may use the arena: the runs that start in 4 MiB
  /// are looked for at once, but for what threads take from what they have at hand and put there,
  /// and then told one by one.
  ///
  /// ```swift
  /// arena.forEachRun { run in print(String(run.address, radix: 16), run.pages) }
  /// ```
  ///
  /// - Throws: what `body` throws.
  /// - Complexity: O(pages of the arena); the arena's lock is taken for each 4 MiB.
  public func forEachRun<Failure: Error>(
    _ body: (PageExtent) throws(Failure) -> Void
  ) throws(Failure) {
    var lengths = InlineArray<512, UInt32>(repeating: 0)
    for chunk in 0..<core.withHeap({ $0.allocator.endChunk }) {
      core.withHeap { $0.look(forRunsIn: chunk, &lengths) }
      for place in lengths.indices where lengths[place] != 0 {
        let address = core.address(of: chunk << Geometry.chunkPagesLog + place)
        try body(PageExtent(address: address, pages: Int(lengths[place])))
      }
    }
  }

  /// Gives the whole run back that starts at an address.
  ///
  /// - Parameter base: the address of the run's first page.
  /// - Throws: as ``deallocate(_:pages:)``; ``PageArenaError/notAStart(base:)`` where no run
  ///   starts.
  /// - Complexity: as there.
  public func deallocate(_ base: UnsafeMutableRawPointer) throws(PageArenaError) {
    try giveBackRun(at: UInt(bitPattern: base))
  }

  func giveBackRun(at address: UInt) throws(PageArenaError) {
    let pages = try core.reportingMistakes(at: address, 1) { () throws(PageArenaError) in
      try core.lengthOfRun(at: address)
    }
    try deallocateColdly(address, pages)
  }

  /// Gives all runs back that fill a range, the first and the last perhaps in part.
  ///
  /// - Parameters:
  ///   - base: the address of the first page to free.
  ///   - pages: how many, at least 1. All of them are in use, and none belongs to a `PageRun`.
  /// - Throws: ``PageArenaError/badPageCount(pages:limit:)``, ``PageArenaError/misaligned(base:)``,
  ///   ``PageArenaError/foreign(base:)``, ``PageArenaError/notInUse(base:pages:)`` with the first
  ///   page that is not. Nothing has changed then.
  /// - Complexity: O(runs) in the heap; O(`pages` / 512).
  public func deallocateRuns(
    from base: UnsafeMutableRawPointer, pages: Int
  ) throws(PageArenaError) {
    try core.deallocateRuns(UInt(bitPattern: base), pages)
  }

  /// Takes pages at a given address, if they are free.
  ///
  /// - Parameters:
  ///   - base: the address of the first page, in memory that the arena has grown to.
  ///   - pages: how many, at least 1.
  ///   - zeroed: the memory is to read as zero.
  /// - Returns: whether they were free, and are the caller's now. What is in quarantine, or on its
  ///   way to the kernel just then, is not.
  /// - Throws: ``PageArenaError/badPageCount(pages:limit:)``, ``PageArenaError/misaligned(base:)``,
  ///   ``PageArenaError/foreign(base:)``;
  ///   ``PageArenaError/limitReached(pages:inUseBytes:limitBytes:)``.
  /// - Complexity: O(1) in the heap; O(`pages` / 512). Where pages may be at hand for threads,
  ///   these give all back first.
  public func allocate(
    at base: UnsafeMutableRawPointer, pages: Int, zeroed: Bool = false
  ) throws(PageArenaError) -> Bool {
    try take(at: UInt(bitPattern: base), pages, zeroed)
  }

  func take(at address: UInt, _ pages: Int, _ zeroed: Bool) throws(PageArenaError) -> Bool {
    try core.requireOutside()
    let page = try core.page(at: address, pages)
    guard core.withHeap({ $0.allocator.isGrown(page, pages) }) else {
      throw .foreign(base: address)
    }
    return try core.askingOnce { () throws(PageArenaError) -> Bool in
      if try core.takePages(at: page, pages, zeroed: zeroed) { return true }
      // Free all the same: then the limit does not admit them, or not before more has gone.
      guard core.withHeap({ $0.allocator.isFree(page, pages) }) else { return false }
      try core.admit(pages)
      return try core.takePages(at: page, pages, zeroed: zeroed)
    }
  }

  /// Takes the pages that follow a run, if they are free, or the arena can grow there: they become
  /// a part of it.
  ///
  /// - Parameters:
  ///   - base: the address of the run's first page.
  ///   - pages: how many the run is to have; fewer than it has change nothing.
  ///   - zeroed: the new pages are to read as zero.
  /// - Returns: whether the run has so many now; `false`, too, where a limit does not admit them or
  ///   the kernel refuses.
  /// - Throws: ``PageArenaError/notAStart(base:)``, ``PageArenaError/misaligned(base:)``,
  ///   ``PageArenaError/foreign(base:)``, ``PageArenaError/reentered``.
  /// - Warning: the run must have no owner (``PageRun``).
  /// - Complexity: O(1) in the heap; O(new pages / 512).
  public func extend(
    _ base: UnsafeMutableRawPointer, to pages: Int, zeroed: Bool = false
  ) throws(PageArenaError) -> Bool {
    try extend(at: UInt(bitPattern: base), to: pages, zeroed)
  }

  func extend(at address: UInt, to pages: Int, _ zeroed: Bool) throws(PageArenaError) -> Bool {
    var run = try adoptWhole(address)
    let hasGrown = run.grow(to: pages, zeroed: zeroed)
    // Plain memory, as it came: nothing is to be undone.
    _ = unsafe try run.leak()
    return hasGrown
  }

  /// Changes the size of a run, moving it where it must. The contents stay, up to the smaller size.
  ///
  /// - Parameters:
  ///   - base: the address of the run's first page.
  ///   - pages: how many it is to have, at least 1.
  ///   - zeroed: the new pages are to read as zero.
  /// - Returns: where the run lies now.
  /// - Throws: what ``allocate(pages:alignment:zeroed:)`` and ``extend(_:to:zeroed:)`` throw. The
  ///   run is as before.
  /// - Warning: the run must have no owner (``PageRun``).
  /// - Complexity: in place O(1); else O(`pages`), by copying.
  public func resize(
    _ base: UnsafeMutableRawPointer, to pages: Int, zeroed: Bool = false
  ) throws(PageArenaError) -> UnsafeMutableRawPointer {
    // Only the address is looked at; the run that it becomes is the caller's.
    unsafe PageSpace.memory(at: try resize(at: UInt(bitPattern: base), to: pages, zeroed))
  }

  func resize(at address: UInt, to pages: Int, _ zeroed: Bool) throws(PageArenaError) -> UInt {
    var run = try adoptWhole(address)
    var refusal: PageArenaError?
    do throws(PageArenaError) {
      try run.resize(to: pages, zeroed: zeroed, mayMoveTables: false)
    } catch { refusal = error }
    let first = run.address
    _ = unsafe try run.leak()
    if let refusal { throw refusal }
    return first
  }

  /// An owner for the length of a call.
  private func adoptWhole(_ address: UInt) throws(PageArenaError) -> PageRun {
    try adopt(at: address, core.lengthOfRun(at: address))
  }
}
