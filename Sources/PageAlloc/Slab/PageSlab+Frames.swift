import CThreadSlots
import SysMem

// MARK: - The short way

extension PageSlab {
  /// Takes a frame.
  ///
  /// ```swift
  /// let slab = try PageSlab(frameByteCount: 512, in: arena)
  /// let frame = unsafe try slab.allocate()
  /// unsafe try slab.deallocate(frame)
  /// ```
  ///
  /// - Returns: the address of ``frameByteCount`` bytes, a multiple of that, readable and writable.
  ///   The contents are arbitrary.
  /// - Throws: what ``PageArena/allocate(pages:alignment:zeroed:)`` throws where the slab has no
  ///   free frame left and the arena no run.
  /// - Complexity: O(1).
  @inlinable
  public func allocate() throws(PageArenaError) -> UnsafeMutableRawPointer {
    let thread = MagazineTable.thread
    let magazine = magazines.first(of: thread)
    if magazine.isOwned(by: thread), magazine.enter() {
      let frame = magazine.takeHot()
      if frame != 0 {
        states[frame] = .inUse
        magazine.leave()
        return unsafe pointer(to: frame)
      }
      return unsafe try allocateInside(magazine)
    }
    return unsafe try allocateSlowly()
  }

  /// Gives a frame back. The contents are lost to the caller at once.
  ///
  /// - Parameter base: the address of the frame.
  /// - Throws: ``PageArenaError/foreign(base:)`` for what is in no run of the slab's,
  ///   ``PageArenaError/misaligned(base:)`` for what is not where a frame starts,
  ///   ``PageArenaError/frameNotInUse(base:)``. Nothing has changed then.
  /// - Complexity: O(1); O(64) now and then.
  @inlinable
  public func deallocate(_ base: UnsafeMutableRawPointer) throws(PageArenaError) {
    // Only the address is looked at.
    try deallocate(at: UInt(bitPattern: base))
  }

  @inlinable @inline(__always)
  func deallocate(at address: UInt) throws(PageArenaError) {
    let number = layout.frame(startingAt: address)
    let frame = Int(truncatingIfNeeded: number)
    guard number < UInt(bitPattern: layout.frameLimit), states[frame] == .inUse else {
      return try refuse(address)
    }
    let thread = MagazineTable.thread
    let magazine = magazines.first(of: thread)
    if magazine.isOwned(by: thread), magazine.enter() {
      if magazine.putHot(frame) {
        states[frame] = .free
        return magazine.leave()
      }
      return try deallocateInside(frame, magazine)
    }
    try deallocateSlowly(frame)
  }

  /// The memory of a frame that was just taken.
  @inlinable @inline(__always)
  func pointer(to frame: Int) -> UnsafeMutableRawPointer {
    // In a run of the arena's, which never lies at address 0.
    unsafe PageSpace.memory(at: layout.address(ofFrame: frame))
  }
}

// MARK: - The long way

extension PageSlab {
  /// Takes a frame by way of a magazine that the caller is inside of, and that has no hot one.
  @usableFromInline @inline(never)
  func allocateInside(
    _ magazine: MagazineReference
  ) throws(PageArenaError) -> UnsafeMutableRawPointer {
    guard let frame = magazine.pop() else {
      magazine.leave()
      return unsafe try allocateSlowly()
    }
    states[frame] = .inUse
    magazine.leave()
    return unsafe pointer(to: frame)
  }

  /// Takes a frame back by way of a magazine that the caller is inside of, and that has a hot one.
  @usableFromInline @inline(never)
  func deallocateInside(_ frame: Int, _ magazine: MagazineReference) throws(PageArenaError) {
    let fits = magazine.push(frame)
    if fits { states[frame] = .free }
    magazine.leave()
    if !fits { try deallocateSlowly(frame) }
  }

  @usableFromInline @inline(never)
  func allocateSlowly() throws(PageArenaError) -> UnsafeMutableRawPointer {
    var refusal: PageArenaError?
    while true {
      let magazine = try enterMagazine()
      // A thread's magazine may be where the short way does not look.
      if let magazine, let frame = magazine.pop() {
        states[frame] = .inUse
        magazine.leave()
        return unsafe pointer(to: frame)
      }
      let frame = core.withRuns { runs in
        if let magazine { runs.fill(magazine) }
        return magazine?.pop() ?? runs.take()
      }
      if let frame { states[frame] = .inUse }
      magazine?.leave()
      if let frame { return unsafe pointer(to: frame) }
      if let refusal { throw refusal }
      // Outside: before a limit refuses it, the program may free frames of this slab.
      do throws(PageArenaError) { try addRun() } catch { refusal = error }
    }
  }

  @usableFromInline @inline(never)
  func deallocateSlowly(_ frame: Int) throws(PageArenaError) {
    let magazine = try enterMagazine()
    defer { magazine?.leave() }
    // As above.
    if let magazine, states[frame] == .inUse, magazine.push(frame) {
      states[frame] = .free
      return
    }
    var isFreed = false
    let mayGiveBack = core.withRuns { runs in
      if let magazine { runs.drain(magazine, to: FrameMagazine.batch) }
      // Another thread may have freed it just now.
      isFreed = states[frame] == .inUse
      if isFreed {
        states[frame] = .free
        if !(magazine?.push(frame) ?? false) { runs.put(frame) }
      }
      return runs.emptyCount > 1
    }
    if !isFreed { throw .frameNotInUse(base: layout.address(ofFrame: frame)) }
    if mayGiveBack { giveBackEmptyRuns() }
  }

  /// Gives the arena what has become empty, but for one.
  private func giveBackEmptyRuns() {
    while let run = core.takeEmptyRun(keeping: 1) { arena.takeBack(run) }
  }

  /// Takes a run from the arena.
  private func addRun() throws(PageArenaError) {
    let run = try arena.take(layout.pagesPerRun, layout.runByteCount, false)
    core.withRuns { $0.add(layout.run(at: run)) }
  }

  /// The calling thread's magazine, which the caller is then inside of; or a new one.
  ///
  /// - Returns: `nil` where there is none for it.
  /// - Throws: ``PageArenaError/reentered``.
  private func enterMagazine() throws(PageArenaError) -> MagazineReference? {
    try arena.core.requireOutside()
    // In a child nothing is looked at before it was renewed.
    ForkTurn.renewIfNewChild()
    if arena.core.cacheLimit == 0 { return nil }
    let thread = MagazineTable.thread
    guard let magazine = magazines.find(thread) ?? newMagazine(for: thread) else { return nil }
    if !magazine.enter() { throw .reentered }
    return magazine
  }

  /// Has the runs take back what the calling thread has at hand.
  func emptyMagazine() throws(PageArenaError) {
    guard let magazine = try enterMagazine() else { return }
    core.withRuns { $0.drain(magazine, to: 0) }
    magazine.leave()
  }

  private func newMagazine(for thread: UInt) -> MagazineReference? {
    // A signal's handler does not come by here in the middle of just this.
    let mark = InsideMark(.slab)
    defer { mark.end() }
    // A thread that ends may not be asked again for what it has.
    if ThisThread.record.has_ended != 0 || !SlabList.watchThread() { return nil }
    return magazines.claim(for: thread)
  }

  /// Says what is wrong with an address at which there is no frame in use.
  @usableFromInline @inline(never)
  func refuse(_ address: UInt) throws(PageArenaError) {
    guard let frame = layout.frame(containing: address), states[frame] != .none else {
      throw .foreign(base: address)
    }
    if address != layout.address(ofFrame: frame) { throw .misaligned(base: address) }
    throw .frameNotInUse(base: address)
  }
}

// MARK: - Pointers that know

extension PageSlab {
  /// Whether an address lies in a run of the slab's, in a frame that is in use or not.
  ///
  /// - Complexity: O(1), without a lock.
  public func contains(_ pointer: UnsafeRawPointer) -> Bool {
    // Only the address is looked at; so below.
    layout.frame(containing: UInt(bitPattern: pointer)).map { states[$0] != .none } ?? false
  }

  /// The frame in use that an address lies in: at its start, or anywhere inside.
  ///
  /// - Parameter pointer: any.
  /// - Returns: the frame's address; `nil` where it lies in no frame, or in one that is free.
  /// - Complexity: O(1), without a lock.
  public func frame(containing pointer: UnsafeRawPointer) -> UnsafeMutableRawPointer? {
    guard let frame = layout.frame(containing: UInt(bitPattern: pointer)), states[frame] == .inUse
    else { return nil }
    return unsafe self.pointer(to: frame)
  }
}
